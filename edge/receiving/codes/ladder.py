"""Codes in a picture: read as it is first, then turned, then enlarged and sharpened.

zxing-cpp finds a code of bars only where scan lines along rows or columns cross all of its bars: up
to some 25 degrees from either. Turned copies of the picture bring each angle there. Where a module
(the narrowest bar) has two pixels or less, or a blur as wide as half a module, a copy of twice the
size, sharpened, brings back codes that are found in no other.

What is read as an EAN or a UPC counts only where `bars.py` finds its bars in the picture.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import zxingcpp
from zxingcpp import BarcodeFormat

from edge.core.images.image_file import Image
from edge.core.images.preprocess import Box
from edge.receiving.codes.bars import BarProfile, CodeLine
from edge.receiving.codes.meaning import Meaning, meaning_of

Grey = npt.NDArray[np.uint8]
"""uint8 (height, width)."""

RETAIL = {"ean13": BarcodeFormat.EAN13, "ean8": BarcodeFormat.EAN8, "upca": BarcodeFormat.UPCA}
"""Formats of bars that have one check digit only, and are verified."""
LINEAR = {"code128": BarcodeFormat.Code128}
MATRIX = {"qr": BarcodeFormat.QRCode, "data_matrix": BarcodeFormat.DataMatrix}
"""Formats that are found at every angle, so that no turned copy is needed."""
_TURNS = (45.0, 22.5, -22.5)
"""Degrees. Each angle of a code is within 12 degrees of a row or a column of one of the copies."""
_ENLARGEMENT = 2.0
_SHARPENING_SIGMA = 1.5
"""Pixels of the enlarged copy."""
_SHARPENING_AMOUNT = 1.5
_MARGIN = 0.1
"""Room around an item's box, as a share of its longer side: a code needs its quiet zone."""
_REREADS = 3
"""How often the averaged bars of a code are read again, each time placed by what was read last."""


class Rung(NamedTuple):
    """One step of the ladder."""

    degrees: float = 0.0
    scale: float = 1.0

    @property
    def name(self) -> str:
        """`plain`, `turned 45`, `enlarged`, or `enlarged, turned 45`."""
        words = ["enlarged"] * (self.scale != 1) + [f"turned {self.degrees:g}"] * bool(self.degrees)
        return ", ".join(words) or "plain"


PLAIN = Rung()
LADDER = tuple(Rung(degrees, scale) for scale in (1.0, _ENLARGEMENT) for degrees in (0.0, *_TURNS))
"""The rungs in the order in which they are tried, the fastest first."""


@dataclass(frozen=True, slots=True)
class PictureCode:
    """A code that was read in a picture."""

    text: str
    """The text of the code; FNC1 within it is the character 0x1D."""
    format: str
    """The name of the format in a station file, such as `ean13`."""
    meaning: Meaning


@dataclass(frozen=True, slots=True)
class Reading:
    """The codes that were read in one picture."""

    codes: tuple[PictureCode, ...]
    """The codes, without repeats; empty if none was found."""
    rung: str | None
    """The name of the rung that read them; None if no rung did."""
    milliseconds: tuple[float, ...]
    """The milliseconds of each rung that was tried, in order."""


