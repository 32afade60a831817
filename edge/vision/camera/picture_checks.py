"""Whether a live camera's picture shows what is before it now: pictures in, a fault out. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.images.image_file import Image
from edge.flow import PictureFault, PictureFaultKind

EVEN_LEVELS = 1
"""Levels, of 255, by which the means of a picture's 48 parts differ at most where it shows nothing.
Measured: the least that 510 photographs differ by is 41; at a fiftieth of their light, with noise
of two levels on it, one in a hundred is as even as this; so is noise alone, up to five levels."""
LASTING_SECONDS = 0.5
"""Blank, torn or resized pictures one after the other for so long are more than a hiccup."""
_PARTS = 8, 6
"""Across and down."""
_COLUMNS = 40
"""So many pixels of each row are compared with every picture; all of them where these are equal."""
_REPEATED_SHARE = 1 / 8
"""Of a picture's rows: so many in a row, each exactly as the one above it, were never taken."""
_STALE_SHARE = 1 / 4
"""Of its rows: so many, exactly as in the picture before, are left over from that."""
_MOST = 0.9
_LIVELY_PICTURES = 30
"""So many pictures one after the other that changed in nearly every row show that the camera has
noise, and codes each picture by itself: rows that stand still are no part of such a picture."""
_DARK, _BRIGHT = 16, 250
"""What is clipped has no noise: such rows are equal to each other by right."""

_Rows = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    image: Image
    rows: _Rows
    """(height, 15): 40 pixels of each row, 8 bytes in one number."""


class PictureChecker:
    """Finds what is wrong with the pictures of one camera, each by itself and beside the last.

    A sensor has noise: two of its pictures, or two rows of one, are never exactly equal. A picture
    that equals the one before it tells nothing new, and so does the first one of all, which nobody
    knows to be live yet. What cannot be known: half a picture that a decoder has painted from the
    one before with motion, and a black half, which may be a dark place.
    """

    def __init__(self, *, frozen_seconds: float) -> None:
        """Knows no picture yet.

        Args:
            frozen_seconds: the same picture for so long is a frozen one; 0: it never is, and
                pictures may be equal.
        """
        self._frozen_seconds = frozen_seconds
        self._size: tuple[int, int] | None = None
        self._before: _Seen | None = None
        self._since = self._bad_since = 0.0
        self._bad = False
        self._lively = 0

    def forget(self) -> None:
        """The camera is opened anew; its pictures must keep their size all the same."""
        self._before, self._bad, self._lively = None, False, 0

    def look(self, image: Image, captured: float) -> PictureFault | None:
        """What is wrong with the next picture; None: nothing that shows.

        Args:
            image: uint8 (height, width, 3) BGR, which nobody changes afterwards.
            captured: seconds on any monotonic clock.
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
            words = f"gives {width}x{height} pixels now, and gave {was} when it was started"
            return PictureFaultKind.RESIZED, words
        if (colour := _even_colour(columns)) is not None:
            return PictureFaultKind.BLANK, f"shows nothing: its picture is evenly {colour}"
        if (torn := self._torn(now, before, changed)) is not None:
            return PictureFaultKind.TORN, f"gives parts of pictures: {torn}"
        if is_first and self._frozen_seconds:
            return PictureFaultKind.FIRST, ""
        if is_repeated and self._frozen_seconds:
            if captured - self._since < self._frozen_seconds:
                return PictureFaultKind.REPEATED, ""
            words = f"is frozen: exactly the same picture for {self._frozen_seconds:g} s"
            return PictureFaultKind.FROZEN, words
        return None, ""

    def _torn(self, now: _Seen, before: _Seen | None, changed: npt.NDArray[np.bool_]) -> str | None:
        """Which rows are no picture of now, in words; None: all may be."""
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
    """The colour of a picture that shows nothing, in a word or two; None: there is something.

    What is no more than noise shows nothing either. A dark place at night does, as long as
    anything stands out from the dark.

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
    # Three times as quick as NumPy's comparison.
    return cv2.norm(np.ascontiguousarray(one), np.ascontiguousarray(other), cv2.NORM_INF) == 0


def _equal_rows(one: Image, other: Image) -> tuple[int, int]:
    """(first, one behind the last) of the longest run of rows that are equal in every pixel.

    Where a JPEG's good part meets the other, a row or two differ in some of their columns only.
    """
    return _longest_run(np.all((one == other).reshape(len(one), -1), axis=1))


def _longest_run(flags: npt.NDArray[np.bool_]) -> tuple[int, int]:
    """(first, one behind the last) index of the longest run of True; (0, 0): there is none."""
    if not np.count_nonzero(flags):  # as in nearly every picture
        return 0, 0
    edges = np.concatenate(([-1], np.flatnonzero(~flags), [len(flags)]))
    lengths = np.diff(edges) - 1
    best = int(lengths.argmax())
    start = int(edges[best]) + 1
    return (start, start + int(lengths[best])) if lengths[best] else (0, 0)


def _mostly(flags: npt.NDArray[np.bool_], start: int, end: int) -> bool:
    """Whether nearly all flags but those from `start` to `end` are True, and there are some."""
    outside = np.concatenate((flags[:start], flags[end:]))
    return len(outside) > 0 and _share(outside) >= _MOST


def _differ(one: _Rows, other: _Rows) -> npt.NDArray[np.bool_]:
    """bool (rows,): which rows differ."""
    # Two thirds of what comparing and np.any take.
    return np.asarray(np.bitwise_or.reduce(one ^ other, axis=1) != 0)


def _share(flags: npt.NDArray[np.bool_]) -> float:
    """Of the flags, how many are True, 0..1. A tenth of what their mean takes."""
    return np.count_nonzero(flags) / len(flags)
