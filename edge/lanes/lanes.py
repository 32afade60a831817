"""The lanes in operation: a thread of their own switches the pins on and off on schedule."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING

from edge.flow import Actuated, ItemKey, Missed
from edge.lanes import Actuator, TimedActuator, by_hand
from edge.lanes.keep_alive import KeepAlive
from edge.lanes.motion.profile import LONGEST_TRAVEL
from edge.lanes.schedule import LaneAction, Schedule, Timing
from edge.runtime import heartbeat
from edge.runtime.clock import Clock

if TYPE_CHECKING:
    from edge.lanes.belt_travel import BeltTravel

_WAY_BACK_SECONDS = LONGEST_TRAVEL + 0.3
"""How long motors may take to turn back at the end; the supervisor waits for 4.2 s."""
_WAITING = 3
"""So many items on a belt without a pulse are worth an incident."""
_LOCK_SECONDS = 0.5
"""How long `finish` and `stop` wait for a lock that is normally held for microseconds."""


class Lanes:
    """The actuators of a station by the name of their lane, with the schedule of their moves.

    `actuate` may be called from any thread; `run` is the body of the thread that moves them.

    Attributes:
        begun: set when `run` has put every actuator at rest.
        belt_stands: whether the belt's encoder gave no pulse for long though items wait for it; it
            is so until the next pulse.
        held: whether everything stays at rest, and what is planned is left out.
        by_hand: whether `move_by_hand` moves something though everything else is held.
        full: the lanes that take no more items; other threads replace it.
        heartbeat: the heartbeat of the thread of `run`.
        moves: called by the thread of `run` with the lane of each move for an item, as it begins;
            must not wait. The station's state replaces it.
        travel: the way of the belt; None: it has no encoder.
    """

    def __init__(
        self,
        actuators: Mapping[str, Actuator],
        timings: Mapping[str, Timing],
        *,
        clock: Clock,
        keep_alive: KeepAlive | None = None,
        travel: BeltTravel | None = None,
        report: Callable[[Actuated], None] = lambda actuated: None,
    ) -> None:
        """Takes the actuators, which are in their safe state; the caller closes them.

        Args:
            actuators: the actuators by the name of their lane.
            timings: the on-times of each, by the same names.
            clock: the time by which they move.
            keep_alive: the pin that shows a circuit that `run` works; the caller closes it.
            travel: the way of the belt, where it has an encoder.
            report: called with the outcome of each planned actuation after the pins are written,
                and where it moved for an item, once that has come by; must not wait. It is called
                from the thread of `run`; after the end of `run`, from the thread of `actuate`.
        """
        self._actuators, self._clock = actuators, clock
        self._report = report
        self.moves: Callable[[str], None] = lambda lane: None
        self._timed = [one for one in actuators.values() if isinstance(one, TimedActuator)]
        self._keep_alive, self.travel = keep_alive, travel
        self.heartbeat = heartbeat.Heartbeat(clock.now)
        self._schedule = Schedule(timings)
        self._changed = clock.condition()
        self.begun = threading.Event()
        self._cut = self._lost = self.belt_stands = False
        self._supplied = True
        self._draining = self._stopped = self._ended = self.held = self.by_hand = False
        self.full: frozenset[str] = frozenset()

    @property
    def missed(self) -> Counter[Missed]:
        """The number of actuations that were left out, by reason."""
        return Counter(self._schedule.missed)  # no lock: `run` may hang with it

    @property
    def idle(self) -> bool:
        """Whether nothing is planned and everything is at rest."""
        with self._changed:
            return self._idle

    def actuate(
        self, lane: str, at: float, key: ItemKey | None = None, *, metres: float | None = None
    ) -> None:
        """Plans to move the actuator of `lane` at the time `at`; does not wait.

        Args:
            key: the item for which it moves; None if there is none.
            metres: where the belt must be for it, by `travel`, instead of `at`, which is an
                estimate then; None: the time counts.
        """
        with self._changed:
            self._schedule.add(lane, at, key, metres=metres)
            if self.held:
                self._schedule.hold(self._clock.now(), by_hand=self.by_hand)
            self._changed.notify()
            ended = self._ended
        if ended:  # `run` would not move it any more
            self._cancel_all()

    def replan(self, key: ItemKey, at: float, *, metres: float | None = None) -> None:
        """Changes the `at` or `metres` of `actuate` for an item for which nothing has moved yet."""
        with self._changed:
            if self._schedule.replan(key, at, metres=metres):
                self._changed.notify()

    def belt_moved(self) -> None:
        """Lets `run` look where the belt is; any thread may call it."""
        with self._changed:
            self._changed.notify()

    def signal(self, lane: str | None) -> None:
        """Plans to move the actuator of `lane`, a lamp or a buzzer, at once; None: there is none.
        Does not wait."""
        if lane is not None:
            self.actuate(lane, self._clock.now())

    def hold(self) -> None:
        """Puts everything at rest, and leaves out what is planned, until `go_on`; does not wait."""
        self.held, self.by_hand = True, False
        # As in `_wake`. Where `run` hangs, `step` does the same before it moves anything.
        if self._changed.acquire(timeout=_LOCK_SECONDS):
            try:
                self._schedule.hold(self._clock.now())
                self._changed.notify()
            finally:
                self._changed.release()

    def allow_by_hand(self) -> None:
        """Lets `move_by_hand` move what is held, until `hold` or `go_on`; does not wait.

        A motor that looks for its home switch stops: somebody may reach into the machine.
        """
        self.by_hand = self._supplied = True
        if not self.ready:
            self._cut = self._lost = True
            self._wake()

    def move_by_hand(self, lane: str, seconds: float | None = None) -> float:
        """Moves the actuator of `lane` once, at once; does not wait.

        Args:
            seconds: for how long it is active; None: its hold time.

        Returns:
            For how long it will be active, in seconds.

        Raises:
            ControlRefusedError: it may not move now, not at all or not for so long.
        """
        wanted = by_hand.seconds_by_hand(self._schedule.timings, lane, seconds)
        actuator = self._actuators[lane]
        if not self._changed.acquire(timeout=_LOCK_SECONDS):
            raise by_hand.hangs()
        try:
            if not self.by_hand or self._ended or self._stopped:
                raise by_hand.not_now()
            if actuator in self._timed and (self._cut or not self.ready):
                self._cut = False
                motors = [one for one, device in self._actuators.items() if device in self._timed]
                raise by_hand.looks_for_home(lane, motors)
            now = self._clock.now()
            if not self._schedule.stands(lane, now, wanted):
                raise by_hand.cools(lane)
            self._schedule.add_by_hand(lane, now, wanted)
        finally:
            self._changed.notify()
            self._changed.release()
        return wanted

    def go_on(self) -> None:
        """Moves again what is planned from now on; does not wait.

        After `cut_off`, motors look for their home switches first.
        """
        self.held = self.by_hand = self._cut = False
        self._supplied = True
        self._wake()

    def cut_off(self) -> None:
        """The supply of the actuators was cut, by an emergency stop: motors take no step until
        `go_on`, and where they stand is not known then. Until then the keep-alive pin stays low, so
        that a button that is released gives nothing its supply. Does not wait."""
        self._cut, self._lost, self._supplied = True, True, False
        self._wake()

    def allow_keep_alive(self, until: float) -> None:
        """Lets the keep-alive pin, if there is one, change its level up to the time `until`."""
        if self._keep_alive is not None:
            self._keep_alive.allow(until)

    def retime(self, lane: str, timing: Timing) -> None:
        """Changes the on-times of `lane`, from its next actuation on."""
        with self._changed:
            self._schedule.retime(lane, timing)

    def run(self) -> None:
        """Puts all actuators at rest, moves each on schedule, and ends with all in the safe state.

        It runs until `finish` or `stop` is called.

        Raises:
            PinError: a pin could not be written.
        """
        with self.heartbeat.working(), ExitStack() as at_the_end:
            at_the_end.callback(self._cancel_all)
            at_the_end.callback(self._lose_positions)  # or a motor would turn back as it is closed
            if self._keep_alive is not None:
                at_the_end.callback(self._keep_alive.rest)
            for actuator in self._actuators.values():
                at_the_end.callback(actuator.safe)
            self.begin()
            while not self.ready and self._wait():
                self.step()
            self.begun.set()
            while self._wait():
                self.step()
            self._come_to_rest()

    def begin(self) -> None:
        """Puts every actuator at rest: what `run` does first."""
        with self._changed:
            changes = self._schedule.begin(self._clock.now())
        for lane, change in changes:
            self._move(lane, change)

    def step(self) -> None:
        """Carries out all actions that are due now."""
        now = self._clock.now()
        with self._changed:
            self._reach(now)
            if self.held:
                self._schedule.hold(now, by_hand=self.by_hand)
            if not self.ready:  # a motor looks for its home switch, and would go elsewhere
                self._schedule.miss_due(now, Missed.NOT_READY)
            changes = self._schedule.take_due(now)
            begun = self._schedule.take_begun()
        moved = 0
        try:
            for lane, change in changes:
                self._move(lane, change)
                moved += 1
        finally:
            failed = {lane for lane, change in changes[moved:] if change is LaneAction.ACTIVATE}
            with self._changed:
                for lane in failed:
                    self._schedule.fail(lane, now)
                ended = self._schedule.take_ended()
            for actuated in ended:
                self._report(actuated)
            for lane in begun:
                if lane not in failed:
                    self.moves(lane)
        self._step_timed()
        # Last: if a lane's pin cannot be written, the keep-alive pin stops changing too.
        if self._keep_alive is not None:
            self._keep_alive.step(now) if self._supplied else self._keep_alive.rest()

    @property
    def ready(self) -> bool:
        """Whether no motor must look for its home switch before it moves for items."""
        return not self._lost and all(actuator.ready for actuator in self._timed)

    @property
    def _idle(self) -> bool:
        # What waits for a belt that stands may wait for ever.
        stands = self.travel is not None and self.travel.stands(self._clock.now())
        idle = self._schedule.idle_but_belt if stands else self._schedule.idle
        moves = not self._cut and any(actuator.next_at is not None for actuator in self._timed)
        return idle and not moves

    def _lose_positions(self) -> None:
        if self._lost:
            self._lost = False
            for actuator in self._timed:
                actuator.lose_position()

    def _step_timed(self) -> None:
        self._lose_positions()
        if self._cut:
            return
        for actuator in self._timed:
            due = actuator.next_at
            if due is not None and due <= (now := self._clock.now()):
                actuator.step(now)

    def _come_to_rest(self) -> None:
        """Makes all safe at once, then ends the moves that take many steps.

        Motors turn back together and without a jerk, and nothing else waits for them.
        """
        if not self._timed:
            return
        for actuator in reversed(list(self._actuators.values())):  # a bus, which may hang, is last
            if not isinstance(actuator, TimedActuator) or actuator.ready:
                actuator.safe()
        until = self._clock.now() + _WAY_BACK_SECONDS
        while not self._cut and (due := self._next_step) is not None:
            if (now := self._clock.now()) >= until:
                break
            self.heartbeat.beat()
            if now < due:
                with self._changed:
                    self._clock.wait(self._changed, min(due, now + heartbeat.BEAT_SECONDS))
            else:
                self._step_timed()
            if self._keep_alive is not None:  # without their supply they would not turn back
                self._keep_alive.step(now)

    @property
    def _next_step(self) -> float | None:
        dues = (actuator.next_at for actuator in self._timed if actuator.ready)
        return min((due for due in dues if due is not None), default=None)

    def finish(self) -> None:
        """Lets `run` end when all planned actuations are done."""
        self._draining = True
        self._wake()

    def stop(self) -> None:
        """Lets `run` end at once; planned actuations are left out."""
        self._stopped = True
        self._wake()

    def _wake(self) -> None:
        # The thread that ends a station must not hang because `run` hangs. Without this
        # notification `run` notices at its next heartbeat.
        if self._changed.acquire(timeout=_LOCK_SECONDS):
            try:
                self._changed.notify()
            finally:
                self._changed.release()

    def _reach(self, now: float) -> None:
        if self.travel is None:
            return
        self._schedule.reach(self.travel, now)
        waited_for = self.belt_stands or self._schedule.on_belt >= _WAITING
        self.belt_stands = waited_for and self.travel.stands(now)

    def _move(self, lane: str, change: LaneAction) -> None:
        match change:
            case LaneAction.ACTIVATE:
                self._actuators[lane].activate()
            case LaneAction.REST:
                self._actuators[lane].rest()
            case LaneAction.RELEASE:
                self._actuators[lane].release()

    def _cancel_all(self) -> None:
        """Leaves out all planned actuations, and those that are planned from now on."""
        with self._changed:
            self._ended = True
            self._schedule.cancel_all(self._clock.now())
            ended = self._schedule.take_ended()
        for actuated in ended:
            self._report(actuated)

    def _wait(self) -> bool:
        """Waits until an action is due; returns False if `run` is to end instead."""
        with self._changed:
            while not self._stopped:
                self.heartbeat.beat()
                if self._draining and self._idle:
                    return False
                now = self._clock.now()
                self._reach(now)
                due = self.next_at
                if now >= due or self._schedule.has_ended:
                    return True
                self._clock.wait(self._changed, min(due, now + heartbeat.BEAT_SECONDS))
            return False

    @property
    def next_at(self) -> float:
        """When `step` is due next, in seconds on the clock; infinite: nothing is planned."""
        moments = [self._schedule.next_at]
        if self._keep_alive is not None and self._supplied:
            moments.append(self._keep_alive.next_at)
        if self._lost:
            moments.append(float("-inf"))
        if not self._cut:
            moments.extend(actuator.next_at for actuator in self._timed)
        return min((moment for moment in moments if moment is not None), default=float("inf"))
