"""One thing followed through the pictures: where it is, where it will be, when it passes."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from edge.core.images.preprocess import Box
from edge.vision.trigger.blobs import cut_off

Vector = tuple[float, float]
"""Across and down, in pixels of the small picture (per second, where it is a pace)."""

AT_REST = 0.0125
"""A side that moves by less is at rest, as a share of the picture's longer side."""
_TRAVELS = 0.05
"""What has moved by less does not travel, as a share of the picture's longer side."""
_FITTED = 12
"""The line along which an item travels is fitted to so many of its latest observations, or to more
where it has not gone twice as far as what travels has: on a slow belt, or with a quick camera."""
_REMEMBERED = 250
_LEAP = 1.6
"""A thing that covers so many times as much, or as little, in one picture as in those before and
after it was not seen well in that one."""


class Edges(NamedTuple):
    """The sides of a box, which may lie outside the picture."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def of(cls, box: Box) -> Edges:
        """The sides of `box`."""
        return cls(box.left, box.top, box.left + box.width, box.top + box.height)

    @property
    def area(self) -> float:
        """Square pixels; 0 where a side has passed its opposite."""
        return max(0.0, self.right - self.left) * max(0.0, self.bottom - self.top)

    @property
    def centre(self) -> Vector:
        """The point in its middle."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def common(self, other: Edges) -> Edges:
        """What both cover."""
        return Edges(
            max(self.left, other.left),
            max(self.top, other.top),
            min(self.right, other.right),
            min(self.bottom, other.bottom),
        )

    def gap(self, other: Edges) -> float:
        """Pixels between them, across or down, whichever is more; 0 where they touch."""
        common = self.common(other)
        return max(0.0, common.left - common.right, common.top - common.bottom)


class _Point(NamedTuple):
    seen: float
    edges: Edges
    cut: tuple[bool, bool, bool, bool]
    """Which of the edges are the picture's own."""

    @property
    def centre(self) -> Vector:
        return self.edges.centre

    def side(self, axis: int) -> float:
        """Pixels of it that are seen, across (0) or down (1)."""
        return self.edges[axis + 2] - self.edges[axis]

    def is_sure(self, axis: int) -> bool:
        """Not falsified by the picture's edge."""
        return not (self.cut[axis] or self.cut[axis + 2])

    def place(self, axis: int, side: float) -> float:
        """Where its centre is, also the centre of what the edge hides in part, from its `side`."""
        if self.cut[axis] and not self.cut[axis + 2]:
            return self.edges[axis + 2] - side / 2
        if self.cut[axis + 2] and not self.cut[axis]:
            return self.edges[axis] + side / 2
        return (self.edges[axis] + self.edges[axis + 2]) / 2


class _State(NamedTuple):
    """What was known before an observation that may turn out to be of a damaged picture."""

    point: _Point
    velocity: Vector | None
    passed: float | None
    settled: bool


