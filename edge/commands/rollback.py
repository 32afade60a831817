"""Give a station an earlier bundle again, from its next start on: one that was verified on it.

Its files, its signature, its golden pictures and the station file are looked at once more.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from edge.core.errors import EXIT_OK


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("station", type=Path, metavar="STATION.yaml", help="station file")
    parser.add_argument(
        "version", nargs="?", metavar="VERSION", help="which (the newest older than the active one)"
    )


def run(arguments: argparse.Namespace) -> int:
    from edge.commands.install import show_change
    from edge.rollout.install import roll_back

    show_change(roll_back(arguments.station, version=arguments.version))
    return EXIT_OK
