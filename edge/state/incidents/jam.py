"""A jam: items are sent into a lane, and the sensor at its exit sees none of them. Pure.

One item that is not seen may have fallen off or lain in the shadow of another. Two in a row tell
that nothing passes. Time alone says nothing: an exit is expected because an actuator moved, and on
the clock that the caller gives, which should stand still while the belt does.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping

from edge.state.incidents.notice import Notice

LATE_SECONDS = 0.5
"""How much later than expected an item may come out."""
EARLY_SECONDS = 0.5
"""How much earlier it may."""
_IN_A_ROW = 2
"""So many items that are not seen, one after the other, are a jam."""


class Jams:
    """Finds the lanes out of which nothing comes that was sent into them."""

    def __init__(self, travel_seconds: Mapping[str, float]) -> None:
        """Expects nothing.

        Args:
            travel_seconds: how long an item takes from the move of the actuator to the exit, by
                lane. Lanes without a sensor are not there.
        """
        self._travel = dict(travel_seconds)
        self._expected: dict[str, deque[float]] = {lane: deque() for lane in self._travel}
        self._missing = dict.fromkeys(self._travel, 0)

    def moved(self, lane: str, at: float) -> None:
        """The actuator of `lane` moved for an item at the time `at`."""
        if lane in self._travel:
            self._expected[lane].append(at + self._travel[lane])

    def seen(self, lane: str, at: float) -> None:
        """The sensor at the exit of `lane` saw something at the time `at`."""
        expected = self._expected.get(lane)
        if expected is None:
            return
        self._missing[lane] = 0  # whatever it was: something comes through
        late = EARLY_SECONDS
        while expected and expected[0] <= at:
            late = at - expected.popleft()  # it came out now, or is not in the way
        # Of the last one before and the next one, it was the one whose time is nearer: a next one
        # that was left would count as missing, though it came.
        if expected and expected[0] - at <= min(late, EARLY_SECONDS):
            expected.popleft()

    def forget(self, lane: str) -> None:
        """Somebody cleared `lane`: nothing that was sent before is expected any more."""
        self._expected[lane].clear()
        self._missing[lane] = 0

    def forget_before(self, at: float) -> None:
        """Nothing that was sent before the time `at` is expected any more, in any lane."""
        for lane, expected in self._expected.items():
            self._missing[lane] = 0
            while expected and expected[0] < at + self._travel[lane]:
                expected.popleft()

    @property
    def next_at(self) -> float | None:
        """When the next item is too late; None: none is expected."""
        firsts = [expected[0] for expected in self._expected.values() if expected]
        return min(firsts) + LATE_SECONDS if firsts else None

    def notices(self, now: float) -> Iterator[Notice]:
        """The jams that are known at the time `now`; each is found once."""
        for lane, expected in self._expected.items():
            while expected and expected[0] + LATE_SECONDS <= now:
                at = expected.popleft()
                self._missing[lane] += 1
                if self._missing[lane] == _IN_A_ROW:
                    yield Notice("jam", True, at, lane)
