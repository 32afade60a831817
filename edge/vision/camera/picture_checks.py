"""Checks whether a live camera's picture shows what is before the camera now. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.images.image_file import Image
from edge.flow import PictureFault, PictureFaultKind

EVEN_LEVELS = 1
"""The largest difference, in levels of 255, between the means of the 48 parts of a picture that
shows nothing. Measured: the smallest difference in 510 photographs is 41. At a fiftieth of their
light, with noise of two levels, one photograph in a hundred is as even as this; so is pure noise of
up to five levels."""
LASTING_SECONDS = 0.5
"""The time after which consecutive blank, torn or resized pictures count as a lasting fault."""
_PARTS = 8, 6
"""The number of parts, across and down."""
_COLUMNS = 40
"""The number of pixels of each row that are always compared; the others are compared only if these
are equal."""
_REPEATED_SHARE = 1 / 8
"""If this share of a picture's rows, one below the other, equal the row above, the picture is torn.
"""
_STALE_SHARE = 1 / 4
"""If this share of its rows equal those of the previous picture, they are left over from it."""
_MOST = 0.9
"""The share of rows that counts as nearly all of them."""
_LIVELY_PICTURES = 30
"""After so many consecutive pictures that changed in nearly every row, the camera is known to have
noise and to code each picture independently: rows that do not change are then a fault."""
_DARK, _BRIGHT = 16, 250
"""The levels at which a sensor clips. Clipped rows have no noise, and may rightly be equal."""

_Rows = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    image: Image
    rows: _Rows
    """(height, 15): 40 pixels of each row, 8 bytes in one number."""


class PictureChecker:
    """Finds the faults in the pictures of one camera, from each picture and the one before it.

    A sensor has noise: two of its pictures, or two rows of one, are never exactly equal. A picture
    that equals the one before it therefore gives no new information. Neither does the very first
    one, because it is not known yet whether the camera is live. Two faults cannot be found: a part
    that a decoder predicted from the picture before with motion, and a black part, which may be a
    dark place.
    """

    def __init__(self, *, frozen_seconds: float) -> None:
        """Starts without any picture.

        Args:
            frozen_seconds: a picture that repeats for so long is frozen; 0: pictures may be equal,
                and never count as frozen.
        """
        self._frozen_seconds = frozen_seconds
        self._size: tuple[int, int] | None = None
        self._before: _Seen | None = None
        self._since = self._bad_since = 0.0
        self._bad = False
        self._lively = 0

    def forget(self) -> None:
        """Forgets the last picture, as the camera was reopened; the size must stay the same."""
        self._before, self._bad, self._lively = None, False, 0

    def look(self, image: Image, captured: float) -> PictureFault | None:
        """Checks the next picture; returns its fault, or None if none was found.

        Args:
            image: uint8 (height, width, 3) BGR; it must not be changed afterwards.
            captured: when it was taken, in seconds on any monotonic clock.
        """
        kind, words = self._found(image, captured)
        if kind is None or kind.harmless:
            self._bad = False
        elif not self._bad:
            self._bad, self._bad_since = True, captured
        if kind is None:
            return None
        lasting = self._bad and captured - self._bad_since >= LASTING_SECONDS
        return PictureFault(kind, lasting or kind is PictureFaultKind.FROZEN, words)

    def _found(self, image: Image, captured: float) -> tuple[PictureFaultKind | None, str]:
        columns = _columns(image)
        before, now = self._before, _Seen(image, columns.reshape(len(image), -1).view(np.uint64))
        is_first = before is None
        self._before = now
        if before is None or before.image.shape != image.shape:
            before = None
            changed = np.ones(len(now.rows), np.bool_)
        else:
            changed = _differ(now.rows, before.rows)
        is_repeated = (
            before is not None and not np.count_nonzero(changed) and _equal(image, before.image)
        )
        if not is_repeated:
            self._since = captured
        height, width = image.shape[:2]
        self._size = self._size or (height, width)
        if (height, width) != self._size:
            was = f"{self._size[1]}x{self._size[0]}"
            words = f"gives {width}x{height} pixels now, but gave {was} at the start"
            return PictureFaultKind.RESIZED, words
        if (colour := _even_colour(columns)) is not None:
            return PictureFaultKind.BLANK, f"shows nothing: its picture is evenly {colour}"
        if (torn := self._torn(now, before, changed)) is not None:
            return PictureFaultKind.TORN, f"gives incomplete pictures: {torn}"
        if is_first and self._frozen_seconds:
            return PictureFaultKind.FIRST, ""
        if is_repeated and self._frozen_seconds:
            if captured - self._since < self._frozen_seconds:
                return PictureFaultKind.REPEATED, ""
            words = (
                f"is frozen: it has given exactly the same picture for {self._frozen_seconds:g} s"
            )
            return PictureFaultKind.FROZEN, words
        return None, ""

    def _torn(self, now: _Seen, before: _Seen | None, changed: npt.NDArray[np.bool_]) -> str | None:
        """Describes the rows that do not show the present; None if there are none."""
        image, height = now.image, len(now.rows)
        fresh = _differ(now.rows[1:], now.rows[:-1])  # other than the row above it
        start, end = _longest_run(~fresh)
        if end - start >= _REPEATED_SHARE * height and _mostly(fresh, start, end):
            level = image[(start + end) // 2]
            first, last = _equal_rows(image[start + 1 : end + 1], image[start:end])
            if (
                not (level.max() <= _DARK or level.min() >= _BRIGHT)
                and last - first >= _REPEATED_SHARE * height
            ):
                first, last = start + first + 1, start + last + 1
                return f"its rows {first} to {last} of {height} repeat one another"
        if before is None or not np.count_nonzero(changed):
            return None
        start, end = _longest_run(~changed)
        if (
            self._lively >= _LIVELY_PICTURES
            and end - start >= _STALE_SHARE * height
            and _mostly(changed, start, end)
            and _share(fresh[start : end - 1]) >= _MOST
        ):
            first, last = _equal_rows(image[start:end], before.image[start:end])
            if last - first >= _STALE_SHARE * height:
                first, last = start + first + 1, start + last
                return f"its rows {first} to {last} of {height} are those of the picture before"
        self._lively = self._lively + 1 if _share(changed) >= _MOST else 0
        return None


def even_colour(image: Image) -> str | None:
    """The colour of a picture that shows nothing, in one word; None if it shows something.

    A picture of pure noise shows nothing. A dark place at night shows something, as long as
    anything in it can be distinguished.

    Args:
        image: uint8 (height, width, 3) BGR.
    """
    return _even_colour(_columns(image))


def _even_colour(columns: Image) -> str | None:
    across, down = _PARTS
    whole = columns[: max(1, len(columns) // down) * down]
    parts = cv2.resize(whole, (across, down), interpolation=cv2.INTER_AREA).reshape(-1, 3)
    lowest, highest = parts.min(axis=0), parts.max(axis=0)
    if np.any(highest - lowest > EVEN_LEVELS):
        return None
    level = int(parts[0].mean())
    if int(parts[0].max()) - int(parts[0].min()) > 20:
        return "coloured"
    return "dark" if level < 40 else "bright" if level > 215 else "grey"


def _columns(image: Image) -> Image:
    """40 of the columns of a picture."""
    size = _COLUMNS, image.shape[0]
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_NEAREST), np.uint8)


def _equal(one: Image, other: Image) -> bool:
    """Whether two pictures are equal in every pixel."""
    # Three times as fast as NumPy's comparison.
    return cv2.norm(np.ascontiguousarray(one), np.ascontiguousarray(other), cv2.NORM_INF) == 0


def _equal_rows(one: Image, other: Image) -> tuple[int, int]:
    """The longest run of rows that are equal in every pixel, as (first, last + 1).

    At the border between the good and the bad part of a JPEG, a row or two may differ in some
    columns only.
    """
    return _longest_run(np.all((one == other).reshape(len(one), -1), axis=1))


def _longest_run(flags: npt.NDArray[np.bool_]) -> tuple[int, int]:
    """The longest run of True as the indices (first, last + 1); (0, 0) if there is none."""
    if not np.count_nonzero(flags):  # as in nearly every picture
        return 0, 0
    edges = np.concatenate(([-1], np.flatnonzero(~flags), [len(flags)]))
    lengths = np.diff(edges) - 1
    best = int(lengths.argmax())
    start = int(edges[best]) + 1
    return (start, start + int(lengths[best])) if lengths[best] else (0, 0)


def _mostly(flags: npt.NDArray[np.bool_], start: int, end: int) -> bool:
    """Whether there are flags outside of `start` to `end`, and nearly all of them are True."""
    outside = np.concatenate((flags[:start], flags[end:]))
    return len(outside) > 0 and _share(outside) >= _MOST


def _differ(one: _Rows, other: _Rows) -> npt.NDArray[np.bool_]:
    """Which rows differ, bool (rows,)."""
    # This takes two thirds of the time of a comparison with np.any.
    return np.asarray(np.bitwise_or.reduce(one ^ other, axis=1) != 0)


def _share(flags: npt.NDArray[np.bool_]) -> float:
    """The share of flags that are True, 0..1; ten times as fast as their mean."""
    return np.count_nonzero(flags) / len(flags)
