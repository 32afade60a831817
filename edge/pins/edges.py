"""Pins whose changes are noted as they happen, with the kernel's time of each."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Annotated

from pydantic import Field

from edge.pins.inputs import Input, InputKeys
from edge.pins.pins import Pins, pin_errors
from edge.runtime.clock import Clock

_BELIEVABLE_SECONDS = 10.0
"""The age up to which the kernel's time of an edge is believed; one that is older is of another
clock."""
_MOST = 10_000
"""The most edges that wait: a wire that flutters must not use up memory."""


class EdgeSettings(InputKeys):
    """A pin whose changes count."""

    debounce_seconds: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="what is shorter than this is a bounce of the contact or a disturbance, "
            "and no signal; so is a gap that is shorter",
        ),
    ] = 0.005


class Debounce:
    """Which edges of a pin are the beginning of a signal. Pure.

    A signal begins with its first edge, and counts once it has lasted for long enough.
    """

    def __init__(self, shortest: float) -> None:
        """Is inactive.

        Args:
            shortest: seconds below which a signal, or a gap between two, does not count.
        """
        self._shortest = shortest
        self._began: float | None = None
        self._counted = False
        self._ended = float("-inf")
        self._found: list[float] = []

    def edge(self, at: float, *, active: bool) -> None:
        """Takes a change of the pin, in the order in which they happened."""
        if active and self._began is None:
            # After a gap that is too short it is the same signal.
            self._counted = self._counted and at - self._ended < self._shortest
            self._began = at
        elif not active and self._began is not None:
            self._count(at)
            self._began, self._ended = None, at

    def take(self, now: float) -> list[float]:
        """When the signals began that are sure since the last call, in order."""
        self._count(now)
        found, self._found = self._found, []
        return found

    def _count(self, now: float) -> None:
        began = self._began
        if began is not None and not self._counted and now - began >= self._shortest:
            self._counted = True
            self._found.append(began)


class EdgeInput:
    """A pin of which every signal is told once, with the time at which it began."""

    def __init__(self, settings: EdgeSettings, pins: Pins, *, clock: Clock) -> None:
        """Claims the pin. A signal that lasts already is none.

        Raises:
            PinError: the pin cannot be used.
        """
        self._input, self._clock = Input(settings, pins), clock
        self._active_high = settings.active_high
        self._edges: deque[tuple[float, bool]] = deque(maxlen=_MOST)
        self._debounce = Debounce(settings.debounce_seconds)
        try:
            with pin_errors(settings.pin):
                self._input.device.pin.when_changed = self._changed
        except BaseException:
            self._input.close()
            raise

    def take(self, now: float) -> Sequence[float]:
        """When the signals began that are sure since the last call, on the station's clock."""
        while self._edges:
            at, active = self._edges.popleft()
            self._debounce.edge(at, active=active)
        return self._debounce.take(now)

    def close(self) -> None:
        """Frees the pin; may be called twice."""
        if not self._input.device.closed:
            self._input.device.pin.when_changed = None
        self._input.close()

    def _changed(self, ticks: float, state: int) -> None:
        """Is called by the thread of the pins' library."""
        active = bool(state) == self._active_high
        self._edges.append((_station_time(ticks, self._clock), active))


class PulseInput:
    """A pin each of whose pulses is told at once."""

    def __init__(
        self, settings: InputKeys, pins: Pins, *, clock: Clock, pulse: Callable[[float], None]
    ) -> None:
        """Claims the pin.

        Args:
            pulse: called with the time of each pulse by the thread of the pins' library; must not
                wait.

        Raises:
            PinError: the pin cannot be used.
        """
        self._input, self._clock, self._pulse = Input(settings, pins), clock, pulse
        self._active_high = settings.active_high
        try:
            with pin_errors(settings.pin):
                self._input.device.pin.when_changed = self._changed
        except BaseException:
            self._input.close()
            raise

    def close(self) -> None:
        """Frees the pin; may be called twice."""
        if not self._input.device.closed:
            self._input.device.pin.when_changed = None
        self._input.close()

    def _changed(self, ticks: float, state: int) -> None:
        if bool(state) == self._active_high:
            self._pulse(_station_time(ticks, self._clock))


def _station_time(ticks: float, clock: Clock) -> float:
    """The time of an edge on the station's clock.

    Kernels give it on the monotonic clock, older ones on that of the day; what is neither, or of a
    clock that was set, is told by when it arrives.
    """
    now, wall = clock.now(), clock.wall()
    for age in (now - ticks, wall - ticks):
        if 0 <= age < _BELIEVABLE_SECONDS:
            return now - age
    return now
