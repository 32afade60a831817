"""An encoder that is silent though the belt runs: items pass the camera, and no pulse comes. Pure.

A belt that stands gives no pulse either, and then nothing passes. One thing that passes may be a
hand; two in a row that come into view and pass its middle since the last pulse are items.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from edge.flow import Observation
from edge.state.incidents.notice import Notice

if TYPE_CHECKING:
    from edge.lanes.belt_travel import BeltTravel

NAME = "encoder_silent"
_IN_A_ROW = 2
_PULSES = 3
"""So many pulses should have come by the usual speed of the belt."""


class EncoderSilence:
    """Finds that a belt runs whose encoder gives no pulses."""

    def __init__(self, travel: BeltTravel) -> None:
        """Has seen nothing.

        Args:
            travel: the way of the belt, as its encoder tells it.
        """
        self._travel = travel
        self._first: dict[int, float] = {}
        """When the items in view came into it."""
        self._passed: set[int] = set()
        """Those that came and passed the middle since the last pulse."""
        self._pulse: float | None = None
        self._began: float | None = None
        self._found = False

    def seen(self, at: float, observations: Iterable[Observation]) -> None:
        """What is in view at the time `at`; only boxes tell that something travels."""
        if self._began is None:
            self._began = at
        boxes = [one for one in observations if one.box is not None]
        self._first = {one.item: self._first.get(one.item, at) for one in boxes}
        last = self._last_pulse()
        for one in boxes:
            first, passed = self._first[one.item], one.passed
            if passed is not None and last < first <= passed <= at:
                self._passed.add(one.item)

    def notices(self, now: float) -> Iterator[Notice]:
        """That it is silent, from its last pulse on, and that it is over with the next one."""
        last = self._last_pulse()
        if self._found:
            if not self._passed:
                self._found = False
                yield Notice(NAME, False, now)
            return
        expected = (now - last) * self._travel.metres_per_second / self._travel.pulse_metres
        if len(self._passed) >= _IN_A_ROW and expected >= _PULSES:
            self._found = True
            yield Notice(NAME, True, last)

    def _last_pulse(self) -> float:
        """When the last pulse came, or what is in view was looked at first; forgets what passed
        before."""
        pulse = self._travel.last_pulse
        if pulse != self._pulse:
            self._pulse = pulse
            self._passed.clear()
        return pulse if pulse is not None else self._began or 0.0
