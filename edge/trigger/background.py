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
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from edge.model.image_file import Image
from edge.model.preprocess import Box

Floats = npt.NDArray[np.float32]
Mask = cv2.typing.MatLike
"""uint8, 0 or 255 for each pixel."""

LEARNED_FRAMES = 15
"""The background is the median of so many frames at most: an item that passes meanwhile is not in
it."""
ADAPT_SECONDS = 10.0
"""Time constant with which each pixel of the background follows slow changes."""
_ADAPT_EVERY = 0.2
"""Seconds; to do so with every frame would cost more and bring nothing."""
_SPREADS = 4.0
"""A pixel is in front when it differs by so many standard deviations of the background."""
_SHADOW = (0.5, 0.97)
"""A soft shadow leaves this share of the light ..."""
_SHADOW_TINT = 10.0
"""... and the colour: no channel differs by more levels from an evenly darker background."""
_LIGHTNESS_AND_COLOURS = np.array([[1 / 3, 1 / 3, 1 / 3], [1, -1, 0], [0, -1, 1]], np.float32)
_SUM = np.ones((1, 3), np.float32)
_CHANGED = 0.01
"""What changes in less of its area is at rest, as a share."""
_RIM = 3
"""Pixels around a blob that still show something of it."""
_LIGHT_PER_SECOND = 0.3
"""How fast the camera's exposure may drift, as a share."""


