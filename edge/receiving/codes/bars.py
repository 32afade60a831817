"""Whether the bars of an EAN or UPC code in a picture are where its digits want them.

Each digit of an EAN is four widths, and the one check digit of the code lets every tenth wrong one
pass. Where a module has about two pixels, zxing-cpp's reading of single rows takes 1 for 7 and 2
for 8, several times in one code, so that a code in four was read wrongly in the scenes of
`tests/benchmarks/codes.py` without what is done here: the picture is averaged along the bars, which
takes the noise away; the widths that the digits have are laid over that profile; and the reading
counts only where no edge of a bar would fit better one module further left or right.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

Grey = npt.NDArray[np.uint8]
Profile = npt.NDArray[np.float64]

_ODD = ("0001101", "0011001", "0010011", "0111101", "0100011",
        "0110001", "0101111", "0111011", "0110111", "0001011")  # fmt: skip
"""Digits of the left half with an odd number of black modules (GS1 General Specifications, 5.2)."""
_PARITY = ("OOOOOO", "OOEOEE", "OOEEOE", "OOEEEO", "OEOOEE",
           "OEEOOE", "OEEEOO", "OEOEOE", "OEOEEO", "OEEOEO")  # fmt: skip
"""By the first digit of an EAN-13: which digits of the left half have an odd number."""

_SAMPLES = 4
"""Of a profile, for each module."""
_QUIET_MODULES = 5
"""White modules on either side of the bars that are looked at."""
_ROWS = np.arange(-12.0, 13.0, 3.0)
"""Pixels across the reading direction, at which the bars are averaged."""
_BLUR_MODULES = 0.45
"""Sigma of the blur of the widths that are laid over a profile."""
_SHARPENING_AMOUNT = 1.5
_LEAST_CORRELATION = 0.6
"""Between a profile and the widths: less is no code at all."""
_LEAST_GAIN = 0.1
"""Share of its own weight by which an edge must fit better where it is than a module away: it is
then no further than 0.45 modules from its place."""


class CodeLine(NamedTuple):
    """Where a reader has found a code: from the first edge of its first bar to its last."""

    start: tuple[float, float]
    """Pixels from the left and from the top."""
    end: tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Placement:
    """How the modules of a code lie along its line; all in modules but `slope`."""

    shift: float = 0.0
    stretch: float = 0.0
    """How much longer the code is than the line."""
    bulge: float = 0.0
    """How far the middle is from the middle, for a code on a bottle or seen at a slant."""
    slope: float = 0.0
    """Pixels along the line for each pixel across it: the bars need not be upright to it."""


_STEPS = (("shift", 0.5), ("stretch", 0.5), ("bulge", 0.5), ("slope", 0.1))


@cache
def ean_modules(digits: str) -> npt.NDArray[np.float64]:
    """The modules of an EAN-13 (13 digits, or the 12 of a UPC-A) or an EAN-8: 1 black, 0 white.

    Raises:
        ValueError: `digits` are no such code; the check digit is not looked at.
    """
    if not digits.isascii() or not digits.isdigit() or len(digits) not in (8, 12, 13):
        raise ValueError(f"an EAN has 8, 12 or 13 digits. Received: {digits!r}")
    if len(digits) == 8:
        left, right, parity = digits[:4], digits[4:], "OOOO"
    else:
        digits = digits.zfill(13)
        left, right, parity = digits[1:7], digits[7:], _PARITY[int(digits[0])]
    first = "".join(_left(digit, kind) for digit, kind in zip(left, parity, strict=True))
    second = "".join(_inverted(_ODD[int(digit)]) for digit in right)
    return np.array([float(bit) for bit in f"101{first}01010{second}101"])


def _left(digit: str, kind: str) -> str:
    odd = _ODD[int(digit)]
    return odd if kind == "O" else _inverted(odd)[::-1]


def _inverted(modules: str) -> str:
    return modules.translate(str.maketrans("01", "10"))


class BarProfile:
    """The levels of a picture along a code, averaged along its bars.

    Attributes:
        picture: it as a picture of bars without noise, uint8, to be read once more.
    """

    def __init__(self, grey: Grey, line: CodeLine, digits: str) -> None:
        """Finds the code around `line`.

        Args:
            digits: what was read there, or something like it: most of the bars have to be right.

        Raises:
            ValueError: `digits` are those of no EAN or UPC.
        """
        self._grey = grey
        start, end = np.array(line.start), np.array(line.end)
        self._start, self._along = start, end - start
        length = max(1.0, float(np.hypot(*self._along)))
        self._across = np.array([-self._along[1], self._along[0]]) / length
        self._length = length
        self._placement = self._fitted(_template(digits))

    @property
    def picture(self) -> Grey:
        """The bars as a picture without noise, uint8 (40, width), with a quiet zone."""
        levels = self._levels(self._placement, self._modules + 2 * _QUIET_MODULES, samples=6)
        soft = cv2.GaussianBlur(levels[None, :], (0, 0), sigmaX=6 * _BLUR_MODULES, sigmaY=0.1)[0]
        levels = levels + _SHARPENING_AMOUNT * (levels - soft)
        low, high = np.percentile(levels, (2, 98))
        scaled = np.clip((levels - low) * 255 / max(1.0, high - low), 0, 255)
        padded = np.pad(np.rint(scaled), 6 * _QUIET_MODULES, constant_values=255)
        return np.tile(padded.astype(np.uint8), (40, 1))

    def shows(self, digits: str) -> bool:
        """Whether the bars are those of `digits`, each edge in its place."""
        template = _template(digits)
        self._placement = self._fitted(template, begin=self._placement)
        levels = self._levels(self._placement, len(template) // _SAMPLES)
        design = np.column_stack(
            (template, np.ones_like(template), np.linspace(-1, 1, len(template)))
        )
        solution, *_ = np.linalg.lstsq(design, levels, rcond=None)
        contrast, left = float(solution[0]), levels - design @ solution
        correlation = 1 - float(left @ left) / max(1e-9, float(np.var(levels)) * len(levels))
        if correlation < _LEAST_CORRELATION**2:
            return False
        for change in _moved_edges(digits):
            weight = contrast**2 * float(change @ change)
            if weight - 2 * contrast * float(left @ change) < _LEAST_GAIN * weight:
                return False
        return True

    def place(self, digits: str) -> bool:
        """Finds the code again by other digits; False if these are not an EAN or UPC."""
        try:
            template = _template(digits)
        except ValueError:
            return False
        self._placement = self._fitted(template, begin=self._placement)
        return True

    def _fitted(self, template: Profile, begin: _Placement | None = None) -> _Placement:
        self._modules = len(template) // _SAMPLES - 2 * _QUIET_MODULES
        centred = template - template.mean()
        centred /= np.linalg.norm(centred)

        def fit(placement: _Placement) -> float:
            levels = self._levels(placement, len(template) // _SAMPLES)
            levels = levels - levels.mean()
            return abs(float(levels @ centred)) / max(1e-9, float(np.linalg.norm(levels)))

        if begin is None:
            grid = [
                _Placement(shift=shift, slope=slope)
                for shift in np.arange(-2.0, 2.1, 0.5)
                for slope in np.arange(-0.5, 0.51, 0.125)
            ]
            begin = max(grid, key=fit)
        best, height = begin, fit(begin)
        for finer in (1.0, 0.5, 0.25, 0.125):
            better = True
            while better:
                better = False
                for name, step in _STEPS:
                    for sign in (1, -1):
                        value = getattr(best, name) + sign * step * finer
                        other = replace(best, **{name: value})
                        if (reached := fit(other)) > height + 1e-6:
                            best, height, better = other, reached, True
        return best

    def _levels(self, at: _Placement, modules: int, samples: int = _SAMPLES) -> Profile:
        """Grey levels along the code, quiet zones included, averaged over _ROWS."""
        inner = self._modules
        place = (np.arange(modules * samples) + 0.5) / samples - _QUIET_MODULES
        part = place / inner
        spread = 4 * at.bulge * part * (1 - part)
        along = (place * (1 + at.stretch / inner) + at.shift + spread) / inner
        rows = _ROWS[:, None]
        share = along[None, :] + rows * at.slope / self._length
        across = self._start[0] + share * self._along[0] + rows * self._across[0]
        down = self._start[1] + share * self._along[1] + rows * self._across[1]
        found = cv2.remap(
            self._grey,
            across.astype(np.float32),
            down.astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return np.asarray(found.mean(axis=0), np.float64)


@cache
def _template(digits: str) -> Profile:
    """The modules of a code and its quiet zones, blurred, _SAMPLES for each."""
    return _blurred(np.pad(ean_modules(digits), _QUIET_MODULES))


@cache
def _moved_edges(digits: str) -> list[Profile]:
    """For each edge of a bar and either side, what the template gains where that edge is moved."""
    modules = np.pad(ean_modules(digits), _QUIET_MODULES)
    changes = []
    for edge in np.flatnonzero(np.diff(modules)) + 1:
        for module in (edge - 1, edge):
            other = modules[edge if module == edge - 1 else edge - 1]
            beyond = modules[module - 1] if module == edge - 1 else modules[module + 1]
            if beyond == other:
                continue  # the bar would be gone
            change = np.zeros_like(modules)
            change[module] = other - modules[module]
            changes.append(_blurred(change))
    return changes


def _blurred(modules: npt.NDArray[np.float64]) -> Profile:
    fine = np.repeat(modules, _SAMPLES)[None, :]
    soft = cv2.GaussianBlur(fine, (0, 0), sigmaX=_BLUR_MODULES * _SAMPLES, sigmaY=0.1)
    return np.asarray(soft[0], np.float64)
