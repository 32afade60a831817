from __future__ import annotations

from tests.benchmarks.novelty_share import components, one_split, summary
from tests.trainer.calibration.test_leave_one_class_out import features
from trainer.recipes.plan import UnknownPlan


def test_a_split_of_clouds_of_features_keeps_most_of_what_is_put_aside() -> None:
    rows, pictures = features({"can": 0, "glass": 8, "paper": 16})
    plan = UnknownPlan(keep=0.8, confidence=0.8)
    found = one_split(components(rows), pictures, seed=0, plan=plan)
    assert found is not None
    assert found.aside < 0.5
    assert summary([found, None])["splits with a limit"].startswith("1 of 2")
