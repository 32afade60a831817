"""The bench trains both ways on the same pictures, and each as a training of its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.benchmarks.novelty_share import PictureSet, components
from tests.benchmarks.same_ways import compared, told
from tests.trainer.calibration.test_leave_one_class_out import features
from trainer.data.cache import DecodedPictures

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.mark.parametrize("folds", [None, 2])
def test_a_way_is_compared_with_other_trainings_of_itself(folds: int | None) -> None:
    # Two classes that look the same, so that two trainings take many of them otherwise.
    rows, pictures = features({"can": 0, "twin": 0, "paper": 8})
    grouped = tuple(replace(p, group=p.group or str(i)) for i, p in enumerate(pictures))
    decoded = DecodedPictures(grouped, np.zeros((len(rows), 1), np.uint8), (), ())  # type: ignore[arg-type]
    given = PictureSet(decoded, grouped, components(rows))
    (found,) = compared(given, 1, seeds=2, folds=folds)
    one, other = found.ways
    assert len(one.outcomes) == 2
    for mine, theirs in zip(one.outcomes, other.outcomes, strict=True):
        assert mine.predictions.keys() == theirs.predictions.keys()
        assert mine.trained_on + len(mine.predictions) < len(rows), "some choose the epoch"
    tested = [set(outcome.predictions) for outcome in one.outcomes]
    assert (tested[0].isdisjoint(tested[1]) and len(tested[0] | tested[1]) == len(rows)) == bool(
        folds
    )
    assert [o.predictions for o in one.outcomes] != [o.predictions for o in other.outcomes]
    assert told([found])["told from itself"].startswith("0 of 1")
