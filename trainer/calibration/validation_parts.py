"""The validation pictures that choose the best epoch, and those that the model is calibrated by."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trainer.calibration.unknown import may_set_limit
from trainer.data.stratified_split import fold_pictures
from trainer.errors import TooFewPicturesError
from trainer.fit.prepare import Prepared

Indices = npt.NDArray[np.int64]


def validation_parts(prepared: Prepared) -> tuple[Indices, Indices]:
    """Indices of the validation pictures that choose the best epoch, and of those to calibrate.

    Without cross-fitted models each has a half. With them, each has a half if that is enough to set
    the limit of the novelty score by; otherwise both are the whole split, and the limit is a rough
    one. They are the same where a training starts from an earlier run, too, whose epoch they chose:
    nothing is promised by them then.

    Raises:
        TooFewPicturesError: without cross-fitted models, all pictures belong to one group.
    """
    validation = prepared.of("validation")
    if prepared.earlier is not None:
        return validation, validation
    pictures = [prepared.pictures[i] for i in validation]
    halves = np.array(fold_pictures(pictures, 2, seed=prepared.seed))
    choosing, calibration = validation[halves == 0], validation[halves == 1]
    recipe = prepared.recipe
    if recipe.accept.folds > 1:
        groups = [str(prepared.pictures[i].group) for i in calibration]
        if recipe.unknown.score == "none" or not may_set_limit(groups, recipe.unknown):
            return validation, validation
    if not len(calibration):
        raise TooFewPicturesError(
            "accept.folds: 1 takes half of the validation pictures to choose the epoch and half to "
            "choose thresholds, but all of them belong to one group: set accept.folds to 2 or "
            "more, or add pictures of more groups"
        )
    return choosing, calibration
