"""What a picture shows in front of the background learned before it.

OpenCV's own background subtractors cannot leave out a part of the picture when they learn, and on
a busy belt there is always a part that must not be learned. So this one is a running mean and
spread for each pixel, with three things that a camera over a belt or a bin needs: a change of light
that all pixels show is taken over at once; a spread that is shared by the surroundings, because the
texture of a moving belt comes by everywhere; and a patch that an item has uncovered is told from
an item by its edges (they are in the background and no longer in the picture).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.images.image_file import Image
from edge.core.images.preprocess import Box
from edge.vision.trigger.blobs import (
    RIM,
    Blob,
    Floats,
    Mask,
    around,
    connected,
    is_uncovered,
    strongest,
    touch,
)

LEARNED_FRAMES = 15
"""The background is the median of so many frames at most: an item that passes meanwhile is not in
it."""
ADAPT_SECONDS = 10.0
"""Time constant with which each pixel of the background follows slow changes."""
_ADAPT_EVERY = 0.2
"""Seconds; to do so with every frame would cost more and bring nothing."""
_SPREADS = 4.0
"""A pixel is in front when it differs by so many standard deviations of the background."""
_LIGHTNESS_AND_COLOURS = np.array([[1 / 3, 1 / 3, 1 / 3], [1, -1, 0], [0, -1, 1]], np.float32)
_CHANGED = 0.01
"""What changes in less of its area is at rest, as a share."""
_LIGHT_PER_SECOND = 0.3
"""How fast the camera's exposure may drift, as a share."""
_LAMP = (1 / 4, 4.0)
"""What a lamp makes of the light; a picture that is black or white all over is none."""


@dataclass(frozen=True, slots=True)
class _Learned:
    mean: Floats
    """(height, width, 3)."""
    spread: Floats
    """(height, width, 3), standard deviation over time of lightness and of two colours."""
    limit: Floats
    """(height, width, 3), the levels by which these must be off for something to be in front."""


