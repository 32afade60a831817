"""Runs the deciding and the moving of a station on recorded scores, in one thread.

The sorter, the dispatch and the lanes are the real ones, called in the order of time. There are no
threads, pictures or ledger, so that a million items take minutes.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from queue import SimpleQueue

import numpy as np

from edge.config.reading import StationPlan
from edge.core.images.preprocess import Box
from edge.core.terminal.progress import Progress
from edge.events import Event, Stamps
from edge.flow import NO_CODE, CodeFound, Frame, ItemKey
from edge.lanes.lanes import Lanes
from edge.lanes.opening import open_lanes
from edge.runtime.clock import T
from edge.simulation.account.account import Account
from edge.simulation.faults.table import Faults
from edge.simulation.running import ForgetfulPins, SimulatedRun, lane_places, watched_lanes
from edge.simulation.stand_ins import RunTimes
from edge.simulation.world.scored import VIEW, ScoredTriggerSettings, ScoredWorld
from edge.sorting.dispatch import Dispatch
from edge.sorting.loop import Watch
from edge.sorting.openers import Openers
from edge.sorting.opening import open_sorter
from edge.sorting.picture_uses import CodeLook, PictureUses
from edge.sorting.sorter import Outcome, Sorter
from edge.sorting.tally import Tally

_WALL = 1_767_225_600.0
"""2026-01-01T00:00:00Z, the time of day at which a run begins."""


def run_scored(
    plan: StationPlan, world: ScoredWorld, faults: Faults, *, times: RunTimes
) -> SimulatedRun:
    """Lets all items of `world` pass.

    Args:
        faults: how long inferences take.
        times: is given the age of each frame.

    Raises:
        PinError: a pin cannot be used.
    """
    began, config, clock = time.perf_counter(), plan.config, SteppedClock()
    account = Account(
        lane_places(config), default=config.default_lane, world=world, commit_seconds=0.0
    )
    watch = Watch(actuated=account.actuated)
    pins, tally, frames = ForgetfulPins(clock.now), Tally(), _Frames(world)
    lanes_of = watched_lanes(config, account, world.lane_moved, pins, clock.now)
    trigger = ScoredTriggerSettings(world)
    # Nothing gives pulses, and the belt's speed does not change.
    belt = None if config.belt is None else config.belt.model_copy(update={"encoder": None})
    config = config.model_copy(
        update={"lanes": lanes_of, "trigger": trigger, "region": None, "belt": belt}
    )
    plan = replace(plan, config=config)
    with Progress("items", total=world.count) as progress, ExitStack() as parts:
        parts.callback(lambda: progress.advance(account.close()))  # after all else is closed
        lanes = open_lanes(
            {name: lane.actuator for name, lane in lanes_of.items() if lane.actuator},
            None,
            pins=pins.open,
            parts=parts,
            clock=clock,
            report=watch.before(lambda ended: dispatch.note(ended)),
        )
        clock.lanes = lanes

        def wait() -> None:
            if seconds := faults.inference_seconds(clock.now()):
                clock.pass_until(clock.now() + seconds)

        model = world.open_model(wait=wait)
        openers = Openers(pins=pins.open, model=lambda _: model)
        sorter = open_sorter(plan, openers, clock, lambda: None, parts=parts)
        dispatch = Dispatch(
            plan,
            lanes=lanes,
            recorder=_Rows(account),
            tally=tally,
            stamps=Stamps(config.station, clock.wall),
            clock=clock,
            pictures=PictureUses(codes=_NoCodes()),
        )

        def watched(outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
            for outcome in outcomes:
                account.judge(outcome, outcome.box, now=clock.now())
                yield outcome
                if settled := account.settle(clock.now()):
                    progress.advance(settled)

        lanes.begin()
        while (frame := frames.take(clock, _closing(sorter))) is not None:
            if isinstance(frame, Frame):
                times.frame_age_ms.add(1000 * (clock.now() - frame.captured))
                dispatch.carry_out(watched(sorter.look(frame)))
            else:
                dispatch.carry_out(watched(sorter.close_due()))
            dispatch.correct(sorter.passing)
        dispatch.carry_out(watched(sorter.end()))
        while (due := lanes.next_at) < math.inf:
            clock.pass_until(due)
    return SimulatedRun(
        account,
        missed=tally.missed + lanes.missed,
        dropped=frames.dropped,
        single_frame=sorter.single_frame,
        seconds=time.perf_counter() - began,
        virtual_seconds=clock.now(),
        stopped=False,
    )


def _closing(sorter: Sorter) -> float:
    closing = sorter.next_closing
    return math.inf if closing is None else closing


class SteppedClock:
    """A clock that one thread moves on, and that has the lanes move when they are due."""

    def __init__(self) -> None:
        self._now = 0.0
        self.lanes: Lanes | None = None

    def now(self) -> float:
        """See Clock."""
        return self._now

    def wall(self) -> float:
        """See Clock."""
        return _WALL + self._now

    def pass_until(self, moment: float) -> None:
        """Moves on to `moment`; what the lanes are to do by then, they do at its time."""
        lanes = self.lanes
        while lanes is not None and (due := lanes.next_at) <= moment:
            self._now = max(self._now, due)
            lanes.step()
        self._now = max(self._now, moment)

    def condition(self) -> threading.Condition:
        """See Clock: nobody waits on it."""
        return threading.Condition()

    def wait(self, condition: threading.Condition, until: float) -> None:
        """See Clock.

        Raises:
            NotImplementedError: always; there is nobody to wait for.
        """
        raise NotImplementedError("there is one thread")

    def get(self, queue: SimpleQueue[T], until: float) -> T:
        """See Clock.

        Raises:
            NotImplementedError: always; there is nobody to wait for.
        """
        raise NotImplementedError("there is one thread")

    def enter(self) -> None:
        """See Clock."""

    def leave(self) -> None:
        """See Clock."""


class _Frames:
    """The frames of a world, of which the newest is taken when the station has been busy."""

    def __init__(self, world: ScoredWorld) -> None:
        self._world, self._image = world, np.broadcast_to(np.zeros(3, np.uint8), (VIEW, VIEW, 3))
        self._next = world.next_frame()
        self._sequence = self.dropped = 0

    def take(self, clock: SteppedClock, closing: float) -> Frame | bool | None:
        """The next frame, at its time or later; True: a vote is to be closed before it; None: there
        are no more.
        """
        if self._next is None:
            return None
        if closing < self._next and closing > clock.now():
            clock.pass_until(closing)
            return True
        captured = self._next
        following = self._world.next_frame()
        while following is not None and following <= clock.now():
            captured, following = following, self._world.next_frame()
            self.dropped += 1
        self._next = following
        self._sequence += 1
        clock.pass_until(captured)
        return Frame(self._image, captured, self._sequence)


class _Rows:
    """Takes the events of the station as written at once."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def offer(self, event: Event) -> None:
        """See EventSink."""
        self._account.take_row(event)


class _NoCodes:
    """Looks for no codes, as there are no pictures."""

    wait_seconds = 0.0
    scan_waits = False

    def expect(self, key: ItemKey, frame: Frame, *, alone: bool) -> None:
        """See ItemCodes."""

    def scanned(self, key: ItemKey) -> CodeFound:
        """See ItemCodes."""
        return NO_CODE

    def look(self, key: ItemKey, frame: Frame, box: Box | None) -> CodeLook | None:
        """See ItemCodes."""
        return None