class Blob(NamedTuple):
    """A connected thing in front of the background, in pixels of the small picture."""

    box: Box
    """Without its soft shadow."""
    area: int
    """Pixels, without its soft shadow."""
    extent: Box
    """With its soft shadow."""


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
        self._covered_since = math.inf
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
        found = self._found(self._in_this_light(self._learned))
        if found is None:
            found = self._anew(self._learned)
        if found is None:
            return None
        self._watched.clear()
        self._covered_since = math.inf
        if self._wakes(found):
            found = self._connected(self._in_front(self._learned))
        suspects = [blob.box for blob, shape in found if self._is_uncovered(blob.box, shape)]
        for box in suspects:
            # Twice in the same place, lest a blurred moment of a moving item is taken for it.
            if box in self._suspects:
                self.absorb(box)
        self._suspects = suspects
        return [blob for blob, _ in found if blob.box not in suspects]

    def is_calm(self, box: Box) -> bool:
        """Nothing in `box` changed since the picture before."""
        if self._last.shape != self._picture.shape:
            return False
        part = _around(box, 0)
        changed = _strongest(cv2.absdiff(self._picture[part], self._last[part]))
        return int((changed > self._contrast).sum()) < _CHANGED * changed.size

    def adapt(self, items: Iterable[Box]) -> None:
        """Follows the picture just looked at, except where `items` are."""
        learned = self._learned
        if learned is None or self._covered_since < math.inf:
            return
        free = np.full(self._picture.shape[:2], 255, np.uint8)
        for box in items:
            free[_around(box, _RIM)] = 0
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
        part = _around(box, _RIM)
        if until_it_stirs:
            self._patches.append((box, self._learned.mean[part].copy()))
        self._learned.mean[part] = self._picture[part]

    def _wakes(self, found: list[tuple[Blob, Mask]]) -> bool:
        """Whether something absorbed is in front again, because something stirs there."""
        assert self._learned is not None
        for box, patch in list(self._patches):
            if any(_touch(blob.box, box) for blob, _ in found):
                self._learned.mean[_around(box, _RIM)] = patch
                self._patches = [other for other in self._patches if other[0] is not box]
                self.woken.append(box)
        return bool(self.woken)

    def _watch(self) -> _Learned | None:
        """The background, once it was watched for long enough."""
        self._watched.append((self._now, self._picture))
        first = self._watched[0][0]
        if self._now - first < self._learn_seconds or len(self._watched) < 3:
            return None
        count = min(len(self._watched), LEARNED_FRAMES)
        chosen = np.linspace(0, len(self._watched) - 1, count).round().astype(int)
        frames = np.stack([self._watched[index][1] for index in chosen])
        self._watched.clear()
        frames.sort(axis=0)
        mean = frames[count // 2].astype(np.float32)
        away = np.stack([_away(frame, mean) for frame in frames])
        away.sort(axis=0)
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
        return _strongest(cv2.compare(off, learned.limit, cv2.CMP_GT))

    def _in_this_light(self, learned: _Learned) -> Mask:
        """What is in front, once the background has been brought into the light of now."""
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
        if _share(front) > 0.25:
            # A lamp was switched, if one factor for all explains nearly everything at once.
            relit = replace(learned, mean=_lit(learned.mean, switched))
            rest = self._in_front(relit)
            if _share(rest) < _share(front) / 5:
                gain, lit, front = switched, relit, rest
        if _share(front) <= self._max_area:
            self._learned = lit
            self._patches = [(box, _lit(patch, gain)) for box, patch in self._patches]
        return front

    def _found(self, front: Mask) -> list[tuple[Blob, Mask]] | None:
        """The blobs, each with its shape; None where the light or the camera must have changed."""
        most = self._max_area * front.size
        if cv2.countNonZero(front) > most:
            return None
        found = self._connected(front)
        # A camera that was moved shows a rim at every edge, all over the picture.
        return None if any(blob.box.width * blob.box.height > most for blob, _ in found) else found

    def _anew(self, learned: _Learned) -> list[tuple[Blob, Mask]] | None:
        """What is found after nearly everything has changed: the lamp, the camera, a flap.

        Learns anew when the picture is as calm as the background was; goes back to the background
        before, where that fits again.
        """
        self._covered_since = min(self._covered_since, self._now)
        if self._before is not None:
            front = self._in_front(self._before)
            found = self._found(front)
            if found is not None and _share(front) < self._max_area / 2:
                self._learned, self._before = self._before, learned
                return found
        fresh = self._watch()
        if fresh is None:
            return None
        long = self._now - self._covered_since > 10 * self._learn_seconds
        if not long and fresh.spread.mean() > 2 * learned.spread.mean() + 2:
            return None
        self._before, self._learned = learned, fresh
        self._patches.clear()
        return self._found(self._in_front(fresh))

    def _connected(self, front: Mask) -> list[tuple[Blob, Mask]]:
        """The blobs, each with its shape in the pixels up to `_RIM` around its box."""
        front = _cleaned(front)
        count, places, extents, _ = cv2.connectedComponentsWithStats(front, connectivity=8)
        if count == 1:
            return []
        least = self._min_area * front.size
        solid = _cleaned(cv2.bitwise_and(front, cv2.bitwise_not(self._shadow())))
        # The blurred rim of a dark item on a light belt is half light too: it gets that back.
        solid = cv2.bitwise_and(front, cv2.dilate(solid, np.ones((5, 5), np.uint8)))
        # A dark item on a lighter belt of its colour looks like a shadow: what would be nothing
        # but shadow is an item.
        kept = np.bincount(places[solid > 0], minlength=count)
        whole = kept < np.maximum(0.3 * extents[:, cv2.CC_STAT_AREA], 1)
        whole[0] = False
        solid[whole[places]] = 255
        count, parts, stats, _ = cv2.connectedComponentsWithStats(solid, connectivity=8)
        blobs = []
        for part in range(1, count):
            left, top, width, height, area = map(int, stats[part])
            if area < least / 4:
                continue
            box = Box(left, top, width, height)
            row = top + int(np.argmax(parts[top : top + height, left] == part))
            place = places[row, left]
            extent = Box(*map(int, extents[place, :4])) if place else box
            shape = (parts[_around(box, _RIM)] == part).astype(np.uint8)
            blobs.append((Blob(box, area, extent), shape))
        return blobs

    def _shadow(self) -> Mask:
        assert self._learned is not None
        picture, mean = self._picture.astype(np.float32), self._learned.mean
        light = cv2.divide(cv2.transform(picture, _SUM), cv2.transform(mean, _SUM) + 1)
        tint = _strongest(cv2.absdiff(picture, cv2.multiply(mean, cv2.merge([light] * 3))))
        low, high = _SHADOW
        shadow = (light > low) & (light < high) & (tint < _SHADOW_TINT)
        return np.where(shadow, np.uint8(255), np.uint8(0))

    def _is_uncovered(self, box: Box, shape: Mask) -> bool:
        """The outline is in the background, and no more in the picture: something was taken."""
        assert self._learned is not None
        height, width = self._picture.shape[:2]
        if any(cut_off(box, (width, height))):
            return False
        part = _around(box, _RIM)
        outline = cv2.morphologyEx(shape, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
        now = cv2.mean(_steepness(self._picture[part]), outline)[0]
        before = cv2.mean(_steepness(_rounded(self._learned.mean[part])), outline)[0]
        return before > 2 * now + 4


def cut_off(box: Box, size: tuple[float, float]) -> tuple[bool, bool, bool, bool]:
    """Whether `box` reaches the left, top, right and bottom of a picture of that width, height."""
    width, height = size
    right, bottom = box.left + box.width, box.top + box.height
    return box.left <= 1, box.top <= 1, right >= width - 1, bottom >= height - 1


def _touch(box: Box, other: Box) -> bool:
    return (
        box.left <= other.left + other.width
        and other.left <= box.left + box.width
        and box.top <= other.top + other.height
        and other.top <= box.top + box.height
    )


def _cleaned(mask: Mask) -> Mask:
    """`mask` without specks, and with cracks closed."""
    speck = cv2.getStructuringElement(cv2.MORPH_RECT, (3, 3))
    crack = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, speck)
    return cv2.morphologyEx(opened, cv2.MORPH_CLOSE, crack)


def _share(mask: Mask) -> float:
    return cv2.countNonZero(mask) / mask.size


def _rounded(values: Floats) -> Image:
    return np.asarray(cv2.convertScaleAbs(values), np.uint8)


def _away(picture: Image, mean: Floats) -> Floats:
    """By how many levels the lightness, and two differences between colours, are off.

    Not the channels themselves: the texture of a grey belt then does not hide what is coloured.
    """
    off = cv2.transform(picture - mean, _LIGHTNESS_AND_COLOURS)
    return np.asarray(cv2.absdiff(off, np.zeros_like(off)), np.float32)


def _lit(mean: Floats, gain: Floats) -> Floats:
    return np.asarray(np.minimum(mean * gain, 255), np.float32)


def _strongest(colours: cv2.typing.MatLike) -> cv2.typing.MatLike:
    """The largest of the three channels."""
    blue, green, red = cv2.split(colours)
    return cv2.max(cv2.max(blue, green), red)


def _steepness(picture: Image) -> cv2.typing.MatLike:
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    return cv2.magnitude(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))


def _around(box: Box, margin: int) -> tuple[slice, slice]:
    left, top, width, height = box
    rows = slice(max(0, top - margin), top + height + margin)
    return rows, slice(max(0, left - margin), left + width + margin)
