"""The track of one object through the pictures: its place, its expected place, and its passing."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from edge.core.images.preprocess import Box
from edge.vision.trigger.blobs import Mask, cut_off
from edge.vision.trigger.touching import is_twofold

Vector = tuple[float, float]
"""A vector across and down in the small picture: in pixels, or for a velocity in pixels per second.
"""

AT_REST = 0.0125
"""The movement of a side below which it is at rest, as a share of the picture's longer side."""
_TRAVELS = 0.05
"""The movement below which an object does not travel, as a share of the picture's longer side."""
_SURE = 3
"""From so many observations on, only those are used in which the whole object is seen."""
_BEYOND = 3
"""So many observations behind the middle make the moment of passing final."""
_FITTED = 12
"""The number of the latest observations to which the line of an item's travel is fitted. More are
used while it has moved less than twice the least travel, as on a slow belt or at a high frame rate.
"""
_REMEMBERED = 250
"""The number of observations that are remembered."""
_LOOKS, _SAY_SO = 3, 2
"""So many pictures that show a whole object are looked at for two things that touch, and so many of
them must say so: one may show a hand beside it, or be damaged."""
_LEAP = 1.6
"""An object whose area in one picture is so many times larger or smaller than before and after was
not seen well in that picture."""


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
        """The centre of the box."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def enlarged(self, margin: float) -> Edges:
        """The box with a margin on all sides."""
        left, top, right, bottom = self
        return Edges(left - margin, top - margin, right + margin, bottom + margin)

    def within(self, width: int, height: int) -> Box:
        """What lies of the box in a picture of this size, in whole pixels."""
        left, top, right, bottom = map(round, self.common(Edges(0, 0, width, height)))
        return Box(left, top, max(0, right - left), max(0, bottom - top))

    def common(self, other: Edges) -> Edges:
        """The intersection of both boxes."""
        return Edges(
            max(self.left, other.left),
            max(self.top, other.top),
            min(self.right, other.right),
            min(self.bottom, other.bottom),
        )

    def gap(self, other: Edges) -> float:
        """The pixels between two boxes, across or down, whichever is more; 0 if they touch."""
        common = self.common(other)
        return max(0.0, common.left - common.right, common.top - common.bottom)


class _Point(NamedTuple):
    seen: float
    edges: Edges
    cut: tuple[bool, bool, bool, bool]
    """Which of the edges lie at the picture's edge."""

    @property
    def centre(self) -> Vector:
        return self.edges.centre

    def side(self, axis: int) -> float:
        """The visible pixels of the object, across (0) or down (1)."""
        return self.edges[axis + 2] - self.edges[axis]

    def is_sure(self, axis: int) -> bool:
        """Whether the picture's edge does not cut this side off."""
        return not (self.cut[axis] or self.cut[axis + 2])

    def place(self, axis: int, side: float) -> float:
        """The place of the object's centre, computed from its `side` if an edge hides a part."""
        if self.cut[axis] and not self.cut[axis + 2]:
            return self.edges[axis + 2] - side / 2
        if self.cut[axis + 2] and not self.cut[axis]:
            return self.edges[axis] + side / 2
        return (self.edges[axis] + self.edges[axis + 2]) / 2


class _State(NamedTuple):
    """The state before an observation that may turn out to come from a damaged picture."""

    point: _Point
    velocity: Vector | None
    passed: float | None
    settled: bool


