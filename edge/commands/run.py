"""Sort as a station file describes, until the pictures end or Ctrl-C; print every verdict."""

from __future__ import annotations

import argparse
import logging
import os
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from edge.core.command_line import count, print_json
from edge.core.errors import EXIT_IO, EXIT_OK, ConfigError, NeighbourError, StuckError
from edge.core.terminal.speech import write_out
from edge.events import ItemSorted, of_items

if TYPE_CHECKING:
    from edge.core.terminal.speech import Speech
    from edge.telemetry.newest_log import NewestLog

_log = logging.getLogger(__name__)

_LAST_WORDS_SECONDS = 0.3
"""How long a reader may take for the last lines after a signal has come."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("station", type=Path, metavar="STATION.yaml", help="station file")
    parser.add_argument(
        "--max-items", type=count, metavar="N", help="end after N items (default: never)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object an item on stdout")


def run(arguments: argparse.Namespace) -> int:
    from edge.core.terminal.speech import without_waiting
    from edge.telemetry.newest_log import NewestLog

    with without_waiting() as speech, NewestLog() as log:
        return _sort(arguments, speech, log)


def _sort(arguments: argparse.Namespace, speech: Speech, log: NewestLog) -> int:
    from edge.config.reading import read_config, read_station
    from edge.control.place import control_path
    from edge.control.server import ControlServer
    from edge.neighbours.claims import neighbour_of
    from edge.neighbours.running import OwnClaims, RunsAlreadyError
    from edge.pins.pins import has_real_pins
    from edge.runtime.service import ending_within, stop_signals
    from edge.runtime.supervisor import END_SECONDS
    from edge.state.refused_start import tell_of_refused_start
    from edge.station import Station
    from edge.teaching.answers import StationAnswers
    from edge.telemetry.status_file import StatusFile

    try:
        plan = read_station(arguments.station)
    except ConfigError as error:
        with suppress(ConfigError):  # of a file that is wrong in itself nobody knows the ledger
            tell_of_refused_start(read_config(arguments.station), error)
        raise
    for warning in plan.warnings:
        _log.warning(f"warning    {arguments.station}:{warning}")
    show = _show_json if arguments.json else _show
    with stop_signals() as endings, ending_within(END_SECONDS, lambda: _force(speech)) as ending:
        try:
            with (
                OwnClaims(
                    neighbour_of(plan.config, plan.file),
                    plan.config.ledger.path,
                    real_pins=has_real_pins(),
                ),
                StatusFile(plan.config.station, plan.config.ledger.path) as status,
                Station(
                    plan, endings=endings, observers=[of_items(show)], notifier=status
                ) as station,
                StationAnswers(
                    plan,
                    seen=station.loop.seen,
                    state=station.state.answer,
                    bundles=station.bundles,
                    log=log.shown,
                    active=station.pins.active,
                ) as answers,
                ControlServer(
                    control_path(plan.config.station, plan.config.ledger.path), answers.answer
                ),
            ):
                status.tell_of(station.vital_signs)
                tally = station.run(max_items=arguments.max_items)
                for line in tally.lines():
                    _log.info(line)
        except StuckError:
            ending.begin()
            raise
        except RunsAlreadyError:  # which has the ledger for itself
            raise
        except NeighbourError as error:
            tell_of_refused_start(plan.config, error)
            raise
        finally:
            if ending.begun.is_set():
                speech.limit_seconds = _LAST_WORDS_SECONDS
    unwritten = speech.out.error is not None and not isinstance(speech.out.error, BrokenPipeError)
    incomplete = tally.lost or tally.lost_actuations or tally.lost_others or tally.spilled
    return EXIT_IO if incomplete or unwritten else EXIT_OK


def _force(speech: Speech) -> None:
    _log.error("stopping now, without waiting for a part of the station that hangs")
    speech.err.finish(limit=_LAST_WORDS_SECONDS / 10)
    os._exit(StuckError.exit_code)


def _show_json(entry: ItemSorted) -> None:
    print_json(asdict(entry))


def _show(entry: ItemSorted) -> None:
    verdict = "-" if entry.label is None else f"{entry.label} {entry.confidence:.1%}"
    reject = f"  reject: {entry.reject}" if entry.reject else ""
    write_out(
        f"{entry.time[11:23]}  {entry.item:>6}  {entry.source}  {verdict}  -> {entry.lane}"
        f"{reject}  {entry.latency_ms:.1f} ms\n"
    )
