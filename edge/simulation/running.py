"""Runs a station, as its file describes it, in a simulated world, on time that jumps."""

from __future__ import annotations

import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from edge.config.lanes import Lane
from edge.config.ledger import NO_SPILL
from edge.config.reading import StationPlan
from edge.config.station import StationConfig
from edge.core.images.contact_sheet import thumbnail
from edge.core.images.image_file import Image
from edge.core.images.preprocess import Box
from edge.core.terminal.progress import Progress
from edge.events import Event, StationStopped
from edge.flow import Frame
from edge.ledger.opening import open_ledger
from edge.ledger.rows import Writable
from edge.outbox.retention import Keep
from edge.pins.pins import Pins, open_pins
from edge.runtime.clock import Clock, Flag
from edge.runtime.service import stop_signals
from edge.simulation.account.account import Account, Settled
from edge.simulation.account.fates import LanePlace
from edge.simulation.account.spread import Spread
from edge.simulation.faults.table import Faults
from edge.simulation.virtual_clock import VirtualClock
from edge.simulation.watching import (
    WatchedActuatorSettings,
    WatchedClassifier,
    WatchedLedger,
    WatchedTriggerSettings,
)
from edge.simulation.world import World
from edge.simulation.world.camera import SimulatedCameraSettings
from edge.sorting.model import ActiveModel, open_model
from edge.sorting.openers import Openers
from edge.sorting.sorter import Outcome
from edge.sorting.tally import Tally
from edge.station import Station
from edge.vision.region import Region

LEFT_OUT = ("photographs", "publish", "receiving", "codes", "scanner")
"""Sections of a station file that a simulated run leaves out: they touch other machines, or what
is kept."""
_PICTURE_SIDE = 160
"""The longer side of the pictures of items that are kept, in pixels."""


@dataclass(slots=True)
class MachineTimes:
    """How long the stages took on this machine: all that may differ from run to run."""

    trigger_ms: Spread
    model_ms: Spread
    seconds: float = 0.0
    """The whole run."""


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedRun:
    """What came of a run."""

    account: Account
    tally: Tally
    frames: int
    """Frames that the station looked at."""
    frame_age_ms: Spread
    """From the capture of a frame to the station's look at it."""
    machine: MachineTimes
    virtual_seconds: float
    """How long it was by its own clock."""
    stopped: bool
    """Whether a signal ended it before its last item."""


def run_station(
    plan: StationPlan, world: World, faults: Faults, *, settled: Settled | None = None
) -> SimulatedRun:
    """Runs the station in `world` with `faults` until the last item has passed, or a signal comes.

    The ledger is written in a folder that is removed afterwards; all pins are mock pins.

    Args:
        settled: is told of each item at its end, with the lane that it fell into.

    Raises:
        BundleError: the model is not as its bundle describes it.
        CameraError, PinError, LedgerError, RegionError: as of `Station`.
    """
    began, clock = time.perf_counter(), VirtualClock()
    config = plan.config
    account = Account(
        lane_places(config),
        default=config.default_lane,
        world=world,
        commit_seconds=config.ledger.commit_seconds,
        settled=settled,
    )
    machine = MachineTimes(Spread(step=0.001), Spread(step=0.001))
    ages, frames = Spread(), 0

    def seen(frame: Frame) -> None:
        nonlocal frames
        frames += 1
        ages.add(1000 * (clock.now() - frame.captured))

    def watch(outcome: Outcome) -> None:
        now = clock.now()
        picture = None if settled is None else item_picture(outcome)
        box = _in_whole_picture(outcome.box, config.region)
        world.judged(account.judge(outcome, box, now=now, picture=picture), now)
        account.settle(now)
        progress.advance()

    reasons: list[str] = []

    def note_end(event: Event) -> None:
        if isinstance(event, StationStopped) and event.reason:
            reasons.append(event.reason)

    def timed_model(plan: StationPlan) -> ActiveModel:
        model = open_model(plan)
        watched = WatchedClassifier(
            model.classifier,
            took=lambda seconds: machine.model_ms.add(1000 * seconds),
            wait=lambda: _pass_time(clock, faults.inference_seconds(clock.now())),
        )
        # The time of an inference is that of the run's clock, not of this machine's.
        usual = faults.usual_inference_seconds
        return replace(model, classifier=watched, inference_seconds=usual)

    def slow_ledger(path: Path, *, keep: Keep | None) -> Writable:
        return WatchedLedger(
            open_ledger(path, keep=keep),
            wait=lambda: _pass_time(clock, faults.write_seconds(clock.now())),
        )

    with (
        tempfile.TemporaryDirectory(prefix="pilah-simulate-") as folder,
        stop_signals() as endings,
        _warnings_alone(),
        Progress("items", total=world.count) as progress,
    ):
        simulated = _simulated(config, Path(folder)).model_copy(
            update={
                "camera": SimulatedCameraSettings(world, clock, faults),
                "trigger": WatchedTriggerSettings(
                    config.trigger,
                    seen=seen,
                    took=lambda seconds: machine.trigger_ms.add(1000 * seconds),
                ),
                "lanes": _watched_lanes(config, account, world, clock.now),
            }
        )
        with Station(
            replace(plan, config=simulated),
            endings=endings,
            observers=[account.take_row, note_end],
            clock=clock,
            openers=Openers(
                pins=lambda: _mock_pins(clock.now), ledger=slow_ledger, model=timed_model
            ),
            watch=watch,
        ) as station:
            tally = station.run()
    account.close()
    machine.seconds = time.perf_counter() - began
    return SimulatedRun(account, tally, frames, ages, machine, clock.now(), bool(reasons))


