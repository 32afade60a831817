"""Check a newer bundle and give it to a station, which uses it from its next start on.

The bundle's files, its golden pictures and the station file must be right, and its signature too if
the station file pins keys. The bundle before it and the five newest are kept for `rollback`.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from edge.core.errors import EXIT_OK

if TYPE_CHECKING:
    from edge.rollout.install import VersionChange

_log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="bundle folder or zip file")
    parser.add_argument("station", type=Path, metavar="STATION.yaml", help="station file")


def run(arguments: argparse.Namespace) -> int:
    from edge.rollout.install import install

    show_change(install(arguments.bundle, arguments.station))
    return EXIT_OK


def show_change(change: VersionChange) -> None:
    """Prints which bundle a station has now, and which it had before."""
    bundle = change.plan.bundle
    print(f"{bundle.title}  (digest {bundle.digest[:12]})")
    print(f"signature  {bundle.origin}{'' if change.plan.keys else '; no key is pinned'}")
    print(f"golden     {len(bundle.golden)} pictures reproduced exactly")
    print(f"runtime    {change.runtime}")
    print(f"active     {change.plan.config.bundle}, before: {change.before or 'nothing'}")
    _log.info("next: start the station again (sudo systemctl restart pilah)")
