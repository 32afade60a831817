"""Change the mode of a running station that is Stopped, Idle or Aborted.

In production it sorts. In maintenance (somebody cleans or mends it) and manual (somebody sets it
up) it never starts, and its lanes move by `pilah-edge lane move` alone. The mode outlives the
program: a station that was in maintenance when it ended is Stopped in maintenance when it starts.
Only the time in production counts for how well it runs. Exits with 1 where the mode does not change
in its state, and with 69 where the station does not run."""

from __future__ import annotations

import argparse

from edge.commands.control import asking


def add_arguments(parser: argparse.ArgumentParser) -> None:
    asking.add_arguments(parser)
    parser.add_argument(
        "mode",
        type=str.lower,  # as `status` writes it, too
        choices=["production", "maintenance", "manual"],
        metavar="MODE",
        help="production, maintenance or manual",
    )


def run(arguments: argparse.Namespace) -> int:
    from edge.control.messages import ControlCommand

    return asking.run(arguments, ControlCommand.MODE, mode=arguments.mode.capitalize())
