from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.benchmarks.novelty_share import PictureSet, components, splits_of, summary
from tests.trainer.calibration.test_leave_one_class_out import features
from trainer.data.cache import DecodedPictures
from trainer.recipes.plan import UnknownPlan

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def test_a_split_of_clouds_of_features_keeps_most_of_what_is_put_aside() -> None:
    rows, pictures = features({"can": 0, "glass": 8, "paper": 16})
    grouped = tuple(replace(p, group=p.group or str(i)) for i, p in enumerate(pictures))
    decoded = DecodedPictures(grouped, np.zeros((len(rows), 1), np.uint8), (), ())  # type: ignore[arg-type]
    given = PictureSet(decoded, grouped, components(rows))
    (found,) = splits_of(given, 1, UnknownPlan(keep=0.8, confidence=0.8))
    assert found is not None
    assert found.aside < 0.5
    assert summary([found, None])["splits with a limit"].startswith("1 of 2")
