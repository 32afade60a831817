"""A station that sorts what passes on the simulated belt, watched from outside.

It is an ordinary station, built from its station file. Watched are its pins, which are mock pins
that remember their changes, and the frame that decided each verdict.
"""

from __future__ import annotations

import itertools
import logging
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from deploy.demo.folder import BUNDLE, LEDGER, REHEARSAL, REHEARSED, STATION, TRUTH, remove_ledger
from deploy.demo.pace import AGAIN, is_too_fast, suited
from deploy.demo.stations import (
    TRIGGER,
    BeltPlan,
    belt_camera,
    belt_station,
    rehearsal_station,
    write_station,
)
from edge.config.reading import read_station
from edge.config.station import StationConfig
from edge.core.terminal.log_lines import LogLines
from edge.core.terminal.progress import Progress
from edge.events import ItemSorted, of_items
from edge.flow import Frame, UnreadableFrame
from edge.pins.pins import Pins
from edge.runtime.clock import SystemClock
from edge.runtime.service import stop_signals
from edge.simulation.belt.traffic import GroundTruth, read_ground_truth
from edge.sorting.loop import Watch
from edge.sorting.openers import Openers
from edge.sorting.sorter import Outcome
from edge.station import Station
from edge.vision.camera import Camera, CameraSettings

_log = logging.getLogger(__name__)

_REHEARSED = 8
"""Items of the rehearsal: a hundred frames, about."""
_SAME_MOMENT = 0.1
"""Seconds that a row's time may lie from the capture of its frame."""


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """A row of the ledger, with what the station saw."""

    entry: ItemSorted
    captured: float
    """When the verdict's last frame was taken, in monotonic seconds."""
    frame: Frame | None
    """The one that decided the verdict; None: its picture could not be read."""


@dataclass(frozen=True, slots=True, eq=False)
class Sorted:
    """What the station wrote and did, and what really passed."""

    config: StationConfig
    plan: BeltPlan
    """The belt at the pace at which it ran."""
    rows: list[Row]
    truths: list[GroundTruth]
    pins: dict[int, list[tuple[float, float]]]
    """The changes of each GPIO: (monotonic seconds, level)."""
    dropped: int
    """Frames that came faster than they were looked at."""
    frames: int
    """All frames that came."""
    latencies_ms: tuple[float, float]
    """From capture to verdict: the median, and what 95 of 100 stay below."""


def sort_on_belt(
    folder: Path,
    plan: BeltPlan,
    lane_labels: Sequence[str],
    *,
    items: int,
    trigger: Mapping[str, Any] = TRIGGER,
    **camera: Any,
) -> Sorted:
    """Writes the station file of `folder`, whose bundle lies there, and runs it.

    Args:
        lane_labels: the bundle's labels; each has a lane.
        items: how many are to pass.
        camera: further keys of the belt, such as its seed and what it carries.

    Raises:
        KeyboardInterrupt: as of `sort_belt`.
    """
    labels = list(lane_labels)
    full = belt_camera(plan, **camera, items=_REHEARSED, paced=False)
    write_station(
        folder / REHEARSAL,
        rehearsal_station(plan, full, labels, bundle=BUNDLE, ledger=REHEARSED, trigger=trigger),
        comment="The same belt, on which a few items pass as fast as this machine can follow.",
    )
    plan = suited(plan, rehearse(folder / REHEARSAL))
    for left in reversed(range(AGAIN)):
        moving = belt_camera(plan, **camera, items=items, truth=TRUTH)
        write_station(
            folder / STATION,
            belt_station(plan, moving, labels, bundle=BUNDLE, ledger=LEDGER, trigger=trigger),
            comment="A sorting belt, simulated: `pilah-edge run` of this file runs it again.",
        )
        remove_ledger(folder / LEDGER)
        belt = sort_belt(folder / STATION, plan, truth=folder / TRUTH, items=items)
        if not left or not is_too_fast(belt.dropped, belt.frames):
            break
        _log.warning(
            f"pace: {belt.dropped} of {belt.frames} frames were lost, something else keeps this "
            "machine busy: once more, at half the speed"
        )
        plan = plan.slowed(2)
    return belt


def rehearse(station: Path) -> list[float]:
    """The seconds that each frame took, drawn and looked at, of the station of the file `station`.

    Its belt must wait for the station (`paced: false`).

    Raises:
        KeyboardInterrupt: it was stopped before it had ended.
    """
    plan, moments = read_station(station), list[float]()
    watched = _WatchedSettings(plan.config.camera, lambda _: moments.append(time.monotonic()))
    plan = replace(plan, config=plan.config.model_copy(update={"camera": watched}))
    with (
        stop_signals() as endings,
        LogLines("quiet"),
        Station(plan, endings=endings, openers=Openers(pins=_open_recorded_pins)) as running,
    ):
        tally = running.run()
    if tally.items < 1:
        raise KeyboardInterrupt
    return [after - before for before, after in itertools.pairwise(moments)]