class CodeLadder:
    """Reads codes of some formats in pictures; used by one thread."""

    def __init__(
        self,
        formats: Iterable[str],
        *,
        rungs: Sequence[Rung] = LADDER,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Has read nothing.

        Args:
            formats: which codes are looked for: those of a station file. Others are not seen.
            rungs: what is tried, in this order; (PLAIN,) is the picture as it is alone.
            clock: seconds, by which the time that rungs take is measured.
        """
        self._clock = clock
        wanted = tuple(dict.fromkeys(formats))
        known = {**RETAIL, **LINEAR, **MATRIX}
        self._names = {known[name]: name for name in wanted}
        self._retail, self._linear, self._matrix = (
            [kinds[name] for name in wanted if name in kinds] for kinds in (RETAIL, LINEAR, MATRIX)
        )
        self._rungs = rungs

    def read(self, grey: Grey, beat: Callable[[], None] = lambda: None) -> Reading:
        """The codes of the first rung on which there are any.

        Args:
            grey: the picture, or the part of it that may hold codes.
            beat: called before each rung.
        """
        spent: list[float] = []
        for rung in self._rungs:
            others = self._linear if rung.degrees else [*self._linear, *self._matrix]
            if not self._retail and not others:
                continue
            beat()
            begun = self._clock()
            view = _View(grey, rung)
            found = tuple(self._codes(view, others))
            spent.append(1000 * (self._clock() - begun))
            if found:
                return Reading(found, rung.name, tuple(spent))
        return Reading((), None, tuple(spent))

    def _codes(self, view: _View, others: list[BarcodeFormat]) -> Iterator[PictureCode]:
        """The codes in one view, each once."""
        seen: set[tuple[str, str]] = set()
        for found in (*self._articles(view), *_read(view.picture, others)):
            name = self._names.get(found.format)
            if name is not None and (name, found.text) not in seen:
                seen.add((name, found.text))
                yield PictureCode(
                    found.text, name, meaning_of(found.text, found.symbology_identifier)
                )

    def _articles(self, view: _View) -> Iterator[zxingcpp.Barcode]:
        """The EAN and UPC codes in one view whose bars are those of their digits."""
        # One that was read wrongly, too, says where there is a code.
        for found in _read(view.picture, self._retail, errors=True):
            try:
                bars = BarProfile(view.whole, view.line(found), found.text)
            except ValueError:  # too little was read to know where its bars are
                continue
            for _ in range(_REREADS):
                if found.valid and bars.shows(found.text):
                    yield found
                    break
                again = _read(bars.picture, self._retail, errors=True)
                if len(again) != 1 or not bars.place(again[0].text):
                    break
                found = again[0]


def part_with_item(image: Image, box: Box | None) -> Grey:
    """The part of a picture that shows an item, with a margin, in grey; a copy.

    Args:
        image: uint8 (height, width, 3) BGR.
        box: the item's box; None for the whole picture.
    """
    if box is not None:
        margin = round(_MARGIN * max(box.width, box.height))
        top, left = max(0, box.top - margin), max(0, box.left - margin)
        bottom, right = box.top + box.height + margin, box.left + box.width + margin
        image = image[top:bottom, left:right]
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)


class _View:
    """The copy of a picture in which one rung looks for codes."""

    def __init__(self, grey: Grey, rung: Rung) -> None:
        self.whole, self.picture = grey, grey
        self._back = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
        if rung == PLAIN:
            return
        height, width = grey.shape
        middle = (width / 2 - 0.5, height / 2 - 0.5)
        matrix = cv2.getRotationMatrix2D(middle, rung.degrees, rung.scale)
        cosine, sine = abs(matrix[0, 0]), abs(matrix[0, 1])
        size = (
            int(np.ceil(height * sine + width * cosine)),
            int(np.ceil(height * cosine + width * sine)),
        )
        matrix[:, 2] += ((size[0] - width) / 2, (size[1] - height) / 2)
        self._back = cv2.invertAffineTransform(matrix)
        how = cv2.INTER_CUBIC if rung.scale > 1 else cv2.INTER_LINEAR
        view = cv2.warpAffine(grey, matrix, size, flags=how, borderMode=cv2.BORDER_REPLICATE)
        if rung.scale > 1:
            soft = cv2.GaussianBlur(view, (0, 0), _SHARPENING_SIGMA)
            view = cv2.addWeighted(view, 1 + _SHARPENING_AMOUNT, soft, -_SHARPENING_AMOUNT, 0)
        self.picture = np.asarray(view, np.uint8)

    def line(self, found: zxingcpp.Barcode) -> CodeLine:
        """Where a code that was found in `picture` is in `whole`."""
        at = found.position
        start, end = (
            self._back @ ((a.x + b.x) / 2, (a.y + b.y) / 2, 1.0)
            for a, b in ((at.top_left, at.bottom_left), (at.top_right, at.bottom_right))
        )
        return CodeLine((float(start[0]), float(start[1])), (float(end[0]), float(end[1])))


def _read(
    picture: Grey, formats: list[BarcodeFormat], *, errors: bool = False
) -> list[zxingcpp.Barcode]:
    if not formats:  # zxing-cpp would look for all
        return []
    return list(
        zxingcpp.read_barcodes(
            picture,
            formats=zxingcpp.BarcodeFormats(formats),
            text_mode=zxingcpp.TextMode.Plain,
            return_errors=errors,
        )
    )
