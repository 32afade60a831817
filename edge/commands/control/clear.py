"""Leave the state Aborted, once the emergency stop is released.

The station is Stopped then, and moves nothing until `pilah-edge reset` and `pilah-edge resume`.
Exits with 1 where it is not aborted or its emergency stop is still pressed, and with 69 where the
station does not run."""

from __future__ import annotations

import argparse

from edge.commands.control import asking

add_arguments = asking.add_arguments


def run(arguments: argparse.Namespace) -> int:
    from edge.control.messages import ControlCommand

    return asking.run(arguments, ControlCommand.CLEAR)
