"""Runs a station, as its file describes it, in a simulated world, on time that jumps."""

from __future__ import annotations

import logging
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from edge.config.lanes import Lane
from edge.config.ledger import NO_SPILL
from edge.config.reading import StationPlan
from edge.config.station import StationConfig
from edge.core.errors import HomeSwitchError
from edge.core.images.contact_sheet import thumbnail
from edge.core.images.image_file import Image
from edge.core.images.preprocess import Box
from edge.core.terminal.progress import Progress
from edge.events import Event, IncidentEnded, IncidentRaised, StationStopped, utc_text
from edge.flow import Missed
from edge.ledger.reports.reading import StateReport, microseconds, state_report
from edge.pins.pins import Pins, open_pins
from edge.runtime.service import stop_signals
from edge.simulation.account.account import Account, Settled
from edge.simulation.account.fates import LanePlace
from edge.simulation.operator import SimulatedOperator
from edge.simulation.stand_ins import StandIns
from edge.simulation.virtual_clock import VirtualClock
from edge.simulation.watching import (
    WatchedActuatorSettings,
)
from edge.simulation.world import World
from edge.sorting.loop import Watch
from edge.sorting.openers import Openers
from edge.sorting.sorter import Outcome
from edge.sorting.tally import Tally
from edge.station import Station
from edge.vision.region import Region

