"""Give a station an earlier bundle again, by which it sorts from the next item on.

Only a bundle that was verified on this station can be chosen. Its files, its signature, its golden
pictures and the station file are checked once more. A station that runs is told to load it, as by
`install`.
"""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("station", type=Path, metavar="STATION.yaml", help="station file")
    parser.add_argument(
        "version",
        nargs="?",
        metavar="VERSION",
        help="the version to go back to (the newest one that is older than the active one)",
    )


def run(arguments: argparse.Namespace) -> int:
    from edge.commands.install import carry_on
    from edge.rollout.install import roll_back

    return carry_on(roll_back(arguments.station, version=arguments.version))
