"""How far a belt has moved, and when it will have; its speed may change for a while."""

from __future__ import annotations

import heapq
import itertools
import math
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from edge.simulation.belt.wire import SpeedChanges
from edge.simulation.windows import Windows

_Edge = tuple[float, int, float]
"""(the moment at which a change begins or ends, its number, its factor from then on)"""


class BeltMotion:
    """The motion of a belt since it began: forwards, at one speed but for its changes.

    Changes that overlap multiply. It may be asked by several threads.

    Attributes:
        pixels_per_second: its usual speed.
    """

    def __init__(self, pixels_per_second: float, changes: Sequence[SpeedChanges] = ()) -> None:
        """Computes nothing yet.

        Args:
            pixels_per_second: the usual speed.
            changes: when the speed is another.
        """
        self.pixels_per_second = pixels_per_second
        self._edges = heapq.merge(*(_edges(*each) for each in enumerate(changes)))
        self._factors: dict[int, float] = {}
        self._lock = threading.Lock()
        # Where the speed changes, as far as it was asked for: each from a moment on.
        self._moments, self._pixels, self._speeds = [0.0], [0.0], [pixels_per_second]

    def moved(self, seconds: float) -> float:
        """The pixels that the belt has moved."""
        if seconds <= 0:
            return seconds * self.pixels_per_second
        with self._lock:
            while self._moments[-1] <= seconds and self._next_edge():
                pass
            last = bisect_right(self._moments, seconds) - 1
            return self._pixels[last] + (seconds - self._moments[last]) * self._speeds[last]

    def when(self, pixels: float) -> float:
        """The first moment at which the belt has moved so far, in seconds since it began;
        infinite: it never does, because it stands for ever.
        """
        if pixels <= 0:
            return pixels / self.pixels_per_second
        with self._lock:
            while self._pixels[-1] < pixels and self._next_edge():
                pass
            last = bisect_left(self._pixels, pixels) - 1
            speed = self._speeds[last]
            if not speed:  # the last one of all, as the belt has not moved so far
                return math.inf
            return self._moments[last] + (pixels - self._pixels[last]) / speed

    def _next_edge(self) -> bool:
        """Adds the next change of the speed; False: it does not change any more."""
        edge = next(self._edges, None)
        if edge is None:
            return False
        moment, number, factor = max(0.0, edge[0]), *edge[1:]
        since = moment - self._moments[-1]
        self._pixels.append(self._pixels[-1] + since * self._speeds[-1])
        self._moments.append(moment)
        self._factors[number] = factor
        self._speeds.append(self.pixels_per_second * math.prod(self._factors.values()))
        return True


def _edges(number: int, change: SpeedChanges) -> Iterator[_Edge]:
    if change.at is not None:
        yield change.at, number, change.factor
        yield change.at + change.seconds, number, 1.0
    elif not change.every:
        yield 0.0, number, change.factor
    else:
        windows = Windows(every=change.every, seconds=change.seconds, seed=change.seed)
        for period in itertools.count():
            begin = period * change.every + windows.start(period)
            yield begin, number, change.factor
            yield begin + change.seconds, number, 1.0
