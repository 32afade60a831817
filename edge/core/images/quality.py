"""Whether a picture is worth keeping: its light, and how blurred a model would see it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.images.contact_sheet import thumbnail
from edge.core.images.image_file import Image

BLURRED = 0.6
"""From here on a picture is called blurred. Of 180 sharp photographs none was; of the same behind a
Gaussian blur of 1 % of their longer side three quarters were, of 2 % nineteen in twenty."""
DARK, BRIGHT = 80, 225
_SMALLEST_STEP = 0.3
"""Grey levels between neighbours, on average: a picture with less shows nothing to be sharp."""
_WINDOW = 11


@dataclass(frozen=True, slots=True)
class Quality:
    """What can be measured of a picture without knowing what is on it."""

    darkest: float
    """The grey level (0 to 255) that 1 % of the picture is darker than."""
    brightest: float
    """The grey level that 1 % is brighter than."""
    blur: float
    """0 sharp to 1 blurred, as seen in a thumbnail."""

    @property
    def blurred(self) -> bool:
        """True where a sharper picture should be taken."""
        return self.blur >= BLURRED

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to see to, in a few words each."""
        found = {
            "too dark": self.brightest < DARK,
            "too bright": self.darkest > BRIGHT,
            "blurred": self.blurred,
        }
        return tuple(words for words, is_so in found.items() if is_so)


def judge(image: Image) -> Quality:
    """The quality of `image`, uint8 (height, width, 3) BGR.

    Blur that is lost when the picture is made as small as a model sees it does not count.
    """
    grey = cv2.cvtColor(thumbnail(image), cv2.COLOR_BGR2GRAY)
    darkest, brightest = np.percentile(grey, (1, 99))
    levels = grey.astype(np.float32)
    return Quality(float(darkest), float(brightest), max(_blur(levels), _blur(levels.T)))


def _blur(levels: npt.NDArray[np.float32]) -> float:
    """How little the steps between rows shrink when the picture is blurred once more.

    After Crete et al., "The blur effect: perception and estimation with a new no-reference
    perceptual blur metric", SPIE 6492 (2007).
    """
    if len(levels) < 2:
        return 0.0
    steps = np.abs(np.diff(levels, axis=0))
    whole = float(steps.sum())
    if whole < _SMALLEST_STEP * steps.size:
        return 0.0
    again = np.abs(np.diff(cv2.blur(levels, (1, _WINDOW)), axis=0))
    return 1 - float(np.maximum(0, steps - again).sum()) / whole
