"""The random values of a batch of pictures."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

_WIDTHS = {
    "background": 2,
    "rotate": 1,
    "zoom": 1,
    "shear": 2,
    "shift": 2,
    "flip": 2,
    "occlude": 9,
    "randaugment": 1,
    "brightness": 1,
    "contrast": 1,
    "gamma": 1,
    "color": 3,
    "white_balance": 1,
    "light": 4,
    "blur": 1,
    "defocus": 1,
    "motion": 2,
    "noise": 3,
    "jpeg": 1,
}
"""Values that each change takes for one picture."""
_ENDS = list(itertools.accumulate(_WIDTHS.values()))
_PLACES = {
    name: slice(end - width, end) for (name, width), end in zip(_WIDTHS.items(), _ENDS, strict=True)
}


class Chance:
    """For each change its own values, even between -1 and 1, whatever other changes there are."""

    def __init__(self, rng: np.random.Generator, pictures: int) -> None:
        self._values = rng.uniform(-1, 1, (pictures, _ENDS[-1]))

    def of(self, change: str) -> npt.NDArray[np.float64]:
        """float64 (pictures, values): what `change` takes."""
        return self._values[:, _PLACES[change]]


def generator(value: float) -> np.random.Generator:
    """A generator for what takes more than a few values, made of one value between -1 and 1."""
    return np.random.Generator(np.random.SFC64(int((value + 1) * 2**31)))