class Track:
    """One thing in view.

    Attributes:
        box: where it was when last seen, in pixels of the small picture.
        extent: the same with its soft shadow.
        cut: whether `box` reached the picture's left, top, right and bottom.
        seen: seconds, when that was.
        frames: how many pictures have shown it.
        shown: it is in the picture looked at last.
        alone: nothing else touches it there.
        still_since: seconds, since when it has been in its place.
        calm_since: seconds, since when nothing has moved in it.
        velocity: its pace; None: it was seen once.
        passed: seconds, when its centre passes the middle of the picture; None: not known, or it
            does not travel.
        number: which item it is; None: it is none, as yet.
        silent: it will never be one.
    """

    def __init__(
        self, box: Box, extent: Box, at: float, *, size: Vector, silent: bool = False
    ) -> None:
        """First seen in `box` `at` that many seconds, in a picture of `size`."""
        self._size = size
        self.box, self.extent, self.cut = box, extent, cut_off(box, size)
        self.seen = self.still_since = self.calm_since = at
        self.shown, self.alone, self.silent = True, True, silent
        self.frames = 1
        self.velocity: Vector | None = None
        self.passed: float | None = None
        self.number: int | None = None
        self._rest = Edges.of(box)
        self._points = deque([self._point()], maxlen=_REMEMBERED)
        self._settled = False
        self._previous: _State | None = None

    def expected(self, at: float, usual: Vector | None) -> Edges:
        """Where it is if it keeps its pace, or the `usual` one where its own is not known yet.

        The side at which it comes in or goes out stays at the picture's edge.
        """
        across, down = (pace * (at - self.seen) for pace in self.velocity or usual or (0, 0))
        left, top, right, bottom = Edges.of(self.box)
        return Edges(
            left if self.cut[0] else left + across,
            top if self.cut[1] else top + down,
            right if self.cut[2] else right + across,
            bottom if self.cut[3] else bottom + down,
        )

    def move(self, box: Box, extent: Box, at: float) -> None:
        """It is seen in `box`."""
        if self._previous is not None and self._leapt(self._previous.point.edges, Edges.of(box)):
            # The latest picture was damaged, or showed something else beside it.
            self._points[-1] = self._previous.point
            self.velocity, self.passed = self._previous.velocity, self._previous.passed
            self._settled = self._previous.settled
        last = self._points[-1]
        self._previous = _State(last, self.velocity, self.passed, self._settled)
        self.share(box, extent, at)
        self.alone = True
        if at > last.seen:
            self._find_pace(last.edges, last.cut, at - last.seen)
        now, slack = Edges.of(box), max(1.5, AT_REST * max(self._size))
        if any(abs(a - b) > slack for a, b in zip(self._rest, now, strict=True)):
            self._rest, self.still_since = now, at
        self._points.append(self._point())
        if not self._settled:
            latest = self._latest()
            self.passed = self._passing(latest)
            # Once both sides of the middle were seen, more observations could only blur it.
            first = latest[0].seen
            self._settled = self.passed is not None and first <= self.passed <= at

    def share(self, box: Box, extent: Box, at: float) -> None:
        """It is somewhere in a blob with something else: most likely in `box`."""
        self.box, self.extent, self.cut = box, extent, cut_off(box, self._size)
        self.seen, self.shown, self.alone = at, True, False
        self.frames += 1

    def is_leaving(self, at: float) -> bool:
        """It was on its way out, or must be out by now."""
        if self.velocity is None:
            return False
        across, down = self.velocity
        ways = (-across, -down, across, down)
        travels = _TRAVELS * max(self._size)
        if any(cut and way > travels for cut, way in zip(self.cut, ways, strict=True)):
            return True
        width, height = self._size
        return self.expected(at, None).common(Edges(2, 2, width - 2, height - 2)).area == 0

    def _leapt(self, before: Edges, now: Edges) -> bool:
        """Whether the latest observation shows much more or less of it than the ones around it."""
        area = self._points[-1].edges.area
        larger, smaller = max(before.area, now.area), min(before.area, now.area)
        return area > _LEAP * larger or _LEAP * area < smaller

    def _find_pace(self, before: Edges, cut_before: tuple[bool, ...], elapsed: float) -> None:
        now = Edges.of(self.box)
        last = self.velocity
        paces = []
        for axis in range(2):
            # Only sides that lay inside both times tell how far it went.
            shifts = [
                now[side] - before[side]
                for side in (axis, axis + 2)
                if not (self.cut[side] or cut_before[side])
            ]
            if not shifts:
                paces.append(last[axis] if last else 0.0)
                continue
            pace = sum(shifts) / len(shifts) / elapsed
            paces.append((pace + last[axis]) / 2 if last else pace)
        self.velocity = paces[0], paces[1]

    def _point(self) -> _Point:
        return _Point(self.seen, Edges.of(self.box), self.cut)

    def _latest(self) -> list[_Point]:
        """The observations to which a line is fitted."""
        points, far = list(self._points), 2 * _TRAVELS * max(self._size)
        across, down = points[-1].centre
        for begin in range(len(points) - _FITTED, 0, -1):
            left, top = points[begin].centre
            if math.hypot(across - left, down - top) >= far:
                return points[begin:]
        return points

    def _passing(self, latest: Sequence[_Point]) -> float | None:
        """When its centre is nearest to the picture's middle, on a line fitted to the centres.

        By least squares, across and down each by itself: centre = start + pace * time. What the
        edge hides of it is known once all of it was seen; until then it has the largest side seen.
        """
        times = np.array([point.seen - self.seen for point in latest])
        lasted = float(np.ptp(times))
        if lasted <= 0:
            return None
        apart = times - times.mean()
        start, pace = np.zeros(2), np.zeros(2)
        for axis in range(2):
            sides = [point.side(axis) for point in latest if point.is_sure(axis)]
            side = sides[-1] if sides else max(point.side(axis) for point in latest)
            places = np.array([point.place(axis, side) for point in latest])
            pace[axis] = apart @ places / (apart @ apart)
            start[axis] = places.mean() - pace[axis] * times.mean()
        speed = float(np.hypot(*pace))
        if speed * lasted < _TRAVELS * max(self._size):
            return None
        return self.seen + float((np.array(self._size) / 2 - start) @ pace) / speed**2
