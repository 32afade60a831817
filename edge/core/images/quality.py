"""The quality of a picture: its brightness, and its blur at the size that a model sees."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.images.contact_sheet import thumbnail
from edge.core.images.image_file import Image

BLURRED = 0.6
"""The blur from which on a picture is called blurred. Of 180 sharp photographs none was; after a
Gaussian blur of 1 % of the longer side three quarters were, after 2 % nineteen in twenty."""
DARK, BRIGHT = 80, 225
_SMALLEST_STEP = 0.3
"""The mean difference in grey levels between neighbours below which a picture has no detail, so
that its blur cannot be measured."""
_WINDOW = 11


@dataclass(frozen=True, slots=True)
class Quality:
    """The measures of a picture that do not depend on what it shows."""

    darkest: float
    """The grey level, 0 to 255, below which 1 % of the pixels are."""
    brightest: float
    """The grey level, 0 to 255, above which 1 % of the pixels are."""
    blur: float
    """From 0 (sharp) to 1 (blurred), measured in a thumbnail."""

    @property
    def blurred(self) -> bool:
        """True if a sharper picture should be taken."""
        return self.blur >= BLURRED

    @property
    def warnings(self) -> tuple[str, ...]:
        """The faults of the picture, a few words for each."""
        found = {
            "too dark": self.brightest < DARK,
            "too bright": self.darkest > BRIGHT,
            "blurred": self.blurred,
        }
        return tuple(words for words, is_so in found.items() if is_so)


def judge(image: Image) -> Quality:
    """The quality of `image`, uint8 (height, width, 3) BGR.

    Blur that is not visible at the size that a model sees does not count.
    """
    grey = cv2.cvtColor(thumbnail(image), cv2.COLOR_BGR2GRAY)
    darkest, brightest = np.percentile(grey, (1, 99))
    levels = grey.astype(np.float32)
    return Quality(float(darkest), float(brightest), max(_blur(levels), _blur(levels.T)))


def _blur(levels: npt.NDArray[np.float32]) -> float:
    """The blur between rows: how little their differences shrink when the picture is blurred again.

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
