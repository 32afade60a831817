"""A report warns of what makes its figures doubtful, and of nothing else."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from tests.trainer.report.made_up import LABELS, TEST, disturbed, facts, scored, unknown
from trainer.calibration.accept_thresholds import AcceptThreshold
from trainer.evaluation.held_out_use import HeldOutUse
from trainer.report.report_warnings import MANY_USES, report_warnings
from trainer.run import AcceptBasis
from trainer.statistics.intervals import NOTHING, Figure


def titles(**changes: Any) -> list[str]:
    return [warning.title for warning in report_warnings(facts(**changes))]


def test_of_a_good_training_there_is_nothing_to_say() -> None:
    assert titles() == []
    assert titles(disturbed=disturbed(), cross_fitted=scored(TEST)) == []


def basis(folds: int) -> AcceptBasis:
    """Scores of so many of three folds."""
    scores: Literal["cross-fitted", "validation"] = "cross-fitted" if folds else "validation"
    note = "" if folds == 3 else f"of 3 cross-fitted models {folds} can be used"
    return AcceptBasis(scores=scores, images=100, folds=folds, folds_planned=3, note=note)


def test_whole_folds_are_nothing_to_say() -> None:
    assert titles(basis=basis(3), cross_fitted=scored(TEST)) == []


def groups(number: int) -> list[str]:
    return [str(n % number) for n in range(len(TEST))]


MANY = [(n % 3, n % 3, 0.9) for n in range(600)]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"test": scored([])}, "There is no test split"),
        ({"test": scored(TEST[::3])}, "The test split is small: 40 pictures"),
        (
            {"test": scored(TEST[::3], groups=groups(4)[:40])},
            "The test split is small: 40 pictures in 4 groups",
        ),
        ({"test": scored(TEST, groups=groups(6))}, "only 6 groups"),
        ({"test": scored(TEST[:103])}, "Fewer than 10 test pictures of paper"),
        # Two thirds of what it accepts are wrong.
        ({"test": scored([(n % 3, 0, 0.9) for n in range(150)])}, "less than the 90%"),
        ({"held_out_use": HeldOutUse(MANY_USES, "2026-01-02T03:04:05+00:00")}, "since 2026-01-02"),
        ({"held_out_use": HeldOutUse(0, "", note="the disk is full")}, "was not counted"),
        (
            {"thresholds": {label: AcceptThreshold(0.98, 80, 80, "") for label in LABELS}},
            "It accepts only 21.7% (15.2% to 29.9%, 26 of 120) of the pictures",
        ),
        ({"cut_short": True}, "cut short"),
        ({"basis": basis(1)}, "Only 1 of 3 cross-fitted models could be used"),
        ({"basis": basis(0)}, "No cross-fitted model could be used"),
        ({"left_out": ("how it bears dirt",)},
         "Not measured, because the time was too short: how it bears dirt"),
        ({"validation": scored([(0, 1, 0.6)] * 40 + TEST[:60])},
         "Validation says 57.0% (47.2% to 66.3%, 57 of 100)"),
        ({"validation": scored(MANY), "test": scored(MANY[:500] + [(0, 1, 0.5)] * 100)},
         "600 of 600) and the test split 83.3% (8"),
        ({"test": scored([(2, 1, 0.5), *TEST[:93], *[(2, 1, 0.5)] * 20])},
         "No test picture of paper was classified correctly"),
        ({"cross_fitted": scored([*TEST, *[(2, 0, 0.7)] * 8])}, "paper for can (8 of 34)"),
        (
            {"thresholds": {label: AcceptThreshold(0.9, 8, 8, "no promise") for label in LABELS}},
            "No class carries a promise",
        ),
        ({"test": scored([(n % 3, n % 3 if n % 4 else (n + 1) % 3, 0.99) for n in range(400)])},
         "Its scores lie 24% off"),
        ({"disturbed": disturbed(change=-0.2, high=-0.05)}, "less accurate: blur (20"),
        ({"unknown": unknown(rejected=Figure(0.2, (0.138, 0.280)))},
         "It calls 20.0% (13.8% to 28.0%, 24 of 120) of the known test pictures unknown, and is to "
         "call at most 5% so"),
        ({"unknown": unknown(kept=Figure(0.995, (0.98, 1)), rejected=Figure(0.075, (0.04, 0.14)))},
         "of the known test pictures unknown, and 0.5% of those to validate on"),
        ({"history": facts().history[:5]}, "Its last epoch was its best"),
        ({"counts": {"can": {"train": 500}, "glass": {"train": 40}, "paper": {"train": 90}}},
         "500 pictures of can and 40 of glass"),
        ({"skipped": 1}, "1 file was left out"),
        ({"skipped": 1200}, "1,200 files were left out"),
    ],
)  # fmt: skip
def test_it_warns(changes: dict[str, Any], said: str) -> None:
    assert any(said in title for title in titles(**changes)), titles(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"held_out_use": HeldOutUse(MANY_USES - 1, "2026-01-02T03:04:05+00:00")},
        {"held_out_use": None},
        {"thresholds": facts().thresholds | {"can": AcceptThreshold(0.9, 8, 8, "no promise")}},
        {"disturbed": disturbed(change=-0.2, high=0.05)},  # chance could explain it
        {"disturbed": disturbed(change=-0.05, high=-0.01)},  # sure, but small
        {"cross_fitted": scored([*TEST, (2, 0, 0.7)])},
        {"validation": scored([(0, 1, 0.6)] * 3 + TEST[:60])},
        {"history": []},
        {"validation": None},
        {"unknown": unknown()},
        {"unknown": unknown(rejected=Figure(0.075, (0.04, 0.14)))},  # chance could explain it
        {"unknown": unknown(threshold=None, rejected=NOTHING)},
    ],
)
def test_it_is_quiet_where_there_is_no_reason(changes: dict[str, Any]) -> None:
    assert titles(**changes) == []


def test_many_items_are_not_all_listed() -> None:
    confused = [(0, 1, 0.6), (0, 2, 0.6), (1, 0, 0.6), (1, 2, 0.6), (2, 0, 0.6), (2, 1, 0.6)]
    (title,) = [t for t in titles(cross_fitted=scored(confused * 10)) if "often takes" in t]
    assert title.endswith(" and 2 more")
    assert title.count(" for ") == 4


def test_every_caution_says_what_to_make_of_it() -> None:
    found = report_warnings(facts(test=scored(TEST[::3]), cut_short=True, skipped=2))
    assert len(found) == 3
    assert all(warning.advice.endswith(".") for warning in found)
    assert not any(warning.title.endswith(".") for warning in found)
