"""Figures of scores that can be checked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from edge.core.model.metrics import Share
from tests.trainer.report.made_up import LABELS, TEST, scored
from trainer.report.scored_split import (
    accepting,
    at_coverage,
    calibration,
    class_rows,
    confusion_matrix,
    confusions,
    coverage_curve,
    worst_errors,
)
from trainer.statistics.intervals import Resampling


def test_scores_are_those_after_the_temperature() -> None:
    found = scored([(0, 0, 0.8), (1, 2, 0.5)], temperature=2.0)
    assert found.scores.max(axis=1) == pytest.approx([0.8, 0.5])
    assert found.raw_scores[0].max() > 0.9
    assert found.best.tolist() == [0, 2]
    assert found.right.tolist() == [True, False]


def test_every_class_has_its_figures() -> None:
    can, glass, paper = class_rows(scored(TEST), LABELS)
    assert (can.pictures, can.taken, can.right) == (53, 50, 50)
    assert (glass.pictures, glass.taken, glass.right) == (41, 43, 40)
    assert (paper.pictures, paper.taken, paper.right) == (26, 27, 26)
    assert can.precision.value == 1
    assert can.recall.value == 50 / 53
    assert can.recall.interval == pytest.approx(Share(50, 53).interval)
    assert glass.f1.value == pytest.approx(2 * 40 / (41 + 43))
    assert glass.f1.interval is not None
    assert glass.f1.interval[0] < glass.f1.value < glass.f1.interval[1]


def test_pictures_of_one_object_make_a_class_s_figures_less_sure() -> None:
    answers = [(n % 2, n % 2 if n // 10 != 3 else 1 - n % 2, 0.9) for n in range(100)]
    alone = class_rows(scored(answers), LABELS)[0]
    series = class_rows(scored(answers, groups=[str(n // 10) for n in range(100)]), LABELS)[0]
    for name in ("precision", "recall", "f1"):
        narrow, wide = getattr(alone, name).interval, getattr(series, name).interval
        assert wide[1] - wide[0] > narrow[1] - narrow[0]


def test_the_matrix_has_what_it_is_in_rows() -> None:
    assert confusion_matrix(scored(TEST), 3).tolist() == [[50, 3, 0], [0, 40, 1], [0, 0, 26]]


def test_confusions_come_by_number_and_their_pictures_by_confidence() -> None:
    first, second = confusions(scored(TEST), LABELS)
    assert (first.label, first.taken_for, first.pictures) == ("can", "glass", Share(3, 53))
    assert first.worst == (50, 51, 52)
    assert (second.label, second.taken_for, second.worst) == ("glass", "paper", (93,))


def test_the_worst_error_is_the_most_confident() -> None:
    assert worst_errors(scored(TEST)) == (93, 50, 51, 52)


def test_calibration_by_hand() -> None:
    # Two bins: 0.95 with one of two right, 0.65 with both right.
    found = scored([(0, 0, 0.95), (1, 0, 0.95), (0, 0, 0.65), (2, 2, 0.65)])
    figures = calibration(found.scores, found.truth)
    assert figures is not None
    assert [(b.low, b.right) for b in figures.bins] == [(0.6, Share(2, 2)), (0.9, Share(1, 2))]
    assert figures.error == pytest.approx(0.5 * 0.45 + 0.5 * 0.35)
    right, wrong = 0.95, 0.025
    assert figures.log_loss == pytest.approx(
        -np.mean([np.log(right), np.log(wrong), np.log(0.65), np.log(0.65)])
    )
    brier = [0.05**2 + 2 * 0.025**2, 0.95**2 + 0.975**2 + 0.025**2, *[0.35**2 + 2 * 0.175**2] * 2]
    assert figures.brier == pytest.approx(np.mean(brier))


def test_a_certain_score_falls_into_the_last_bin() -> None:
    figures = calibration(np.array([[1.0, 0.0]]), np.array([1]))
    assert figures is not None
    assert (figures.bins[0].low, figures.error) == (0.9, 1.0)
    assert np.isfinite(figures.log_loss)


def test_what_is_accepted_reaches_the_threshold_of_its_label() -> None:
    found = accepting(scored(TEST), LABELS, {"can": 0.5, "glass": 0.89, "paper": 0.98})
    # 50 cans, 40 glasses and the can that is taken for glass at 0.9, 26 papers.
    assert (found.count, found.right, found.total) == (117, 116, 120)
    assert found.purity.value == 116 / 117
    assert found.accepted == Resampling(None, 120).share(np.arange(120) < 117)


def test_the_curve_goes_from_the_surest_to_all() -> None:
    curve = coverage_curve(scored([(0, 0, 0.9), (1, 1, 0.8), (0, 1, 0.8), (1, 1, 0.6)]))
    assert curve == (
        (0.25, 1.0, pytest.approx(0.9)),
        (0.75, pytest.approx(2 / 3), pytest.approx(0.8)),
        (1.0, 0.75, pytest.approx(0.6)),
    )


@pytest.mark.parametrize(("coverage", "right", "count"), [(0.25, 1, 1), (0.5, 2, 2), (1.0, 3, 4)])
def test_at_a_share_accepted_the_surest_count(coverage: float, right: int, count: int) -> None:
    found = at_coverage(scored([(0, 0, 0.9), (1, 1, 0.85), (0, 1, 0.8), (1, 1, 0.6)]), coverage)
    assert (found.right, found.count) == (right, count)


def test_of_no_pictures_there_are_no_figures() -> None:
    nothing = scored([])
    assert calibration(nothing.scores, nothing.truth) is None
    assert class_rows(nothing, LABELS)[0].recall.value is None
    assert worst_errors(nothing) == confusions(nothing, LABELS) == coverage_curve(nothing) == ()
