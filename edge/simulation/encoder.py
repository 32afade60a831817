"""The encoder of a simulated belt: a pulse each time it has gone a little farther."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

from edge.core.closing import Closing
from edge.lanes.belt_travel import BeltTravel
from edge.lanes.encoder import EncoderSettings
from edge.pins.pins import Pins
from edge.runtime.clock import Clock, ClockedThread, Flag


class SimulatedEncoderSettings:
    """Stands in for `encoder` of a belt."""

    def __init__(
        self,
        settings: EncoderSettings,
        when: Callable[[float], float],
        *,
        silent: Callable[[float], bool] = lambda moment: False,
    ) -> None:
        """Opens nothing yet.

        Args:
            when: when the belt has gone so many metres, in seconds on the clock of the run.
            silent: whether it gives no pulse at a moment, though the belt has gone farther.
        """
        self.pulses_per_metre, self._when, self._silent = settings.pulses_per_metre, when, silent

    def open(
        self, pins: Pins, travel: BeltTravel, *, clock: Clock, moved: Callable[[], None]
    ) -> SimulatedEncoder:
        """Opens the encoder; see `EncoderSettings.open`."""

        def pulse(at: float) -> None:
            if not self._silent(at):
                travel.pulse(at)
                moved()

        return SimulatedEncoder(
            (self._when(number / self.pulses_per_metre) for number in itertools.count(1)),
            clock=clock,
            pulse=pulse,
        )


class SimulatedEncoder(Closing):
    """Gives each pulse at its time, in a thread of its own; a context manager."""

    def __init__(
        self, moments: Iterator[float], *, clock: Clock, pulse: Callable[[float], None]
    ) -> None:
        """Begins.

        Args:
            moments: of the pulses, in order, without end.
            pulse: takes each at its time.
        """
        self._moments, self._pulse = moments, pulse
        self._over = Flag(clock)
        self._thread = ClockedThread("encoder", self._run, clock)
        self._thread.start()

    def close(self) -> None:
        """Ends the pulses; may be called twice."""
        self._over.set()

    def _run(self) -> None:
        for moment in self._moments:
            if self._over.wait(moment):
                return
            self._pulse(moment)