class Background:
    """The background of a still camera's pictures, all of one shape.

    Attributes:
        woken: where something stirs that was absorbed, so that it is in front again.
    """

    def __init__(
        self, *, contrast: float, min_area: float, max_area: float, learn_seconds: float
    ) -> None:
        """Knows nothing yet.

        Args:
            contrast: levels by which something must differ from the background.
            min_area: smaller blobs are not told, as a share of the picture.
            max_area: when more differs it is the light or the camera, as a share of the picture.
            learn_seconds: how long it watches before it knows the background.
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
        self._free: npt.NDArray[np.bool_] = np.empty((0, 0), np.bool_)
        self._suspects: list[Box] = []
        self._patches: list[tuple[Box, Floats]] = []
        self.woken: list[Box] = []

    def blobs(self, picture: Image, captured: float) -> list[Blob] | None:
        """What is in front; None while the background is being learned, or nearly all differs.

        A single picture that differs all over, a flash or a damaged one, changes nothing.

        Args:
            picture: uint8 (height, width, 3) BGR, always of one shape.
            captured: seconds.
        """
        self._elapsed = 0.0 if self._now == -math.inf else max(0.0, captured - self._now)
        self.woken = []
        self._now, self._last = captured, self._picture
        self._picture = np.asarray(cv2.blur(picture, (3, 3)), np.uint8)
        if self._learned is None:
            self._learned = self._watch()
            self._free = np.ones(picture.shape[:2], np.bool_)
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
        suspects = [b.box for b in found if is_uncovered(b, self._picture, learned.mean)]
        for box in suspects:
            # Twice in the same place, lest a blurred moment of a moving item is taken for it.
            if box in self._suspects:
                self.absorb(box)
        self._suspects = suspects
        return [blob for blob in found if blob.box not in suspects]

    def is_calm(self, box: Box) -> bool:
        """Nothing in `box` changed since the picture before."""
        if self._last.shape != self._picture.shape:
            return False
        part = around(box, 0)
        changed = strongest(cv2.absdiff(self._picture[part], self._last[part]))
        return int((changed > self._contrast).sum()) < _CHANGED * changed.size

    def adapt(self, items: Iterable[Box]) -> None:
        """Follows the picture just looked at, except where `items` are."""
        learned = self._learned
        if learned is None or self._covered:
            return
        free = np.full(self._picture.shape[:2], 255, np.uint8)
        for box in items:
            free[around(box, RIM)] = 0
        self._free = free > 0
        elapsed = self._now - self._adapted
        if elapsed < _ADAPT_EVERY:
            return
        self._adapted = self._now
        share = 1 - math.exp(-min(elapsed, 1.0) / ADAPT_SECONDS)
        # Mean absolute deviation of a normal distribution is 0.8 standard deviations.
        off = _away(self._picture, learned.mean) / np.float32(0.8)
        cv2.accumulateWeighted(self._picture, learned.mean, share, free)
        cv2.accumulateWeighted(off, learned.spread, share, free)
        self._learned = replace(learned, limit=self._limit(learned.spread))

    def absorb(self, box: Box, *, until_it_stirs: bool = False) -> None:
        """Takes what is in `box` for background from now on, or until something moves there."""
        if self._learned is None:
            return
        part = around(box, RIM)
        if until_it_stirs:
            self._patches.append((box, self._learned.mean[part].copy()))
        self._learned.mean[part] = self._picture[part]

    def _wakes(self, found: list[Blob]) -> bool:
        """Whether something absorbed is in front again, because something stirs there."""
        assert self._learned is not None
        for box, patch in list(self._patches):
            if any(touch(blob.box, box) for blob in found):
                self._learned.mean[around(box, RIM)] = patch
                self._patches = [other for other in self._patches if other[0] is not box]
                self.woken.append(box)
        return bool(self.woken)

    def _watch(self) -> _Learned | None:
        """The background, once it was watched for long enough."""
        # No more pictures than are needed: watching may last a minute.
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
        away = np.sort([_away(frame, mean) for frame in frames], axis=0)
        # An item that passed meanwhile is in less than half of the frames, so that it is not in the
        # median, nor in the median deviation: 0.67 standard deviations of a normal distribution.
        spread = away[count // 2] / np.float32(0.67)
        return _Learned(mean, spread, self._limit(spread))

    def _limit(self, spread: Floats) -> Floats:
        reach = max(3, max(spread.shape) // 8 | 1)
        around = cv2.blur(spread, (reach, reach))
        return np.maximum(_SPREADS * np.maximum(around, spread), np.float32(self._contrast))

    def _in_front(self, learned: _Learned) -> Mask:
        off = _away(self._picture, learned.mean)
        return strongest(cv2.compare(off, learned.limit, cv2.CMP_GT))

    def _in_this_light(self, learned: _Learned) -> Mask | None:
        """What is in front, once the background has been brought into the light of now.

        None: all of the light changed with this picture, for a moment or for good.
        """
        now, mean = self._picture[::4, ::4], learned.mean[::4, ::4]
        valid = self._free[::4, ::4] & (mean.min(axis=2) > 8)
        if valid.mean() < 0.2:
            return self._in_front(learned)
        switched = np.median(now[valid] / mean[valid], axis=0).astype(np.float32)
        # Exposure drifts slowly; a large item that just came must not count as darkness.
        drift = min(_LIGHT_PER_SECOND * self._elapsed, 0.1)
        gain = np.clip(switched, 1 - drift, 1 + drift)
        lit = replace(learned, mean=_lit(learned.mean, gain))
        front = self._in_front(lit)
        flashed, self._flashed = self._flashed, False
        low, high = _LAMP
        if _share(front) > 0.25 and low <= switched.min() and switched.max() <= high:
            # A lamp was switched, if one factor for all explains nearly everything at once.
            relit = replace(learned, mean=_lit(learned.mean, switched))
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
        """The blobs; None where the light or the camera must have changed."""
        most = self._max_area * front.size
        if cv2.countNonZero(front) > most:
            return None
        found = self._blobs(front, learned)
        # A camera that was moved shows a rim at every edge, all over the picture.
        return None if any(blob.box.width * blob.box.height > most for blob in found) else found

    def _blobs(self, front: Mask, learned: _Learned) -> list[Blob]:
        # A thing in view may become smaller than a new one must be.
        least = self._min_area * front.size / 4
        return connected(front, self._picture, learned.mean, least=least)

    def _anew(self, learned: _Learned) -> list[Blob] | None:
        """What is found after nearly everything has changed: the lamp, the camera, a flap.

        Learns anew, and goes back to the background before as soon as that fits again.
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


def _away(picture: Image, mean: Floats) -> Floats:
    """By how many levels the lightness, and two differences between colours, are off.

    Not the channels themselves: the texture of a grey belt then does not hide what is coloured.
    """
    off = cv2.transform(picture - mean, _LIGHTNESS_AND_COLOURS)
    return np.asarray(cv2.absdiff(off, np.zeros_like(off)), np.float32)


def _lit(mean: Floats, gain: Floats) -> Floats:
    return np.asarray(np.minimum(mean * gain, 255), np.float32)


def _share(mask: Mask) -> float:
    return cv2.countNonZero(mask) / mask.size