def sort_belt(station: Path, belt: BeltPlan, *, truth: Path, items: int) -> Sorted:
    """Runs the station of the file `station` until its belt has ended.

    Args:
        belt: what the station file was written from.
        truth: the file in which the belt writes what passes.
        items: how many are to pass.

    Raises:
        KeyboardInterrupt: it was stopped before the last item; every actuator is at rest by then.
    """
    import numpy as np

    plan = read_station(station)
    newest = deque[int](maxlen=1)  # the sequence number of the last frame that came
    watched = _WatchedSettings(plan.config.camera, lambda frame: newest.append(frame.sequence))
    plan = replace(plan, config=plan.config.model_copy(update={"camera": watched}))
    deciding: dict[float, Frame] = {}  # by the capture of the last frame that was looked at
    pins = _open_recorded_pins()
    rows: list[Row] = []
    # The ledger's times are UTC, the belt's are monotonic: one offset for all, so that a clock that
    # is set meanwhile moves nothing.
    clock = _SteadyClock()
    with Progress("belt", total=items) as progress:

        def judged(outcome: Outcome) -> None:
            deciding[outcome.frame.captured] = outcome.deciding

        def show(entry: ItemSorted) -> None:
            captured = datetime.fromisoformat(entry.time).timestamp() - clock.offset
            # The ledger's time is the capture, but for the moments between two looks at the clock.
            last = min(tuple(deciding), key=lambda moment: abs(moment - captured), default=None)
            if last is not None and abs(last - captured) >= _SAME_MOMENT:
                last = None
            rows.append(Row(entry, captured, None if last is None else deciding[last]))
            progress.advance(note=f"{entry.label} to {entry.lane}")

        with (
            stop_signals() as endings,
            Station(
                plan,
                endings=endings,
                observers=[of_items(show)],
                clock=clock,
                openers=Openers(pins=lambda: pins),
                watch=Watch(judged),
            ) as running,
        ):
            tally = running.run()
    truths = list(read_ground_truth(truth))
    if len(truths) < items:
        raise KeyboardInterrupt  # a belt that fails has raised an error of its own
    latencies = np.percentile(tally.latencies_ms, (50, 95)) if tally.latencies_ms else (0, 0)
    return Sorted(
        config=plan.config,
        plan=belt,
        rows=rows,
        truths=truths,
        pins=dict(pins.factory.changes),
        dropped=tally.dropped,
        frames=newest[-1] if newest else 0,
        latencies_ms=(float(latencies[0]), float(latencies[1])),
    )


class _SteadyClock(SystemClock):
    """A clock whose wall time goes on with its monotonic one, whoever sets the machine's."""

    def __init__(self) -> None:
        self.offset = time.time() - self.now()

    def wall(self) -> float:
        return self.now() + self.offset


class _WatchedSettings:
    """A camera's settings, whose camera shows every frame to `seen` as well."""

    def __init__(self, settings: CameraSettings, seen: Callable[[Frame], None]) -> None:
        self._settings, self._seen = settings, seen

    def __getattr__(self, name: str) -> Any:
        return getattr(self._settings, name)

    def open(self, **options: Any) -> Camera:
        return _Watched(self._settings.open(**options), self._seen)


class _Watched:
    def __init__(self, camera: Camera, seen: Callable[[Frame], None]) -> None:
        self._camera, self._seen = camera, seen
        self.live = camera.live

    def __getattr__(self, name: str) -> Any:
        return getattr(self._camera, name)

    def read(self) -> Frame | UnreadableFrame | None:
        frame = self._camera.read()
        if isinstance(frame, Frame):
            self._seen(frame)
        return frame

    def close(self) -> None:
        self._camera.close()


def _open_recorded_pins() -> Pins:
    from gpiozero.pins.mock import MockFactory, MockPWMPin

    class RecordedPin(MockPWMPin):  # type: ignore[misc]
        def _change_state(self, value: float) -> bool:
            changed = bool(super()._change_state(value))
            if changed:
                gpio = int(self.info.name.removeprefix("GPIO"))
                self.factory.changes[gpio].append((time.monotonic(), float(value)))
            return changed

    factory = MockFactory(pin_class=RecordedPin)
    factory.changes = defaultdict(list)
    return Pins(factory, real=False, title="simulated, and recorded")