class Track:
    """One object in view. All times are in seconds.

    Attributes:
        box: its box when it was last seen, in pixels of the small picture.
        extent: the same box with the soft shadow.
        cut: whether `box` reached the picture's left, top, right and bottom.
        was_whole: whether a picture has shown all of it.
        seen: when it was last seen.
        frames: the number of pictures that have shown it.
        shown: whether it is in the latest picture.
        alone: whether nothing else touches it there.
        still_since: the time since which it has been in its place.
        calm_since: the time since which nothing has moved in it.
        velocity: its velocity; None if it was seen once.
        passed: when its centre passes the middle of the picture; None if this is not known or it
            does not travel.
        number: the item's number; None if it is not an item yet.
        silent: whether it can never be an item.
        twofold: whether it is two things that touch each other.
    """

    def __init__(
        self,
        box: Box,
        extent: Box,
        at: float,
        *,
        size: Vector,
        body: Box | None = None,
        silent: bool = False,
    ) -> None:
        """Starts the track of an object first seen in `box` at the time `at`.

        Args:
            box: its box, without its soft shadow.
            extent: its box with the shadow.
            at: the time in seconds.
            size: width and height of the picture.
            body: its box without any shadow, by which its place is measured; None: `box`.
            silent: whether it can never be an item.
        """
        self._size = size
        self.box, self.extent, self.cut = box, extent, cut_off(box, size)
        self.seen = self.still_since = self.calm_since = at
        self.shown, self.alone, self.silent = True, True, silent
        self.frames = 1
        self.velocity: Vector | None = None
        self.passed: float | None = None
        self.number: int | None = None
        self._looks = self._twofold = 0
        self._rest = Edges.of(box)
        self._points = deque([self._point(body or box)], maxlen=_REMEMBERED)
        self.was_whole = not any(self.cut)
        self._settled = False
        self._previous: _State | None = None

    def expected(self, at: float, usual: Vector | None) -> Edges:
        """The expected place at its velocity, or at the `usual` one if its own is not known yet.

        A side that the picture's edge cuts off stays at this edge.
        """
        across, down = (pace * (at - self.seen) for pace in self.velocity or usual or (0, 0))
        left, top, right, bottom = Edges.of(self.box)
        return Edges(
            left if self.cut[0] else left + across,
            top if self.cut[1] else top + down,
            right if self.cut[2] else right + across,
            bottom if self.cut[3] else bottom + down,
        )

    def move(self, box: Box, extent: Box, at: float, *, body: Box | None = None) -> None:
        """Adds an observation: the object is seen in `box` at the time `at`.

        Args:
            box, extent, body: as at the start of the track.
            at: the time in seconds.
        """
        place = Edges.of(body or box)
        if self._previous is not None and self._leapt(self._previous.point.edges, place):
            # The latest picture was damaged, or showed something else beside it.
            self._points[-1] = self._previous.point
            self.velocity, self.passed = self._previous.velocity, self._previous.passed
            self._settled = self._previous.settled
        last = self._points[-1]
        self._previous = _State(last, self.velocity, self.passed, self._settled)
        self.share(box, extent, at)
        self.alone = True
        point = self._point(body or box)
        if at > last.seen:
            self._find_pace(last, point)
        now, slack = Edges.of(box), max(1.5, AT_REST * max(self._size))
        if any(abs(a - b) > slack for a, b in zip(self._rest, now, strict=True)):
            self._rest, self.still_since = now, at
        self._points.append(point)
        self.was_whole |= not any(self.cut)
        if self._settled:
            return
        if self.still_since <= self._points[0].seen and 3 * slack < _TRAVELS * max(self._size):
            self.passed = None  # a line through what rests would come to the same, after a while
            return
        latest = self._latest()
        self.passed = self._passing(latest)
        # With observations on both sides of the middle, more would only reduce the precision.
        self._settled = (
            len(latest) > _BEYOND
            and self.passed is not None
            and latest[0].seen <= self.passed <= latest[-_BEYOND].seen
            and self._is_between(latest[0], latest[-_BEYOND])
        )

    def share(self, box: Box, extent: Box, at: float) -> None:
        """Adds an observation in a blob of several objects; this one is most likely in `box`."""
        self.box, self.extent, self.cut = box, extent, cut_off(box, self._size)
        self.seen, self.shown, self.alone = at, True, False
        self.frames += 1

    @property
    def travels(self) -> bool:
        """Whether it moves so that it is on its way."""
        return any(self.leaves_over(side) or self.comes_over(side) for side in range(2))

    def leaves_over(self, side: int) -> bool:
        """Whether it travels out over the picture's left (0), top, right or bottom (3)."""
        pace = self.velocity[side % 2] if self.velocity else 0.0
        return (pace if side >= 2 else -pace) > _TRAVELS * max(self._size)

    def comes_over(self, side: int) -> bool:
        """Whether it travels in over that side."""
        return self.leaves_over((side + 2) % 4)

    @property
    def twofold(self) -> bool:
        """See the class."""
        return self._twofold >= _SAY_SO

    def look_at(self, shape: Mask) -> None:
        """Looks whether its shape, which the latest picture shows whole, is that of two things."""
        if self._looks < _LOOKS:
            self._looks += 1
            self._twofold += is_twofold(shape)

    def is_leaving(self, at: float) -> bool:
        """Whether it was leaving the picture, or must have left it by the time `at`."""
        if self.velocity is None:
            return False
        if any(self.cut[side] and self.leaves_over(side) for side in range(4)):
            return True
        width, height = self._size
        return self.expected(at, None).common(Edges(2, 2, width - 2, height - 2)).area == 0

    def _leapt(self, before: Edges, now: Edges) -> bool:
        """Whether its area in the latest observation differs much from those before and after."""
        area = self._points[-1].edges.area
        larger, smaller = max(before.area, now.area), min(before.area, now.area)
        return area > _LEAP * larger or _LEAP * area < smaller

    def _is_between(self, before: _Point, after: _Point) -> bool:
        """Whether it was seen before and behind the picture's middle, on its way from one to the
        other: the line alone may be wrong while its shape is only coming into view. Of what fills
        its way, so that its length is not known yet, the middle seen is the picture's."""
        begin, end = np.array(before.centre), np.array(after.centre)
        way, middle = end - begin, np.array(self._size) / 2
        return bool((middle - begin) @ way > 0 and (end - middle) @ way > 0)

    def _find_pace(self, before: _Point, now: _Point) -> None:
        elapsed, last = now.seen - before.seen, self.velocity
        paces = []
        for axis in range(2):
            # Only sides that were inside the picture both times show how far it moved.
            shifts = [
                now.edges[side] - before.edges[side]
                for side in (axis, axis + 2)
                if not (now.cut[side] or before.cut[side])
            ]
            if not shifts:
                paces.append(last[axis] if last else 0.0)
                continue
            pace = sum(shifts) / len(shifts) / elapsed
            paces.append((pace + last[axis]) / 2 if last else pace)
        self.velocity = paces[0], paces[1]

    def _point(self, body: Box) -> _Point:
        return _Point(self.seen, Edges.of(body), cut_off(body, self._size))

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

        The line centre = start + pace * time is fitted by least squares, separately across and
        down, to the observations in which both ends of that side are visible, if there are enough
        of them. Otherwise, the length of a side that the edge cuts off is taken from an observation
        in which it is completely visible; for one that never is, see `_cut_off_ones`.
        """
        lasted = latest[-1].seen - latest[0].seen
        start, pace = np.zeros(2), np.zeros(2)
        for axis in range(2):
            sure = [point for point in latest if point.is_sure(axis)]
            if sure:
                chosen, side = sure if len(sure) >= _SURE else latest, sure[-1].side(axis)
            else:
                chosen, side = _cut_off_ones(self._points, latest, axis)
            times = np.array([point.seen - self.seen for point in chosen])
            apart = times - times.mean()
            places = np.array([point.place(axis, side) for point in chosen])
            spread = float(apart @ apart)
            if spread <= 0:
                return None
            pace[axis] = apart @ places / spread
            start[axis] = places.mean() - pace[axis] * times.mean()
        speed = float(np.hypot(*pace))
        if speed * lasted < _TRAVELS * max(self._size):
            return None
        return self.seen + float((np.array(self._size) / 2 - start) @ pace) / speed**2


def _cut_off_ones(
    points: Sequence[_Point], latest: Sequence[_Point], axis: int
) -> tuple[Sequence[_Point], float]:
    """(the observations of a side that is never completely visible to fit a line to, its length).

    How long it is can be told once both of its ends were seen, from how far it has moved between.
    Until then, it is as long as the most that was seen of it.
    """
    begun = [point for point in points if point.cut[axis] and not point.cut[axis + 2]]
    ended = [point for point in points if point.cut[axis + 2] and not point.cut[axis]]
    if len(begun) < 2 or len(ended) < 2:
        one_end = [point for point in latest if point.cut[axis] != point.cut[axis + 2]]
        return one_end or latest, max(point.side(axis) for point in latest)
    moved = spread = 0.0
    middles = []
    for group, end in ((begun, axis + 2), (ended, axis)):
        times = np.array([point.seen for point in group])
        ends = np.array([point.edges[end] for point in group])
        moved += float((times - times.mean()) @ ends)
        spread += float(np.square(times - times.mean()).sum())
        middles.append((float(times.mean()), float(ends.mean())))
    (begun_at, far_end), (ended_at, near_end) = middles
    return begun + ended, far_end - near_end + moved / spread * (ended_at - begun_at)
