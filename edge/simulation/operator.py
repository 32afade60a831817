"""Whoever looks after a simulated station: pauses it, and clears what is mended."""

from __future__ import annotations

from collections.abc import Callable

from edge.control.messages import ControlAnswer, ControlCommand, ControlRequest
from edge.runtime.clock import Clock, ClockedThread, Flag
from edge.simulation.faults.table import Faults
from edge.state.stops import PAUSED

_LOOK_SECONDS = 0.1
WHO = "simulated operator"


class SimulatedOperator:
    """Looks at a station again and again, in a thread of its own; a context manager."""

    def __init__(
        self, ask: Callable[[ControlRequest], ControlAnswer], faults: Faults, clock: Clock
    ) -> None:
        """Has done nothing.

        Args:
            ask: asks the station for something.
            faults: what is the matter with it.
            clock: that of the run.
        """
        self._ask, self._faults, self._clock = ask, faults, clock
        self._over = Flag(clock)
        self._thread = ClockedThread("operator", self._run, clock)

    def __enter__(self) -> SimulatedOperator:
        if self._faults.needs_an_operator:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._faults.needs_an_operator:
            self._thread.join()

    def look(self) -> None:
        """Does what is to be done now."""
        now = self._clock.now()
        found = self._does(ControlCommand.STATE).state
        if found["state"] == "Aborted" and not self._faults.is_pressed(now):
            if self._does(ControlCommand.CLEAR).ok:  # refused while the button bounces
                self._does(ControlCommand.RESET)
                self._does(ControlCommand.RESUME)
        elif found["state"] == "Execute":
            if self._faults.is_paused(now):
                self._does(ControlCommand.PAUSE)
        elif found.get("reason") == PAUSED:
            if not self._faults.is_paused(now):
                self._does(ControlCommand.RESUME)
        elif found.get("reason") == "jam":
            lane = str(found.get("scope", ""))
            if not self._faults.is_jammed(lane, now):
                self._does(ControlCommand.RESET)

    def _does(self, command: ControlCommand) -> ControlAnswer:
        return self._ask(ControlRequest(command, WHO))

    def _run(self) -> None:
        while not self._over.wait(self._clock.now() + _LOOK_SECONDS):
            self.look()
