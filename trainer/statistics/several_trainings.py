"""The share that is right of what several trainings were tested on, with a 95 % interval."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from edge.core.model.wilson import Z95, wilson
from trainer.statistics.intervals import NOTHING, Figure, Mask, Resampling, students_t, wider


def share_of_trainings(
    right: Mask | npt.NDArray[np.floating],
    groups: Sequence[str],
    trainings: Sequence[int] | npt.NDArray[np.integer],
    *,
    overlap: float,
) -> Figure:
    """The share of `right` over all pictures of all trainings.

    Two things vary. Pictures of one group are right or wrong together, in all trainings: whole
    groups are resampled. And a training with another seed or on other pictures comes out a little
    better or worse on all that it is tested on: this is Student's t over the trainings, whose
    variance is multiplied by 1 + n * overlap, because trainings share most of their pictures
    (Nadeau and Bengio, see `paired_difference`). The interval is the wider one of both. That of the
    trainings is Wilson's of as many independent pictures as would vary as much, so that neither
    leaves 0..1.

    Args:
        right: (pictures,), whether each was right; or which share of its tries was, 0..1. A picture
            counts once for each training that is tested on it.
        groups: of each picture, the same in all trainings.
        trainings: the number of each picture's training: of its seed, or of its fold.
        overlap: the pictures that a training is tested on for each one that it is trained on.
    """
    if not len(right):
        return NOTHING
    sampling = Resampling(groups, len(right))
    tried_once = right.dtype == bool
    found = sampling.share(right.astype(bool)) if tried_once else sampling.mean(right.astype(float))
    of = np.unique(trainings, return_inverse=True)[1]
    means = np.bincount(of, weights=right) / np.bincount(of)
    if found.value is None or found.interval is None or len(means) < 2 or not np.ptp(means):
        return found
    variance = float(np.var(means, ddof=1)) * (1 / len(means) + overlap)
    few = Z95 / students_t(len(means) - 1)
    independent = found.value * (1 - found.value) / variance * few**2
    return Figure(found.value, wider(found.interval, wilson(found.value, independent)))
