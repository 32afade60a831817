"""Figures that can be checked by hand or against print."""

from __future__ import annotations

import json

import numpy as np
import pytest

from edge.core.model.metrics import (
    Share,
    design_effect,
    evaluate_scores,
    round_up,
    share_in_words,
    wilson,
)
from edge.core.verdict import decide

LABELS = ("can", "glass", "paper")


@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    [
        # R. G. Newcombe, Two-sided confidence intervals for the single proportion: comparison of
        # seven methods, Statistics in Medicine 17 (1998), 857-872, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_is_wilsons(count: int, total: int, low: float, high: float) -> None:
    assert Share(count, total).interval == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(("count", "total"), [(0, 1), (1, 1), (0, 500), (500, 500), (3, 7)])
def test_the_interval_holds_the_share_and_stays_within_0_and_1(count: int, total: int) -> None:
    share = Share(count, total)
    assert share.interval is not None
    assert share.value is not None
    low, high = share.interval
    assert 0 <= low <= share.value <= high <= 1
    assert low < high


def test_a_share_of_nothing_has_no_value() -> None:
    nothing = Share(0, 0)
    assert (nothing.value, nothing.interval, str(nothing)) == (None, None, "none")


@pytest.mark.parametrize(
    ("count", "total", "said"),
    [
        (81, 263, "30.8% (25.5% to 36.6%, 81 of 263)"),
        (16, 16, "100.0% (80.6% to 100.0%, 16 of 16)"),  # at most 20 points wide
        (15, 15, "79% to 100% (15 of 15)"),  # wider: its interval only, rounded outwards
        (11, 13, "57% to 96% (11 of 13)"),
        (4, 4, "51% to 100% (4 of 4)"),
        (3, 3, "too few to say (3; about 20 needed)"),  # wider than 50 points
        (5, 10, "too few to say (10; about 95 needed)"),
        (0, 1, "too few to say (1; about 20 needed)"),
    ],
)
def test_a_share_is_told_as_far_as_so_many_pictures_tell_it(
    count: int, total: int, said: str
) -> None:
    assert str(Share(count, total)) == said


def test_pictures_of_a_few_series_are_told_by_their_wider_interval() -> None:
    assert share_in_words(0.95, (0.9, 0.97), 190, 200).startswith("95.0% (")
    assert share_in_words(0.95, (0.7, 0.99), 190, 200) == "70% to 99% (190 of 200)"
    assert (
        share_in_words(1.0, wilson(1.0, 2), 200, 200) == "too few to say (200; about 1,600 needed)"
    )


@pytest.mark.parametrize(("total", "independent"), [(200, 200), (200, 50), (200, 3)])
def test_the_design_effect_is_found_from_an_interval(total: int, independent: int) -> None:
    for value in (0.6, 0.9, 1.0):
        found = design_effect(value, wilson(value, independent), total)
        assert found == pytest.approx(total / independent)


@pytest.mark.parametrize(
    ("number", "rounded"), [(1, 5), (35, 35), (36, 40), (101, 110), (110, 110), (2345, 2400)]
)
def test_an_estimate_is_a_round_number(number: int, rounded: int) -> None:
    assert round_up(number) == rounded


# Best label, its score and the truth of eight pictures. By hand: right are 0, 1, 3, 4, 6 (5 of 8);
# over 0.6 are 0, 2, 3, 4, 5 (5 of 8), of which 0, 3, 4 are right (3 of 5).
PICTURES = [
    ("can", 0.9, "can"),
    ("can", 0.5, "can"),
    ("glass", 0.8, "can"),
    ("glass", 0.7, "glass"),
    ("glass", 0.95, "glass"),
    ("can", 0.65, "glass"),
    ("paper", 0.4, "paper"),
    ("can", 0.55, "paper"),
]


def _rows() -> tuple[np.ndarray, np.ndarray]:
    scores = np.zeros((len(PICTURES), 3), np.float32)
    for row, (label, score, _) in zip(scores, PICTURES, strict=True):
        row[:] = (1 - score) / 2
        row[LABELS.index(label)] = score
    return scores, np.array([LABELS.index(truth) for _, _, truth in PICTURES])


def test_figures_counted_by_hand() -> None:
    evaluation = evaluate_scores(*_rows(), LABELS, dict.fromkeys(LABELS, 0.6))
    assert evaluation.accuracy == Share(5, 8)
    assert evaluation.accepted == Share(5, 8)
    assert evaluation.purity == Share(3, 5)
    assert evaluation.confusion.tolist() == [[2, 1, 0], [1, 2, 0], [1, 0, 1]]
    precision = {label: figures.precision for label, figures in evaluation.classes.items()}
    recall = {label: figures.recall for label, figures in evaluation.classes.items()}
    assert precision == {"can": Share(2, 4), "glass": Share(2, 3), "paper": Share(1, 1)}
    assert recall == {"can": Share(2, 3), "glass": Share(2, 3), "paper": Share(1, 2)}


def test_each_label_has_its_own_threshold() -> None:
    accept = {"can": 0.0, "glass": 0.75, "paper": 1.0}
    evaluation = evaluate_scores(*_rows(), LABELS, accept)
    # Cans: 0, 1, 5, 7; glass from 0.75: 2, 4. Right among them: 0, 1, 4.
    assert evaluation.accepted == Share(6, 8)
    assert evaluation.purity == Share(3, 6)


def test_nothing_accepted_has_no_purity() -> None:
    evaluation = evaluate_scores(*_rows(), LABELS, dict.fromkeys(LABELS, 1.0))
    assert evaluation.accepted == Share(0, 8)
    assert evaluation.purity.value is None


def test_a_class_without_pictures_has_no_recall() -> None:
    scores, truth = _rows()
    evaluation = evaluate_scores(scores[:6], truth[:6], LABELS, dict.fromkeys(LABELS, 0.5))
    paper = evaluation.classes["paper"]
    assert (paper.recall.value, paper.precision.value) == (None, None)


def test_no_pictures_at_all() -> None:
    evaluation = evaluate_scores(
        np.zeros((0, 3), np.float32), np.zeros(0, np.int64), LABELS, dict.fromkeys(LABELS, 0.5)
    )
    assert evaluation.accuracy == Share(0, 0)
    assert evaluation.confusion.sum() == 0


def test_acceptance_is_what_the_device_decides() -> None:
    random = np.random.default_rng(1)
    scores = random.dirichlet((0.5, 0.5, 0.5), 500).astype(np.float32)
    # Thresholds that scores reach exactly, as float32 and as the nearest decimal.
    accept = {"can": float(scores[0].max()), "glass": 0.7, "paper": round(float(scores[1, 2]), 3)}
    accepted = sum(decide(row, LABELS, accept, title="", digest="").accepted for row in scores)
    truth = np.zeros(len(scores), np.int64)
    assert evaluate_scores(scores, truth, LABELS, accept).accepted.count == accepted


def test_json_has_the_names_that_evaluate_promises() -> None:
    whole = evaluate_scores(*_rows(), LABELS, dict.fromkeys(LABELS, 0.6)).to_json()
    found = json.loads(json.dumps(whole))
    assert found["images"] == 8
    assert found["accuracy"] == pytest.approx(5 / 8)
    # Wilson for 5 of 8: centre (0.625 + z²/16) / (1 + z²/8), z = 1.96.
    assert found["accuracy_interval"] == pytest.approx([0.3057, 0.8632], abs=1e-4)
    assert found["accepted"] == pytest.approx(5 / 8)
    assert found["accepted_interval"] == found["accuracy_interval"]  # 5 of 8 too
    assert found["purity"] == pytest.approx(3 / 5)
    assert found["classes"]["can"] == {
        "precision": pytest.approx(1 / 2),
        "precision_interval": pytest.approx([0.1500, 0.8500], abs=1e-4),  # 2 of 4
        "recall": pytest.approx(2 / 3),
        "recall_interval": pytest.approx([0.2077, 0.9385], abs=1e-4),  # 2 of 3
        "images": 3,
    }
