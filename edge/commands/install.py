"""Check a newer bundle and give it to a station, which sorts by it from the next item on.

The bundle's files, its golden pictures and the station file must be right, and its signature too if
the station file pins keys. The bundle before it and the five newest are kept for `rollback`.

A station that runs is told to load the bundle. Where it refuses it, it sorts on by the one before,
and this exits with 1. A station that does not run loads it when it starts.
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

    return carry_on(install(arguments.bundle, arguments.station))


def carry_on(change: VersionChange) -> int:
    """Shows which bundle a station has now, and has it load it if it runs.

    Raises:
        ControlRefusedError: the running station does not take it.
    """
    from edge.commands.control.reload_bundle import reload
    from edge.core.errors import ControlError, ControlUnreachableError

    _show(change)
    config = change.plan.config
    try:
        reload(config.station, config.ledger.path)
    except (ControlError, ControlUnreachableError) as error:
        _log.info(f"not told   {error}")
        _log.info("next: start the station again (sudo systemctl restart pilah)")
    return EXIT_OK


def _show(change: VersionChange) -> None:
    bundle = change.plan.bundle
    print(f"{bundle.title}  (digest {bundle.digest[:12]})")
    print(f"signature  {bundle.origin}{'' if change.plan.keys else '; no key is pinned'}")
    print(f"golden     {len(bundle.golden)} pictures reproduced exactly")
    print(f"runtime    {change.runtime}")
    print(f"active     {change.plan.config.bundle}, before: {change.before or 'nothing'}")
