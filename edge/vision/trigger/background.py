"""Background subtraction: finds what a picture shows in front of the background learned before.

OpenCV's own background subtractors cannot exclude a part of the picture from learning, and on a
busy belt there is always a part that must not be learned. So this one keeps a running mean and
spread for each pixel, with three additions for a camera over a belt or a bin. A change of light in
all pixels is adopted at once. The spread of a pixel includes that of its surroundings, because the
texture of a moving belt passes everywhere. A patch that an item has uncovered is distinguished from
an item by its edges, which are in the background and no longer in the picture.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.images.image_file import Image
from edge.core.images.preprocess import Box
from edge.vision.structure import SceneDoubt
from edge.vision.trigger.blobs import (
    RIM,
    Blob,
    Floats,
    Mask,
    around,
    away,
    connected,
    is_uncovered,
    strongest,
    touch,
)

LEARNED_FRAMES = 15
"""The most frames of which the background is the median, in which no passing item is then."""
ADAPT_SECONDS = 10.0
"""Time constant with which each pixel of the background follows slow changes."""
_ADAPT_EVERY = 0.2
"""The seconds between two adaptations; doing it with every frame would only cost more time."""
_SPREADS = 4.0
"""A pixel is in front if it differs by so many standard deviations of the background."""
_LEAST_CHANGE = 0.1
"""A smaller change beside an item, as a share of the picture, is none of the light."""
_CHANGED = 0.01
"""The share of its area below which a change does not count: the object is at rest."""
_DRIFT, _FADE = (0.3, 0.1), (4.0, 0.2)
"""The largest changes of the light per second and per picture: a drift, and what all show alike."""
_ALIKE, _UNCHANGED = 0.15, 0.01
"""Changes of the light are alike that differ by a smaller share, and have changed by a larger."""
_LAMP = (1 / 4, 4.0)
"""The factors by which a lamp may change the light; a black or a white picture is beyond them."""
_SAMPLES = 300
"""About so many pixels tell how much light there is."""
_SAME_LEVEL, _SAME_LIGHT = 0.2, 0.002
"""A change of the light by fewer levels and a smaller share does not matter."""

_Part = tuple[slice, slice]
"""Rows and columns of a picture."""
_NOWHERE: _Part = slice(0, 0), slice(0, 0)


@dataclass(frozen=True, slots=True)
class _Learned:
    mean: Floats
    """(height, width, 3)."""
    spread: Floats
    """(height, width, 3), standard deviation over time of lightness and of two colours."""
    limit: Floats
    """(height, width, 3), the levels by which these must differ for something to be in front."""
    levels: Image
    """uint8 (height, width, 3), `mean` in whole levels."""


class Background:
    """The background of a still camera's pictures, all of one shape.

    Attributes:
        woken: the boxes in which something moves that was absorbed, so that it is in front again.
        doubt: whether what is in front may be parts of another scene.
    """

    def __init__(
        self, *, contrast: float, min_area: float, max_area: float, learn_seconds: float
    ) -> None:
        """Starts without a background.

        Args:
            contrast: the levels by which something must differ from the background.
            min_area: the area below which blobs are left out, as a share of the picture.
            max_area: the area above which a change is taken for one of the light or the camera, as
                a share of the picture.
            learn_seconds: the time for which the background is learned at first.
        """
        self._contrast, self._learn_seconds = contrast, learn_seconds
        self._min_area, self._max_area = min_area, max_area
        self._learned: _Learned | None = None
        self._before: _Learned | None = None
        self._watched: list[tuple[float, Image]] = []
        self._covered = False
        self._flashed = False
        self._now = -math.inf
        self._elapsed = 0.0
        self._adapted = -math.inf
        self._picture: Image = np.empty((0, 0, 3), np.uint8)
        self._last = self._picture
        self._outside: Image = np.empty((0, 0), np.uint8)
        """Of each pixel 255, or 0 in the box of an item."""
        self._suspects: list[Box] = []
        self._patches: list[tuple[Box, Floats]] = []
        self._expected: list[_Part] = []
        self._known: list[_Part] = []
        self.woken: list[Box] = []
        self.doubt = SceneDoubt(max_area)

    @property
    def is_known(self) -> bool:
        """Whether it has been learned."""
        return self._learned is not None

    def blobs(
        self,
        picture: Image,
        captured: float,
        expected: Sequence[Box] = (),
        known: Sequence[Box] = (),
    ) -> list[Blob] | None:
        """The blobs in front; None while the background is learned, or if nearly all differs.

        A single picture that differs everywhere, such as a flash or a damaged one, changes nothing.

        Args:
            picture: uint8 (height, width, 3) BGR, always of one shape.
            captured: seconds.
            expected: where objects are expected: what differs there is no change of the light.
            known: where objects are that hide the scene behind them.
        """
        self._expected, self._known = ([around(box, 0) for box in at] for at in (expected, known))
        self._elapsed = 0.0 if self._now == -math.inf else max(0.0, captured - self._now)
        self.woken = []
        self._now, self._last = captured, self._picture
        self._picture = np.asarray(cv2.blur(picture, (3, 3)), np.uint8)
        if self._learned is None:
            self._learned = self._watch()
            self._outside = np.full(picture.shape[:2], 255, np.uint8)
            return None
        front = self._in_this_light(self._learned)
        if front is None:
            self._covered = True
            return None
        found = self._found(front, self._learned)
        if found is None:
            found = self._anew(self._learned)
        if found is None:
            return None
        self._watched.clear()
        self._covered = False
        if self._wakes(found):
            found = self._blobs(self._in_front(self._learned), self._learned)
        learned = self._learned
        suspects = [b.box for b in found if is_uncovered(b, self._picture, learned.levels)]
        for box in suspects:
            # Twice in the same place, so that a blurred picture of a moving item does not count.
            if box in self._suspects:
                self.absorb(box)
        self._suspects = suspects
        return [blob for blob in found if blob.box not in suspects]

    def is_calm(self, box: Box) -> bool:
        """Whether nothing in `box` changed since the picture before."""
        if self._last.shape != self._picture.shape:
            return False
        part = around(box, 0)
        changed = strongest(cv2.absdiff(self._picture[part], self._last[part]))
        _, much = cv2.threshold(changed, self._contrast, 255, cv2.THRESH_BINARY)
        return cv2.countNonZero(much) < _CHANGED * much.size

    def adapt(self, items: Iterable[Box]) -> None:
        """Adapts the background to the latest picture, except in the boxes of `items`."""
        learned = self._learned
        if learned is None or self._covered:
            return
        free = np.full(self._picture.shape[:2], 255, np.uint8)
        for box in items:
            free[around(box, RIM)] = 0
        self._outside = free
        elapsed = self._now - self._adapted
        if elapsed < _ADAPT_EVERY:
            return
        self._adapted = self._now
        share = 1 - math.exp(-min(elapsed, 1.0) / ADAPT_SECONDS)
        # The mean absolute deviation of a normal distribution is 0.8 standard deviations.
        off = away(self._picture, learned.mean) / np.float32(0.8)
        cv2.accumulateWeighted(self._picture, learned.mean, share, free)
        cv2.accumulateWeighted(off, learned.spread, share, free)
        levels = _in_levels(learned.mean)
        self._learned = replace(learned, limit=self._limit(learned.spread), levels=levels)

    def absorb(self, box: Box, *, until_it_stirs: bool = False) -> None:
        """Makes the content of `box` part of the background, for good or until something moves."""
        if self._learned is None:
            return
        part = around(box, RIM)
        if until_it_stirs:
            self._patches.append((box, self._learned.mean[part].copy()))
        self._learned.mean[part] = self._learned.levels[part] = self._picture[part]

    def _wakes(self, found: list[Blob]) -> bool:
        """Puts absorbed objects in front again if something moves there; returns whether any is."""
        assert self._learned is not None
        for box, patch in list(self._patches):
            if any(touch(blob.box, box) for blob in found):
                part = around(box, RIM)
                self._learned.mean[part] = patch
                self._learned.levels[part] = _in_levels(patch)
                self._patches = [other for other in self._patches if other[0] is not box]
                self.woken.append(box)
        return bool(self.woken)

    def _watch(self) -> _Learned | None:
        """The background, once enough pictures were collected; None before that."""
        # No more pictures than are needed: learning may last a minute.
        pace = self._learn_seconds / (2 * LEARNED_FRAMES)
        if not self._watched or self._now - self._watched[-1][0] >= pace:
            self._watched.append((self._now, self._picture))
        first = self._watched[0][0]
        if self._now - first < self._learn_seconds or len(self._watched) < 3:
            return None
        count = min(len(self._watched), LEARNED_FRAMES)
        chosen = np.linspace(0, len(self._watched) - 1, count).round().astype(int)
        frames = [self._watched[index][1] for index in chosen]
        self._watched.clear()
        mean = np.sort(frames, axis=0)[count // 2].astype(np.float32)
        off = np.sort([away(frame, mean) for frame in frames], axis=0)
        # An item that passed meanwhile is in less than half of the frames, so that it is not in the
        # median, nor in the median deviation: 0.67 standard deviations of a normal distribution.
        spread = off[count // 2] / np.float32(0.67)
        return _Learned(mean, spread, self._limit(spread), _in_levels(mean))

    def _limit(self, spread: Floats) -> Floats:
        reach = max(3, max(spread.shape) // 8 | 1)
        around = cv2.blur(spread, (reach, reach))
        return np.maximum(_SPREADS * np.maximum(around, spread), np.float32(self._contrast))

    def _in_front(self, learned: _Learned, part: _Part | None = None) -> Mask:
        """The mask of what is in front.

        Args:
            part: where it may lie, if that is known; see `_differing`.
        """
        front = np.zeros(self._picture.shape[:2], np.uint8)
        part = self._differing(learned) if part is None else part
        if part is not _NOWHERE:
            off = away(self._picture[part], learned.mean[part])
            front[part] = strongest(cv2.compare(off, learned.limit[part], cv2.CMP_GT))
        return front

    def _differing(self, learned: _Learned) -> _Part:
        """The rows and columns outside of which nothing can be in front.

        Three channels that differ by half the contrast at most differ by the contrast at most in
        lightness and in both colours, and no limit is below the contrast. Whole levels are off by
        half a level.
        """
        off = cv2.absdiff(self._picture, learned.levels)
        height, width = off.shape[:2]
        _, much = cv2.threshold(off, self._contrast / 2 - 0.5, 255, cv2.THRESH_BINARY)
        left, top, across, down = cv2.boundingRect(much.reshape(height, 3 * width))
        if not down:
            return _NOWHERE
        return slice(top, top + down), slice(left // 3, (left + across + 2) // 3)

    def _is_same_light(self, learned: _Learned, part: _Part) -> bool:
        """Whether the picture is as light as the background, outside of the items and of `part`.

        This is quicker than to find out how the light has changed, and it mostly has not.
        """
        outside = self._outside.copy()
        outside[part] = 0
        if cv2.countNonZero(outside) < 0.2 * outside.size:
            return False
        rows = slice(None, None, 4)  # a quarter of the pixels says as much
        now = cv2.mean(self._picture[rows], outside[rows])
        before = cv2.mean(learned.levels[rows], outside[rows])
        return all(
            abs(here - there) <= _SAME_LEVEL + _SAME_LIGHT * there
            for here, there in zip(now[:3], before[:3], strict=True)
        )

    def _in_this_light(self, learned: _Learned) -> Mask | None:
        """The mask of what is in front, after the background was adjusted to the present light.

        None if the light of the whole picture has just changed, briefly or permanently.
        """
        part = self._differing(learned)
        if self._is_same_light(learned, part):
            self._flashed = False
            return self._in_front(learned, part)
        step = max(1, round(math.sqrt(self._outside.size / _SAMPLES)))
        now, mean = self._picture[::step, ::step], learned.mean[::step, ::step]
        valid = (self._outside[::step, ::step] > 0) & (mean.min(axis=2) > 8)
        if np.count_nonzero(valid) < 0.2 * valid.size:
            return self._in_front(learned, part)
        ratios = now[valid] / mean[valid]
        ratios.partition(len(ratios) // 2, axis=0)
        switched = ratios[len(ratios) // 2]
        # A large item that just appeared is no darkness, and a belt that stays as it was no change.
        near = np.clip(np.abs(1 - switched) / 2, _UNCHANGED, _ALIKE * switched)
        alike = (np.abs(ratios - switched) < near).mean(axis=0).min() >= 0.75
        per_second, at_most = _FADE if alike else _DRIFT
        drift = min(per_second * self._elapsed, at_most)
        gain = np.clip(switched, 1 - drift, 1 + drift)
        lit = _relit(learned, gain)
        front = self._in_front(lit)
        flashed, self._flashed = self._flashed, False
        if _share(front) > 0.25 and _LAMP[0] <= switched.min() and switched.max() <= _LAMP[1]:
            # If one factor explains nearly all differences, a lamp was switched.
            relit = _relit(learned, switched)
            rest = self._in_front(relit)
            if _share(rest) < _share(front) / 5:
                if not flashed:
                    self._flashed = True  # A flash is over with the next picture; a lamp is not.
                    return None
                gain, lit, front = switched, relit, rest
        if _share(front) <= self._max_area:
            self._learned = lit
            self._patches = [(box, _lit(patch, gain)) for box, patch in self._patches]
        return front

    def _found(self, front: Mask, learned: _Learned) -> list[Blob] | None:
        """The blobs; None if the light or the camera must have changed."""
        another = self.doubt.is_another(
            self._picture, learned.levels, learned.spread, front=front, known=self._known
        )
        if another or self._is_too_much(front):
            return None
        found = self._blobs(front, learned)
        # A camera that was moved shows differences at all edges, everywhere in the picture.
        most = self._max_area * front.size
        for box in (blob.box for blob in found if blob.box.width * blob.box.height > most):
            whole = np.zeros_like(front)
            whole[around(box, 0)] = 255
            if self._is_too_much(whole):
                return None
        return found

    def _is_too_much(self, mask: Mask) -> bool:
        """Whether a mask covers more than an item does, outside of where one is expected."""
        if cv2.countNonZero(mask) <= self._max_area * mask.size:
            return False
        if not self._expected:
            return True
        new, free = mask.copy(), np.full_like(mask, 255)
        for part in self._expected:
            new[part] = free[part] = 0
        most = max(self._max_area * cv2.countNonZero(free), _LEAST_CHANGE * mask.size)
        return cv2.countNonZero(new) > most

    def _blobs(self, front: Mask, learned: _Learned) -> list[Blob]:
        # An object in view may become smaller than the least size of a new one.
        least = self._min_area * front.size / 4
        return connected(front, self._picture, learned.mean, least=least)

    def _anew(self, learned: _Learned) -> list[Blob] | None:
        """The blobs after nearly everything has changed, by a lamp, the camera or a flap.

        The background is learned again; the one before is restored as soon as it fits again.
        """
        self._covered = True
        if self._before is not None:
            front = self._in_front(self._before)
            found = self._found(front, self._before)
            if found is not None and _share(front) < self._max_area / 2:
                self._learned, self._before = self._before, learned
                return found
        fresh = self._watch()
        if fresh is None:
            return None
        self._before, self._learned = learned, fresh
        self._patches.clear()
        return self._found(self._in_front(fresh), fresh)


def _relit(learned: _Learned, gain: npt.NDArray[np.float32]) -> _Learned:
    mean = _lit(learned.mean, gain)
    return replace(learned, mean=mean, levels=_in_levels(mean))


def _in_levels(mean: Floats) -> Image:
    return np.asarray(cv2.convertScaleAbs(mean), np.uint8)


def _lit(mean: Floats, gain: Floats) -> Floats:
    return np.asarray(np.minimum(mean * gain, 255), np.float32)


def _share(mask: Mask) -> float:
    return cv2.countNonZero(mask) / mask.size
