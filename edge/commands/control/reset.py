"""End the incidents of a running station that wait for somebody to mend something.

A station that is Stopped, after `pilah-edge clear`, is made ready. Exits with 1 where nothing waits
for it, and with 69 where the station does not run."""

from __future__ import annotations

import argparse

from edge.commands.control import asking

add_arguments = asking.add_arguments


def run(arguments: argparse.Namespace) -> int:
    from edge.control.messages import ControlCommand

    return asking.run(arguments, ControlCommand.RESET)
