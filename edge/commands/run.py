"""Sort, as a station file says, until the pictures end or Ctrl-C: a line for each verdict."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from edge.cli import print_json, say
from edge.commands.arguments import count
from edge.errors import EXIT_IO, EXIT_OK

if TYPE_CHECKING:
    from edge.ledger.ledger import Entry


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("station", type=Path, metavar="STATION.yaml", help="station file")
    parser.add_argument(
        "--max-items", type=count, metavar="N", help="end after N items (default: never)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object an item on stdout")


def run(arguments: argparse.Namespace) -> int:
    from edge.config import read_station
    from edge.service import Notifier, stop_signals
    from edge.station import Station

    plan = read_station(arguments.station)
    for warning in plan.warnings:
        say(f"warning    {arguments.station}:{warning}")
    show = _show_json if arguments.json else _show
    with (
        stop_signals() as events,
        Station(plan, events=events, show=show, say=say, notifier=Notifier()) as station,
    ):
        tally = station.run(max_items=arguments.max_items)
    for line in tally.lines():
        say(line)
    return EXIT_IO if tally.lost or tally.lost_actuations else EXIT_OK


def _show_json(entry: Entry) -> None:
    print_json(asdict(entry))


def _show(entry: Entry) -> None:
    verdict = "-" if entry.label is None else f"{entry.label} {entry.confidence:.1%}"
    reject = f"  reject: {entry.reject}" if entry.reject else ""
    print(
        f"{entry.time[11:23]}  {entry.item:>6}  {entry.source}  {verdict}  -> {entry.lane}"
        f"{reject}  {entry.latency_ms:.1f} ms",
        flush=True,
    )