LEFT_OUT = ("photographs", "publish", "receiving", "codes", "scanner", "reference_picture")
"""Sections of a station file that a simulated run leaves out: they touch other machines, or what
is kept."""
_REMEMBERED = 1000
"""After so many moves the mock pins forget what they did."""
_PICTURE_SIDE = 160
"""The longer side of the pictures of items that are kept, in pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedRun:
    """What came of a run."""

    account: Account
    missed: Counter[Missed]
    """Actuations that were left out, by reason."""
    dropped: int
    """Frames that were not looked at, because a newer one was there already."""
    single_frame: int
    """Objects that were seen in a single frame only, which are no items."""
    seconds: float
    """How long it took on this machine."""
    virtual_seconds: float
    """How long it was by its own clock."""
    stopped: bool
    """Whether a signal ended it before its last item."""
    states: StateReport | None = None
    """The states of the station, from its ledger; None: there is no ledger."""
    incidents: Sequence[SeenIncident] = ()
    """Its incidents but for those that have events of their own, in the order of their begins."""


@dataclass(slots=True)
class SeenIncident:
    """An incident of a simulated station."""

    name: str
    scope: str
    begin: float
    """Seconds since the run began."""
    seconds: float | None = None
    """How long it lasted; None: it was open at the end."""


def run_station(
    plan: StationPlan,
    world: World,
    stand_ins: StandIns,
    *,
    clock: VirtualClock,
    settled: Settled | None = None,
) -> SimulatedRun:
    """Runs the station in `world` until the last item has passed, or a signal comes.

    Its ledger lies in a folder that is removed afterwards; all pins are mock pins.

    Args:
        stand_ins: stand in for parts of the station.
        clock: the clock of the run, on which nothing has happened.
        settled: is told of each item at its end, with the lane that it fell into.

    Raises:
        BundleError: the model is not as its bundle describes it.
        CameraError, PinError, LedgerError, RegionError: as of `Station`.
    """
    began, config = time.perf_counter(), plan.config
    account = Account(
        lane_places(config),
        default=config.default_lane,
        world=world,
        commit_seconds=config.ledger.commit_seconds,
        settled=settled,
    )

    def judged(outcome: Outcome) -> None:
        now = clock.now()
        picture = None if settled is None else item_picture(outcome)
        box = _in_whole_picture(outcome.box, config.region)
        world.judged(account.judge(outcome, box, now=now, picture=picture), now)
        show(account.settle(now))

    def show(settled: int) -> None:
        if settled:
            progress.advance(settled)

    def begins(lane: str, at: float) -> None:
        world.lane_moved(lane, at)
        stand_ins.contacts.lane_moved(lane, at)

    reasons: list[str] = []
    incidents: dict[str, SeenIncident] = {}
    start = clock.wall() - clock.now()

    def note(event: Event) -> None:
        if isinstance(event, StationStopped) and event.reason:
            reasons.append(event.reason)
        elif isinstance(event, IncidentRaised):
            begin = microseconds(event.time) / 1e6 - start
            incidents[event.id] = SeenIncident(event.name, event.scope, round(begin, 6))
        elif isinstance(event, IncidentEnded) and event.incident_id in incidents:
            incidents[event.incident_id].seconds = event.seconds

    pins = ForgetfulPins(clock.now, homing=stand_ins.faults.ends_station)
    with (
        tempfile.TemporaryDirectory(prefix="pilah-simulate-") as folder,
        stop_signals() as endings,
        _warnings_alone(),
        Progress("items", total=world.count) as progress,
    ):
        simulated = _simulated(config, Path(folder)).model_copy(
            update={
                "camera": stand_ins.camera,
                "trigger": stand_ins.trigger,
                "belt": stand_ins.belt,
                "stops": stand_ins.contacts.settings,
                "lanes": watched_lanes(config, account, begins, pins, clock.now),
            }
        )
        with (
            Station(
                replace(plan, config=simulated),
                endings=endings,
                observers=[account.take_row, note],
                clock=clock,
                openers=Openers(pins.open, stand_ins.ledger, stand_ins.model),
                watch=Watch(judged, account.actuated),
            ) as station,
            SimulatedOperator(station.state.answer, stand_ins.faults, clock),
        ):
            try:
                tally = station.run()
            except HomeSwitchError:
                if not stand_ins.faults.ends_station:
                    raise
                tally = Tally()  # its state and its incidents tell it
        ideal = config.ideal_items_per_minute
        states = state_report(
            simulated.ledger.path,
            dead_until=utc_text(start + world.count / world.rate),  # when all would have come
            ideal_rate=world.rate if ideal is None else ideal / 60,
        )
        show(account.close())
    seconds = time.perf_counter() - began
    return SimulatedRun(
        account,
        tally.missed,
        tally.dropped,
        tally.single_frame,
        seconds,
        clock.now(),
        bool(reasons),
        states,
        list(incidents.values()),
    )


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


def at_home(config: StationConfig) -> StationConfig:
    """The same station with motors that know where they are: no simulated switch tells them."""
    mover = config.bin
    if mover is not None and getattr(mover, "home", None) is not None:
        mover = mover.model_copy(update={"home": None})

    def lane_at_home(lane: Lane) -> Lane:
        if lane.actuator is None:
            return lane
        home = {"home": None} if getattr(lane.actuator, "home", None) is not None else {}
        actuator = lane.actuator.model_copy(update=home)
        actuator.shares(mover)
        return lane.model_copy(update={"actuator": actuator})

    lanes = {name: lane_at_home(lane) for name, lane in config.lanes.items()}
    return config.model_copy(update={"bin": mover, "lanes": lanes})


def _simulated(config: StationConfig, folder: Path) -> StationConfig:
    """The same station without what touches other machines, with a ledger in `folder`."""
    ledger = config.ledger.model_copy(update={"path": folder / "ledger.sqlite", "spill": NO_SPILL})
    return config.model_copy(update={"ledger": ledger, **dict.fromkeys(LEFT_OUT)})


def watched_lanes(
    config: StationConfig,
    account: Account,
    begins: Callable[[str, float], None],
    pins: ForgetfulPins,
    now: Callable[[], float],
) -> dict[str, Lane]:
    """The station's lanes, whose actuators tell the account of their moves.

    Args:
        begins: is told of the lane and the time when an actuator begins to divert items.
        pins: are told, too, and forget.
        now: the time by the clock of the run.
    """

    def watched(name: str, lane: Lane) -> Lane:
        if lane.actuator is None:
            return lane

        def moved(active: bool) -> None:
            pins.moved()
            at = now()
            account.lane_moved(name, at, active=active)
            if active:
                begins(name, at)

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


class ForgetfulPins:
    """Mock pins on any machine, also on a Raspberry Pi, which forget what they did long ago."""

    def __init__(self, now: Callable[[], float], *, homing: bool = False) -> None:
        self._now, self._homing, self._moves = now, homing, 0
        self._pins: Pins | None = None

    def open(self) -> Pins:
        """Opens them."""
        self._pins = open_pins(Path(os.devnull))
        self._pins.title, self._pins.clock = "simulated", self._now
        self._pins.has_pulses, self._pins.has_switches = True, self._homing
        return self._pins

    def moved(self) -> None:
        """An actuator has moved: its pins note every change. For the lanes' thread."""
        self._moves += 1
        if self._moves % _REMEMBERED == 0 and self._pins is not None:
            for pin in self._pins.factory.pins.values():
                pin.clear_states()
