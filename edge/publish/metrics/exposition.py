"""The metrics of a station, as Prometheus reads them.

What the ledger has is counted from its rows, so that these counters go on where the daemon was
started again; what it does not have comes from the status that the daemon writes. Base units,
and labels whose values the station file or pilah itself gives: others are `other`.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from edge.core.errors import LedgerError, LedgerMissingError, StatusRefusedError
from edge.core.verdict import RejectReason
from edge.flow import Missed
from edge.ledger.export.totals import Histogram, LedgerTotals
from edge.ledger.reports.seconds import StateSeconds
from edge.publish.metrics.running_totals import RunningTotals
from edge.telemetry.status import (
    StationState,
    StationStatus,
    StatusReading,
    problems_of,
    read_status,
)

OTHER = "other"
_Samples = Iterable[tuple[tuple[str, ...], float]]
"""The values of a sample's labels (without `station`), and the sample's value."""

NO_LABEL = "none"
"""The label of an item whose picture could not be read."""
_WAIT_SECONDS = 5.0
"""How many seconds a scrape waits for another one that is counting."""


@dataclass(frozen=True, slots=True)
class ReceiverFigures:
    """The figures of one receiver of the publisher."""

    name: str
    sent: int
    refused: int
    dropped: int
    waiting: int | None
    """How many entries it has not received yet; None if that is not known now."""
    trouble: str | None
    """Why nothing can be sent to it now; None if it can."""


class StationMetrics(Collector):
    """The metrics of one station. May be asked by several threads."""

    def __init__(
        self,
        station: str,
        ledger: Path,
        *,
        lanes: Mapping[str, Iterable[str]],
        receivers: Callable[[], list[ReceiverFigures]] = list,
        status: Callable[[str, Path], StatusReading | None] = read_status,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Reads nothing yet.

        Args:
            station: the station's name.
            ledger: its ledger, which is only read.
            lanes: the labels of each lane.
            receivers: tells how the publisher's receivers are.
            status: reads the status of the station.
            wall: seconds since 1970.
        """
        self._station, self._ledger, self._read_status = station, ledger, status
        self._wall = wall
        self._lanes = frozenset(lanes)
        self._labels = frozenset(label for labels in lanes.values() for label in labels)
        self._receivers = receivers
        self._totals, self._runs = LedgerTotals(ledger), RunningTotals()
        self._states = StateSeconds(ledger)
        self._counting = threading.Lock()
        self._trouble: str | None = None

    def count(self) -> bool:
        """Counts the new rows of the ledger; at the first call, all rows.

        Returns:
            Whether they have all been counted once; else the ledger could not be read.
        """
        with self._counting:
            self._update()
            return self._totals.complete

    @property
    def problems(self) -> list[str]:
        """Why the station or its publisher is not well, as sentences; empty if all is well."""
        try:
            found = problems_of(self._read_status(self._station, self._ledger))
        except StatusRefusedError as error:
            found = [str(error)]
        if self._trouble is not None:
            found.append(self._trouble)
        elif not self._totals.complete:
            found.append("the rows of the ledger are being counted")
        found += [
            f"{one.name} cannot be told: {one.trouble}" for one in self._receivers() if one.trouble
        ]
        return found

    def collect(self) -> Iterator[Metric]:
        """See `Collector`."""
        reading = self._reading()
        if self._counting.acquire(timeout=_WAIT_SECONDS if self._totals.complete else 0):
            try:
                if self._totals.complete:  # else a counter would rise from nothing
                    self._update()
                    yield from self._of_the_ledger()
                    yield from self._of_the_states(reading)
                    yield from self._of_earlier_and_this_run(reading)
            finally:
                self._counting.release()
        yield from self._of_the_status(reading)
        yield from self._of_the_disk()
        yield from self._of_the_publisher()

    def describe(self) -> Iterator[Metric]:
        """See `Collector`: nothing is read for it."""
        return iter(())

    def _reading(self) -> StatusReading | None:
        try:
            return self._read_status(self._station, self._ledger)
        except StatusRefusedError:  # which is one of the problems
            return None

    def _update(self) -> None:
        try:
            self._totals.update()
        except LedgerMissingError:
            self._trouble = "there is no ledger yet"
        except LedgerError as error:
            self._trouble = str(error)
        else:
            self._trouble = None

    def _of_the_states(self, reading: StatusReading | None) -> Iterator[Metric]:
        if self._trouble is not None:
            return
        runs = reading is not None and not reading.is_stale
        try:
            self._states.update(round(self._wall() * 1e6) if runs else None)
        except LedgerError as error:
            self._trouble = str(error)
            return
        yield self._counter(
            "pilah_state_seconds", "Time in each state, by PackML's names.", ("state", "mode"),
            self._states.seconds.items(),
        )  # fmt: skip

    # The ledger

    def _of_the_ledger(self) -> Iterator[Metric]:
        totals = self._totals
        items: Counter[tuple[str, ...]] = Counter()
        rejects: Counter[tuple[str, ...]] = Counter()
        for (label, lane, reason), count in totals.items.items():
            items[self._label(label), self._lane(lane)] += count
            if reason is not None:
                rejects[(_known(reason, RejectReason),)] += count
        yield self._counter(
            "pilah_items", "Items that were sorted.", ("label", "lane"), items.items()
        )
        yield self._counter(
            "pilah_rejects", "Items that were rejected, which are among pilah_items_total.",
            ("reason",), rejects.items(),
        )  # fmt: skip
        pieces: Counter[tuple[str, ...]] = Counter()
        for lane, count in totals.pieces.items():
            pieces[(self._lane(lane),)] += count
        yield self._counter(
            "pilah_pieces", "Pieces that items counted for.", ("lane",), pieces.items()
        )
        moves: Counter[tuple[str, ...]] = Counter()
        for (lane, missed), count in totals.actuations.items():
            outcome = "moved" if missed is None else _known(missed, Missed)
            moves[self._lane(lane), outcome] += count
        yield self._counter(
            "pilah_actuations", "Moves of actuators, and why one did not move.",
            ("lane", "outcome"), moves.items(),
        )  # fmt: skip
        corrections = (((field,), count) for field, count in totals.corrections.items())
        yield self._counter(
            "pilah_corrections", "Corrections that people made of items.", ("field",), corrections
        )
        yield self._histogram(
            "pilah_verdict_latency_seconds",
            "From the capture of an item's last picture to its verdict.",
            totals.latency,
        )
        yield self._histogram(
            "pilah_actuation_lateness_seconds",
            "From the planned moment of an actuator to its move.",
            totals.lateness,
        )

    # The status of the daemon

    def _of_earlier_and_this_run(self, reading: StatusReading | None) -> Iterator[Metric]:
        """The counts that the daemon keeps since its start, added up over its runs."""
        if reading is not None and reading.status.signs is not None:
            signs = reading.status.signs
            counts: dict[tuple[str, ...], int] = {
                ("camera_losses",): signs.camera_losses,
                ("frames_dropped",): signs.frames_dropped,
                ("single_frame",): signs.single_frame,
            }
            counts |= {("fault", kind): count for kind, count in signs.frame_faults.items()}
            counts |= {("lost", kind): count for kind, count in signs.rows_lost.items()}
            self._runs.see(reading.status.started, counts)
        totals = self._runs.totals
        for key, name, text in (
            ("camera_losses", "pilah_camera_losses", "How many times the camera was lost."),
            ("frames_dropped", "pilah_frames_dropped", "Frames that a newer one replaced."),
            ("single_frame", "pilah_single_frame_objects", "Objects seen in one frame only."),
        ):
            found = [((), totals[(key,)])] if (key,) in totals else []
            yield self._counter(name, text, (), found)
        for key, name, text in (
            ("fault", "pilah_frame_faults", "Frames that could not be used."),
            ("lost", "pilah_ledger_lost_rows", "Rows that will never be in the ledger."),
        ):
            kinds = (((kind[1],), count) for kind, count in totals.items() if kind[0] == key)
            yield self._counter(name, text, ("kind",), kinds)

    def _of_the_status(self, reading: StatusReading | None) -> Iterator[Metric]:
        fresh = reading is not None and not problems_of(reading)
        yield self._gauge("pilah_station_well", "1 where nothing is wrong.", float(fresh))
        state = None if reading is None or reading.is_stale else reading.status.state
        yield self._gauges(
            "pilah_station_state", "1 for the state that the station is in.", ("state",),
            (((name,), name == (state or "down")) for name in (*StationState, "down")),
        )  # fmt: skip
        if reading is None:
            return
        if reading.age_seconds is not None:
            yield self._gauge(
                "pilah_status_age_seconds", "Since the daemon wrote its status.",
                max(0.0, reading.age_seconds),
            )  # fmt: skip
        if state is not None:
            yield from self._of_a_live_station(reading.status)

    def _of_a_live_station(self, status: StationStatus) -> Iterator[Metric]:
        started = datetime.fromisoformat(status.started).timestamp()
        yield self._gauge("pilah_start_time_seconds", "When the daemon started.", started)
        if status.resident_bytes is not None:
            yield self._gauge(
                "pilah_resident_memory_bytes", "The daemon's memory.", status.resident_bytes
            )
        signs = status.signs
        if signs is None:
            return
        model = InfoMetricFamily("pilah_model", "The model in use.", labels=("station",))
        model.add_metric((self._station,), {"title": signs.model, "digest": signs.model_digest})
        yield model
        yield self._gauges(
            "pilah_thread_silent_seconds", "Since the last sign of life of a thread.", ("thread",),
            (((name,), silent) for name, silent in signs.silent_seconds.items()),
        )  # fmt: skip
        yield self._gauge("pilah_camera_lost", "1 while the camera is lost.", signs.camera_lost)
        if signs.frame_age_seconds is not None:
            yield self._gauge(
                "pilah_frame_age_seconds", "Since the newest frame was captured.",
                signs.frame_age_seconds,
            )  # fmt: skip
        yield self._gauge(
            "pilah_ledger_failing", "1 while the ledger cannot be written.", signs.ledger_fails
        )
        yield self._gauge("pilah_ledger_queued_rows", "Rows in memory only.", signs.rows_queued)
        yield self._gauge(
            "pilah_ledger_spilled_items", "Items whose rows wait in the spill.",
            signs.items_spilled,
        )  # fmt: skip

    # The rest

    def _of_the_disk(self) -> Iterator[Metric]:
        try:
            size = self._ledger.stat().st_size
            disk = os.statvfs(self._ledger.parent)
        except OSError:
            return
        yield self._gauge("pilah_ledger_bytes", "The size of the ledger.", size)
        yield self._gauge(
            "pilah_ledger_disk_free_bytes", "What is free on the ledger's disk.",
            disk.f_bavail * disk.f_frsize,
        )  # fmt: skip

    def _of_the_publisher(self) -> Iterator[Metric]:
        found = self._receivers()
        entries = [
            ((one.name, outcome), count)
            for one in found
            for outcome, count in (
                ("sent", one.sent), ("refused", one.refused), ("dropped", one.dropped),
            )
        ]  # fmt: skip
        yield self._counter(
            "pilah_publish_entries", "Entries of the outbox, by what became of them.",
            ("receiver", "outcome"), entries,
        )  # fmt: skip
        waiting = (((one.name,), one.waiting) for one in found if one.waiting is not None)
        yield self._gauges(
            "pilah_publish_waiting_entries", "Entries that wait.", ("receiver",), waiting
        )
        trouble = (((one.name,), one.trouble is not None) for one in found)
        yield self._gauges(
            "pilah_publish_trouble", "1 while a receiver cannot be told.", ("receiver",), trouble
        )

    def _label(self, label: str | None) -> str:
        return NO_LABEL if label is None else label if label in self._labels else OTHER

    def _lane(self, lane: str) -> str:
        return lane if lane in self._lanes else OTHER

    def _counter(self, name: str, text: str, labels: tuple[str, ...], values: _Samples) -> Metric:
        family = CounterMetricFamily(name, text, labels=("station", *labels))
        for key, value in sorted(values):
            family.add_metric((self._station, *key), value)
        return family

    def _gauges(self, name: str, text: str, labels: tuple[str, ...], values: _Samples) -> Metric:
        family = GaugeMetricFamily(name, text, labels=("station", *labels))
        for key, value in values:
            family.add_metric((self._station, *key), value)
        return family

    def _gauge(self, name: str, text: str, value: float) -> Metric:
        return self._gauges(name, text, (), [((), value)])

    def _histogram(self, name: str, text: str, values: Histogram) -> Metric:
        family = HistogramMetricFamily(name, text, labels=("station",))
        bounds = (*(str(bound) for bound in values.bounds), "+Inf")
        family.add_metric(
            (self._station,), list(zip(bounds, values.cumulative, strict=True)), values.total
        )
        return family


def _known(value: str, kinds: Iterable[str]) -> str:
    """`value` if this pilah knows it, else `other`; a newer pilah may have written the row."""
    return value if value in {str(kind) for kind in kinds} else OTHER
