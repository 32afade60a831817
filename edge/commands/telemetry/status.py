"""Say what a running station is doing: its threads, camera, model, items and rows.

It reads the status that the station writes twice a second, and disturbs nothing. It exits with 1
where the station is not well: it does not run, is starting or ending, hangs, has lost its camera,
or cannot write its ledger.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from edge.commands.control.asking import state_words
from edge.core.command_line import print_json
from edge.core.errors import EXIT_NO, EXIT_OK
from edge.core.terminal.speech import write_out

if TYPE_CHECKING:
    from edge.telemetry.status import StationStatus, VitalSigns


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("station", type=Path, metavar="STATION.yaml", help="station file")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(arguments: argparse.Namespace) -> int:
    from edge.config.reading import read_part
    from edge.config.station import RecordsConfig
    from edge.telemetry.status import problems_of, read_status

    _, config = read_part(arguments.station, RecordsConfig)
    found = read_status(config.station, config.ledger.path)
    problems = problems_of(found)
    if found is None or found.is_stale or found.status.signs is None:
        problems += _why_not_started(config.ledger.path)
    if arguments.json:
        print_json(
            {
                "well": not problems,
                "problems": problems,
                "age_seconds": None if found is None else found.age_seconds,
                "status": None if found is None else found.status.as_json(),
            }
        )
    else:
        lines = [f"station    {config.station}"]
        if found is not None:
            lines += _about_the_process(found.status)
            if found.age_seconds is not None:
                lines.append(f"status     {found.age_seconds:.1f} s old")
            if found.status.signs is not None:
                lines += _about_the_station(found.status.signs)
        lines += [f"NOT WELL   {problem}" for problem in problems] or ["well"]
        write_out("".join(f"{line}\n" for line in lines))
    return EXIT_NO if problems else EXIT_OK


def _why_not_started(ledger: Path) -> Iterator[str]:
    """What kept the station from starting, by its ledger."""
    from edge.core.errors import LedgerError
    from edge.ledger.reports.last_run import START_FAILED
    from edge.ledger.reports.open_incidents import OpenIncidents

    with suppress(LedgerError):  # it says nothing then
        for one in OpenIncidents(ledger).now():
            if one.name == START_FAILED:
                yield f"the station could not be started at {one.since[:19]}Z: {one.cause}"


def _about_the_process(status: StationStatus) -> Iterator[str]:
    yield (
        f"state      {status.state}; process {status.pid} of pilah {status.pilah}, started "
        f"{status.started[:19]}Z"
    )
    if status.resident_bytes is not None:
        yield f"memory     {status.resident_bytes / 1e6:.0f} MB"


def _about_the_station(signs: VitalSigns) -> Iterator[str]:
    if (state := signs.state) is not None:
        yield f"sorting    {state_words(asdict(state))}"
        if state.incidents:
            yield f"incidents  {', '.join(state.incidents)}"
    yield f"model      {signs.model}  (digest {signs.model_digest[:12]})"
    newest = "no picture yet"
    if signs.frame_age_seconds is not None:
        newest = f"the newest picture is {signs.frame_age_seconds:.2f} s old"
    yield (
        f"camera     {'LOST, ' if signs.camera_lost else ''}{newest}; lost {signs.camera_losses} "
        f"times; {signs.frames_dropped} frames dropped, faults: {_counts(signs.frame_faults)}"
    )
    silent = ", ".join(f"{name} {ago:.1f} s" for name, ago in signs.silent_seconds.items())
    yield f"threads    {silent} since the last sign of life"
    yield f"items      {signs.items} since the start: {_counts(signs.lanes)}"
    yield f"rejects    {_counts(signs.rejects)}"
    yield (
        f"rows       {signs.rows_queued} wait in memory, those of {signs.items_spilled} items in "
        f"the spill; lost for ever: {sum(signs.rows_lost.values())}"
    )


def _counts(counts: Mapping[str, int]) -> str:
    found = (f"{name} {count}" for name, count in sorted(counts.items()) if count)
    return ", ".join(found) or "none"
