"""How far a belt has gone, by the pulses of its encoder, and when it will be somewhere. Pure."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import deque

_KEPT = 20_000
"""The most pulses whose times are known: those of an item that passed longer ago are gone."""
_RECENT = 8
"""So many pulses tell the speed."""
_STANDS_SECONDS = 5.0
"""Without a pulse for so long a belt stands, or its encoder is dead."""
FARTHEST_SECONDS = 3600.0
"""What is farther away in time, because the belt stands, is said to be so far."""


class BeltTravel:
    """The way of a belt, as its encoder tells it. Any thread may call every method.

    Between two pulses the belt is taken to go on at its speed, and never beyond the pulse that has
    not come: a belt that stands is at most one pulse wrong.

    Attributes:
        pulse_metres: the way from one pulse to the next.
        metres_per_second: the speed that is assumed until there are pulses.
    """

    def __init__(self, pulses_per_metre: float, *, metres_per_second: float) -> None:
        """Has not moved.

        Args:
            metres_per_second: the speed that is assumed until there are pulses.
        """
        self.pulse_metres, self.metres_per_second = 1 / pulses_per_metre, metres_per_second
        self._times: deque[float] = deque(maxlen=_KEPT)
        self._count = 0
        self._lock = threading.Lock()
        self._since = float("inf")
        """When somebody first asked, while there was no pulse."""

    def pulse(self, at: float) -> None:
        """Takes a pulse, at a time in seconds that is not before that of the last one."""
        with self._lock:
            self._times.append(at if not self._times else max(at, self._times[-1]))
            self._count += 1

    @property
    def last_pulse(self) -> float | None:
        """When the last pulse came; None: none has."""
        with self._lock:
            return self._times[-1] if self._times else None

    def stands(self, now: float) -> bool:
        """Whether there was no pulse for so long that the belt is taken to stand."""
        with self._lock:
            if not self._times:
                self._since = min(self._since, now)
            last = self._times[-1] if self._times else self._since
            return now - last > _STANDS_SECONDS

    def speed(self, now: float) -> float:
        """Metres per second; falls while pulses that should have come do not."""
        with self._lock:
            return self._speed(now)

    def metres(self, at: float, now: float) -> float:
        """Where the belt was at the time `at`, or will be if it goes on as it does now."""
        with self._lock:
            if at > now:
                return self._metres(now) + self._speed(now) * (at - now)
            return self._metres(at)

    def seconds_apart(self, one: float, other: float, now: float) -> float:
        """The seconds between two moments that are over, less those in which the belt stood: so
        long as its way between them takes at `metres_per_second`. Of others, and while the encoder
        has given no pulse at all, those of the clock."""
        if max(one, other) > now or self.last_pulse is None:
            return abs(one - other)
        way = abs(self.metres(one, now) - self.metres(other, now))
        return min(abs(one - other), way / self.metres_per_second)

    def least_seconds(self, since: float, metres: float, now: float) -> float:
        """The seconds from now that the belt needs at least, at `metres_per_second`, until it has
        gone so far since a moment; below 0: it has gone farther. While the encoder has given no
        pulse at all, the belt is taken to run."""
        if self.last_pulse is None:
            return metres / self.metres_per_second - (now - since)
        left = self.metres(since, now) + metres - self.metres(now, now)
        return left / self.metres_per_second

    def seconds_until(self, metres: float, now: float) -> float:
        """The seconds until the belt is at `metres`, if it goes on as it does now; negative: how
        long ago it was there, likewise."""
        with self._lock:
            left, speed = metres - self._metres(now), self._speed(now)
        return min(left / speed if speed > 0 else FARTHEST_SECONDS, FARTHEST_SECONDS)

    def time_of(self, metres: float, now: float) -> float | None:
        """When the belt will be at `metres`, if that is before the next pulse; else None.

        Where it is there already, the time is `now`.
        """
        with self._lock:
            ahead = metres - self._count * self.pulse_metres
            if ahead <= 0:
                return now
            if ahead >= self.pulse_metres or not self._times:
                return None
            speed = self._speed(self._times[-1])
            return max(now, self._times[-1] + ahead / speed)

    def _speed(self, now: float) -> float:
        if len(self._times) < 2:
            return self.metres_per_second
        last = self._times[-1]
        first = self._times[-min(_RECENT + 1, len(self._times))]
        intervals = min(_RECENT, len(self._times) - 1)
        mean = (last - first) / intervals
        waited = max(0.0, now - last)
        # One pulse that is a little late is no slower belt yet.
        interval = waited if waited > 2 * mean else mean
        return self.pulse_metres / interval if interval > 0 else self.metres_per_second

    def _metres(self, at: float) -> float:
        """For times that are not in the future."""
        if not self._times:
            return 0.0
        last = self._times[-1]
        if at >= last:
            onward = min(1.0, (at - last) * self._speed(last) / self.pulse_metres)
            return (self._count + onward) * self.pulse_metres
        index = bisect_right(self._times, at)
        before = self._count - len(self._times) + index
        if index == 0:  # older than what is kept: as if it had come at this speed
            return before * self.pulse_metres - (self._times[0] - at) * self._speed(last)
        begin, end = self._times[index - 1], self._times[index]
        return (before + (at - begin) / (end - begin)) * self.pulse_metres
