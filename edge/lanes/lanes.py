"""The lanes at work: pins switched on and off at their times, by one thread that does only that."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack

from edge.flow import Actuated, ItemKey, Missed
from edge.lanes import Actuator
from edge.lanes.keep_alive import KeepAlive
from edge.lanes.schedule import LaneAction, Schedule, Timing
from edge.runtime import heartbeat
from edge.runtime.clock import Clock

_LOCK_SECONDS = 0.5
"""How long whoever ends a station waits for a lock that is held for microseconds."""


class Lanes:
    """The actuators of a station by the name of their lane, and when each is to move.

    `actuate` may be called from any thread; `run` is the body of the thread that moves them.

    Attributes:
        begun: set once `run` has put everything to rest.
        heartbeat: of `run`'s thread.
    """

    def __init__(
        self,
        actuators: Mapping[str, Actuator],
        timings: Mapping[str, Timing],
        *,
        clock: Clock,
        keep_alive: KeepAlive | None = None,
        report: Callable[[Actuated], None] = lambda actuated: None,
    ) -> None:
        """Moves `actuators`, which are in their safe state and stay the caller's to close.

        Args:
            keep_alive: what tells a circuit that `run` goes on; the caller's to close.
            report: takes what became of each planned actuation, once the pins are written; must
                not wait. Called from `run`'s thread; after its end, from that of `actuate`.
        """
        self._actuators, self._clock, self._report = actuators, clock, report
        self._keep_alive = keep_alive
        self.heartbeat = heartbeat.Heartbeat(clock.now)
        self._schedule = Schedule(timings)
        self._changed = clock.condition()
        self.begun = threading.Event()
        self._draining = self._stopped = self._ended = False

    @property
    def missed(self) -> Counter[Missed]:
        """Actuations that were left out, by reason."""
        return Counter(self._schedule.missed)  # no lock: `run` may hang with it

    @property
    def idle(self) -> bool:
        """Whether nothing is planned and everything is at rest."""
        with self._changed:
            return self._schedule.idle

    def actuate(self, lane: str, at: float, key: ItemKey | None = None) -> None:
        """Plans to move the actuator of `lane` at the time `at`; does not wait.

        Args:
            key: the item that it is for.
        """
        with self._changed:
            self._schedule.add(lane, at, key)
            self._changed.notify()
            ended = self._ended
        if ended:  # nobody would come to it any more
            self._give_up()

    def allow_keep_alive(self, until: float) -> None:
        """All is well: the keep-alive pin, where there is one, may go on up to the time `until`."""
        if self._keep_alive is not None:
            self._keep_alive.allow(until)

    def retime(self, lane: str, timing: Timing) -> None:
        """Changes how long `lane` is on, from its next actuation."""
        with self._changed:
            self._schedule.retime(lane, timing)

    def run(self) -> None:
        """Moves what is due until it is told to end: from rest on, into the safe state.

        Raises:
            PinError: a pin could not be written.
        """
        with self.heartbeat.working(), ExitStack() as at_the_end:
            at_the_end.callback(self._give_up)
            if self._keep_alive is not None:
                at_the_end.callback(self._keep_alive.rest)
            for actuator in self._actuators.values():
                at_the_end.callback(actuator.safe)
            with self._changed:
                changes = self._schedule.begin(self._clock.now())
            for lane, change in changes:
                self._move(lane, change)
            self.begun.set()
            while self._wait():
                self.step()

    def step(self) -> None:
        """Moves what is due now."""
        now = self._clock.now()
        with self._changed:
            changes = self._schedule.take_due(now)
            ended = self._schedule.take_ended()
        moved = 0
        try:
            for lane, change in changes:
                self._move(lane, change)
                moved += 1
        finally:
            failed = {lane for lane, change in changes[moved:] if change is LaneAction.ACTIVATE}
            for actuated in ended:
                if actuated.missed is None and actuated.lane in failed:
                    actuated = actuated._replace(missed=Missed.FAULT)
                self._report(actuated)
        # Last: where the pins of the lanes cannot be written, this one tells so.
        if self._keep_alive is not None:
            self._keep_alive.step(now)

    def finish(self) -> None:
        """Lets `run` end when everything planned is done."""
        self._draining = True
        self._wake()

    def stop(self) -> None:
        """Lets `run` end at once; what is planned is not done any more."""
        self._stopped = True
        self._wake()

    def _wake(self) -> None:
        # Whoever ends a station in which `run` hangs must not hang with it. Without this call
        # `run` looks at its next beat.
        if self._changed.acquire(timeout=_LOCK_SECONDS):
            try:
                self._changed.notify()
            finally:
                self._changed.release()

    def _move(self, lane: str, change: LaneAction) -> None:
        match change:
            case LaneAction.ACTIVATE:
                self._actuators[lane].activate()
            case LaneAction.REST:
                self._actuators[lane].rest()
            case LaneAction.RELEASE:
                self._actuators[lane].release()

    def _give_up(self) -> None:
        """What is still planned will not be done, nor what anybody plans from now on."""
        with self._changed:
            self._ended = True
            self._schedule.give_up(self._clock.now())
            ended = self._schedule.take_ended()
        for actuated in ended:
            self._report(actuated)

    def _wait(self) -> bool:
        """True when something is due, False when `run` is to end."""
        with self._changed:
            while not self._stopped:
                self.heartbeat.beat()
                if self._draining and self._schedule.idle:
                    return False
                now, due = self._clock.now(), self._next_at
                if now >= due:
                    return True
                self._clock.wait(self._changed, min(due, now + heartbeat.BEAT_SECONDS))
            return False

    @property
    def _next_at(self) -> float:
        moments = [self._schedule.next_at]
        if self._keep_alive is not None:
            moments.append(self._keep_alive.next_at)
        return min((moment for moment in moments if moment is not None), default=float("inf"))
