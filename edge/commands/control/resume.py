"""Let a station sort on after `pilah-edge pause`, or begin to after `pilah-edge reset`.

Exits with 1 where its state does not allow it, and with 69 where the station does not run."""

from __future__ import annotations

import argparse

from edge.commands.control import asking

add_arguments = asking.add_arguments


def run(arguments: argparse.Namespace) -> int:
    from edge.control.messages import ControlCommand

    return asking.run(arguments, ControlCommand.RESUME)