def lane_places(config: StationConfig) -> list[LanePlace]:
    """The station's lanes, as the account needs them."""
    return [
        LanePlace(
            name,
            tuple(lane.labels),
            None if lane.actuator is None else lane.actuator.hold_seconds,
            None if lane.actuator is None else config.delay_seconds(lane),
        )
        for name, lane in config.lanes.items()
    ]


def item_picture(outcome: Outcome) -> Image:
    """The item with a little of what is around it, in the frame that was classified last."""
    image, box = outcome.frame.image, outcome.box
    height, width = image.shape[:2]
    if box is not None:
        room = round(0.1 * max(box.width, box.height))
        left, top = max(0, box.left - room), max(0, box.top - room)
        right, bottom = box.left + box.width + room, box.top + box.height + room
        image = image[top : min(bottom, height), left : min(right, width)]
    return thumbnail(image, side=_PICTURE_SIDE).copy()


def _in_whole_picture(box: Box | None, region: Region | None) -> Box | None:
    if box is None or region is None:
        return box
    return box._replace(left=box.left + region.left, top=box.top + region.top)


def _simulated(config: StationConfig, folder: Path) -> StationConfig:
    """The same station without what touches other machines, with a ledger in `folder`."""
    ledger = config.ledger.model_copy(update={"path": folder / "ledger.sqlite", "spill": NO_SPILL})
    return config.model_copy(update={"ledger": ledger, **dict.fromkeys(LEFT_OUT)})


def _watched_lanes(
    config: StationConfig, account: Account, world: World, now: Callable[[], float]
) -> dict[str, Lane]:
    def watched(name: str, lane: Lane) -> Lane:
        if lane.actuator is None:
            return lane

        def moved(active: bool) -> None:
            at = now()
            account.lane_moved(name, at, active=active)
            if active:
                world.lane_moved(name, at)

        return lane.model_copy(update={"actuator": WatchedActuatorSettings(lane.actuator, moved)})

    return {name: watched(name, lane) for name, lane in config.lanes.items()}


@contextmanager
def _warnings_alone() -> Iterator[None]:
    """Of the station, only warnings are logged, unless details are."""
    ours, progress = logging.getLogger("edge"), logging.getLogger(Progress.__module__)
    before = ours.level, progress.level
    if ours.isEnabledFor(logging.INFO) and not ours.isEnabledFor(logging.DEBUG):
        ours.setLevel(logging.WARNING)
        progress.setLevel(logging.INFO)
    try:
        yield
    finally:
        ours.setLevel(before[0])
        progress.setLevel(before[1])


def _pass_time(clock: Clock, seconds: float) -> None:
    """Lets the calling thread be busy for so long on the clock of the run."""
    if seconds > 0:
        Flag(clock).wait(clock.now() + seconds)


def _mock_pins(now: Callable[[], float]) -> Pins:
    """Mock pins on any machine, also on a Raspberry Pi whose lanes are real."""
    pins = open_pins(Path(os.devnull))
    pins.title, pins.clock = "simulated", now
    return pins
