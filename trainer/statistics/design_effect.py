"""The design effect of pictures that come in groups of similar ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def cluster_design_effect(wrong: npt.NDArray[np.bool_], groups: Sequence[str]) -> float:
    """The number of pictures that hold as much information as one independent picture, 1 or more.

    The variance of the share of `wrong` ones between groups over that of independent pictures:
    L. Kish, Survey sampling, 1965. Not more than the groups' mean size, weighted by size, which it
    is where all pictures of each group are alike.
    """
    number = np.unique(list(groups), return_inverse=True)[1] if len(wrong) else np.zeros(0, int)
    sizes = np.bincount(number)
    share = float(wrong.mean()) if len(wrong) else 0.0
    if len(sizes) < 2 or not 0 < share < 1:
        return 1.0
    excess = np.bincount(number, weights=wrong - share)
    variance = float((excess**2).sum()) * len(sizes) / (len(sizes) - 1) / len(wrong) ** 2
    effect = variance / (share * (1 - share) / len(wrong))
    return float(np.clip(effect, 1.0, (sizes**2).sum() / sizes.sum()))
