"""Stop a running station, before somebody works on it.

Its actuators go to rest at once, and all items are rejected until `pilah-edge reset` and
`pilah-edge resume`. The program goes on. Whoever may command the station can start it again
until `pilah-edge mode` puts it into maintenance. Exits with
1 where the station is Stopped or Aborted, and with 69 where it does not run."""

from __future__ import annotations

import argparse

from edge.commands.control import asking

add_arguments = asking.add_arguments


def run(arguments: argparse.Namespace) -> int:
    from edge.control.messages import ControlCommand

    return asking.run(arguments, ControlCommand.STOP)
