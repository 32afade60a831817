"""The lanes at work: pins switched on and off at their times, by one thread that does only that."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack

from edge.lanes import Actuator
from edge.lanes.schedule import Change, Schedule, Timing


class Lanes:
    """The actuators of a station by the name of their lane, and when each is to move.

    `actuate` may be called from any thread; `run` is the body of the thread that moves them.

    Attributes:
        begun: set once `run` has put everything to rest.
    """

    def __init__(
        self,
        actuators: Mapping[str, Actuator],
        timings: Mapping[str, Timing],
        *,
        clock: Callable[[], float],
    ) -> None:
        """Moves `actuators`, which are in their safe state and stay the caller's to close."""
        self._actuators, self._clock = actuators, clock
        self._schedule = Schedule(timings)
        self._changed = threading.Condition()
        self.begun = threading.Event()
        self._draining = self._stopped = False

    @property
    def missed(self) -> int:
        """Actuations left out because the thread came to them too late."""
        with self._changed:
            return self._schedule.missed

    @property
    def idle(self) -> bool:
        """Whether nothing is planned and everything is at rest."""
        with self._changed:
            return self._schedule.idle

    @property
    def overdue_seconds(self) -> float:
        """How long the next thing to do has been due; 0 where it lies ahead."""
        with self._changed:
            next_at = self._schedule.next_at
        return 0.0 if next_at is None else max(0.0, self._clock() - next_at)

    def actuate(self, lane: str, at: float) -> None:
        """Plans to move the actuator of `lane` at the time `at`; does not wait."""
        with self._changed:
            self._schedule.add(lane, at)
            self._changed.notify()

    def retime(self, lane: str, timing: Timing) -> None:
        """Changes how long `lane` is on, from its next actuation."""
        with self._changed:
            self._schedule.retime(lane, timing)

    def run(self) -> None:
        """Moves what is due until it is told to end: from rest on, into the safe state.

        Raises:
            PinError: a pin could not be written.
        """
        with ExitStack() as at_the_end:
            for actuator in self._actuators.values():
                at_the_end.callback(actuator.safe)
            with self._changed:
                changes = self._schedule.begin(self._clock())
            self._carry_out(changes)
            self.begun.set()
            while self._wait():
                self.step()
            with self._changed:
                self._schedule.give_up()

    def step(self) -> None:
        """Moves what is due now."""
        with self._changed:
            changes = self._schedule.take_due(self._clock())
        self._carry_out(changes)

    def finish(self) -> None:
        """Lets `run` end when everything planned is done."""
        with self._changed:
            self._draining = True
            self._changed.notify()

    def stop(self) -> None:
        """Lets `run` end at once; what is planned is not done any more."""
        with self._changed:
            self._stopped = True
            self._changed.notify()

    def _carry_out(self, changes: Iterable[tuple[str, Change]]) -> None:
        for lane, change in changes:
            match change:
                case Change.ACTIVATE:
                    self._actuators[lane].activate()
                case Change.REST:
                    self._actuators[lane].rest()
                case Change.RELEASE:
                    self._actuators[lane].release()

    def _wait(self) -> bool:
        """True when something is due, False when `run` is to end."""
        with self._changed:
            while not self._stopped:
                if self._draining and self._schedule.idle:
                    return False
                next_at = self._schedule.next_at
                pause = None if next_at is None else next_at - self._clock()
                if pause is not None and pause <= 0:
                    return True
                self._changed.wait(pause)
            return False
