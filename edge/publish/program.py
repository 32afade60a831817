"""Tell other systems what happens at a station, as the section `publish` of its file says.

It runs until SIGTERM or Ctrl-C, beside the station or without it. What it has to tell is in the
outboxes of the ledger and of the deliveries, where it waits while a system is away.
"""

from __future__ import annotations

import argparse
import logging
import queue
import signal
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from edge.core.errors import EXIT_NO, EXIT_OK, EXIT_UNAVAILABLE, UsageError

if TYPE_CHECKING:
    from edge.config.publish.section import PublishSettings
    from edge.config.station import RecordsConfig
    from edge.publish.pump import Pump
    from edge.runtime.heartbeat import Heartbeat
    from edge.runtime.service import Notifier
    from edge.runtime.worker import Endings

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
_STUCK_SECONDS = 120.0
"""A pump without a heartbeat for so many seconds hangs; no wait for another system is longer."""
END_SECONDS = 4.0
"""How many seconds pumps may take to end. Unfinished entries are sent again at the next start."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("station", type=Path, metavar="STATION.yaml", help="station file")
    doing = parser.add_mutually_exclusive_group()
    doing.add_argument("--once", action="store_true", help="send what is there, and end")
    doing.add_argument(
        "--status",
        action="store_true",
        help="send nothing: say how far each system is, and what it refused",
    )
    doing.add_argument(
        "--refused",
        action="store_true",
        help="send nothing: say what each system refused, why, and the ids of the entries",
    )
    doing.add_argument(
        "--send-refused",
        nargs="*",
        metavar="ID",
        help="have the entries with these ids, or all, sent again to the systems that refused them",
    )
    parser.add_argument(
        "--receiver",
        metavar="NAME",
        help="with --refused and --send-refused: of this system alone",
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="with --status, --refused and --send-refused: one JSON object on stdout",
    )


def run(arguments: argparse.Namespace) -> int:
    config, publish = _settings(arguments.station)
    if arguments.status:
        from edge.publish.status import show_status

        show_status(config, publish, as_json=arguments.json)
        return EXIT_OK
    if arguments.refused or arguments.send_refused is not None:
        from edge.publish.again import chosen, send_again, show_refused

        names = chosen(publish, arguments.receiver)
        if arguments.refused:
            show_refused(config, names, as_json=arguments.json)
            return EXIT_OK
        return send_again(config, names, arguments.send_refused, as_json=arguments.json)
    if arguments.receiver is not None:
        raise UsageError("--receiver belongs to --refused or --send-refused")
    return _publish(arguments.station, config, publish, once=arguments.once)


def _settings(path: Path) -> tuple[RecordsConfig, PublishSettings]:
    from edge.config.reading import read_part
    from edge.config.station import RecordsConfig
    from edge.core.errors import ConfigError

    _, config = read_part(path, RecordsConfig)
    if config.publish is None:
        raise ConfigError(
            path, ["1: publish: is missing: add it, with a section for each receiver"]
        )
    return config, config.publish


def _publish(path: Path, config: RecordsConfig, publish: PublishSettings, *, once: bool) -> int:
    from edge.config.publish.section import publisher_path
    from edge.config.receiving import deliveries_path
    from edge.core.processes.file_lock import locked
    from edge.publish.outbox_file import outboxes
    from edge.publish.publisher_file import PublisherFile
    from edge.publish.pump import Pump
    from edge.publish.receivers import Surroundings, open_receiver
    from edge.runtime.service import Notifier, stop_signals

    file = publisher_path(config.ledger.path)
    stopping = threading.Event()
    deliveries = deliveries_path(config.receiving, config.ledger.path)
    surroundings = Surroundings(config.station, config.ledger.path, deliveries)
    with (
        stop_signals() as endings,
        locked(file.with_name(f".{file.name}.lock")),
        ExitStack() as opened,
    ):
        with PublisherFile(file) as progress:
            progress.forget_others(publish.receivers)
        pumps: list[Pump] = []
        try:
            for name in publish.receivers:
                receiver = open_receiver(name, publish, surroundings)
                opened.callback(receiver.close)  # where a later one cannot be opened
                boxes = outboxes(config.ledger.path, deliveries)
                pumps.append(Pump(receiver, boxes, file, stopping=stopping, once=once))
            _log.info(f"publish    {config.station} to {', '.join(publish.receivers) or 'nobody'}")
            parts: list[PublisherThread] = [*pumps]
            if publish.metrics is not None and not once:
                from edge.publish.metrics.opening import open_metrics

                parts.append(open_metrics(publish.metrics, publish, path, stopping=stopping))
            _run(parts, endings, stopping, Notifier())
        finally:
            stopping.set()
    if not once:
        return EXIT_OK
    if any(pump.trouble for pump in pumps):
        return EXIT_UNAVAILABLE
    return EXIT_NO if any(pump.refused for pump in pumps) else EXIT_OK


class PublisherThread(Protocol):
    """A part of the publisher with a thread of its own: a pump, or the server of the metrics."""

    heartbeat: Heartbeat
    trouble: str | None

    @property
    def name(self) -> str: ...

    def run(self) -> None: ...


def _run(
    parts: Sequence[PublisherThread],
    endings: Endings,
    stopping: threading.Event,
    notifier: Notifier,
) -> None:
    """Runs the parts until all have ended, one fails, or a signal comes.

    Raises:
        StuckError: a part gives no signs of life.
        BaseException: the exception with which a part failed.
    """
    from edge.runtime.clock import SYSTEM_CLOCK
    from edge.runtime.heartbeat import ThreadMonitor
    from edge.runtime.worker import Worker

    monitor = ThreadMonitor(
        {part.name: part.heartbeat for part in parts},
        stuck_seconds=_STUCK_SECONDS,
        clock=SYSTEM_CLOCK.now,
    )
    working = {Worker(f"publish-{part.name}", part.run, endings) for part in parts}
    for worker in working:
        worker.start()
    notifier.ready(_status_line(parts))
    until: float | None = None
    failure: BaseException | None = None
    while working:
        try:
            ending = endings.get(timeout=_LOOK_SECONDS)
        except queue.Empty:
            if until is None:
                monitor.look()
                notifier.alive()
                notifier.status(_status_line(parts))
            elif SYSTEM_CLOCK.now() >= until:
                names = ", ".join(sorted(worker.name for worker in working))
                _log.warning(
                    f"warning    {names} did not end within {END_SECONDS:g} seconds, and is left: "
                    "what was on its way is sent again at the next start"
                )
                break
            continue
        if isinstance(ending, signal.Signals):
            _log.info(f"stopping: {ending.name}")
        else:
            working.discard(ending)
            failure = failure or ending.failure
            if ending.failure is None and not stopping.is_set():
                continue  # with `--once`, the others go on
        if until is None:
            until = SYSTEM_CLOCK.now() + END_SECONDS
            stopping.set()
            notifier.stopping()
    if failure is not None:
        raise failure


def _status_line(parts: Sequence[PublisherThread]) -> str:
    return "; ".join(f"{part.name}: {part.trouble or 'works'}" for part in parts)
