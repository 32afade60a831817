"""Scores in, verdict out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edge.core.verdict import Ballot, Framing, RejectReason, Rules, decide

LABELS = ("can", "bottle")


def ballot_of(**rules: Any) -> Ballot:
    return Ballot(Rules(LABELS, {"can": 0.3, "bottle": 0.3}, **rules), title="tiny 1", digest="d1")


@pytest.mark.parametrize(
    ("scores", "label", "reject"),
    [
        ((0.9, 0.1), "can", None),
        ((0.1, 0.9), "bottle", None),
        ((0.75, 0.25), "can", None),  # a threshold that is reached is enough
        ((0.5, 0.5), "can", RejectReason.LOW_CONFIDENCE),
        ((0.4, 0.6), "bottle", RejectReason.LOW_CONFIDENCE),
    ],
)
def test_the_best_label_is_accepted_from_its_threshold_on(
    scores: tuple[float, float], label: str, reject: RejectReason | None
) -> None:
    found = decide(
        np.array(scores, np.float32),
        LABELS,
        {"can": 0.75, "bottle": 0.8},
        title="tiny 1",
        digest="d1",
    )
    assert (found.label, found.reject) == (label, reject)
    assert found.accepted == (reject is None)
    assert found.confidence == pytest.approx(max(scores))
    assert found.scores == pytest.approx(dict(zip(LABELS, scores, strict=True)))
    assert (found.title, found.digest) == ("tiny 1", "d1")


@pytest.mark.parametrize(
    ("agreeing", "of", "agreement", "enough"),
    [(3, 5, 0.6, True), (2, 5, 0.6, False), (14, 25, 0.56, True), (13, 25, 0.56, False)],
)
def test_a_share_of_frames_that_is_reached_is_enough(
    agreeing: int, of: int, agreement: float, enough: bool
) -> None:
    ballot = ballot_of(agreement=agreement)
    for number in range(of):
        scores = (0.9, 0.1) if number < agreeing else (0.4, 0.6)
        ballot.add(np.array(scores, np.float32))
    found = ballot.verdict()
    assert (found.label, found.reject) == ("can", None if enough else RejectReason.DISAGREEMENT)


@pytest.mark.parametrize(
    ("novelty", "unknown", "scores", "reject"),
    [
        (0.4, 0.5, (0.9, 0.1), None),
        (0.5, 0.5, (0.9, 0.1), None),  # above the threshold, not at it
        (0.6, 0.5, (0.9, 0.1), RejectReason.UNKNOWN),
        (0.6, 0.5, (0.6, 0.4), RejectReason.UNKNOWN),  # before low_confidence
        (0.4, 0.5, (0.6, 0.4), RejectReason.LOW_CONFIDENCE),
        (0.99, None, (0.9, 0.1), None),
        (None, 0.5, (0.9, 0.1), None),
        (float("nan"), 0.5, (0.9, 0.1), RejectReason.UNKNOWN),
    ],
)
def test_a_novelty_score_above_the_threshold_is_rejected_as_unknown(
    novelty: float | None,
    unknown: float | None,
    scores: tuple[float, float],
    reject: RejectReason | None,
) -> None:
    found = decide(
        np.array(scores, np.float32),
        LABELS,
        {"can": 0.8, "bottle": 0.8},
        title="tiny 1",
        digest="d1",
        novelty=novelty,
        unknown=unknown,
    )
    assert (found.label, found.reject) == ("can", reject)
    assert found.novelty == pytest.approx(novelty, nan_ok=True)


def test_a_thing_of_no_class_is_unknown_also_where_its_frames_disagree() -> None:
    ballot = ballot_of(agreement=0.9, unknown=0.5)
    for scores in ((0.9, 0.1), (0.4, 0.6)):
        ballot.add(np.array(scores, np.float32), novelty=0.8)
    assert ballot.verdict().reject is RejectReason.UNKNOWN


def test_only_the_frames_that_vote_count_for_the_novelty_score() -> None:
    ballot = ballot_of(unknown=0.5)
    ballot.add(np.array((0.9, 0.1), np.float32), Framing.CUT, novelty=1.0)
    ballot.add(np.array((0.9, 0.1), np.float32), novelty=0.2)
    assert ballot.verdict().novelty == pytest.approx(0.2)
    assert ballot.verdict().accepted


@pytest.mark.parametrize("framing", [Framing.CUT, Framing.ASIDE])
def test_of_frames_that_are_not_good_those_vote_that_show_nearly_the_most(framing: Framing) -> None:
    ballot = ballot_of()
    for shown, scores in ((0.3, (0.1, 0.9)), (0.9, (0.8, 0.2)), (1.0, (0.9, 0.1)), (0.8, (0, 1))):
        ballot.add(np.array(scores, np.float32), framing, shown=shown)
    assert ballot.frames == 2
    assert ballot.verdict().confidence == pytest.approx(0.85)


def test_among_good_frames_all_vote_whatever_they_show() -> None:
    ballot = ballot_of()
    ballot.add(np.array((0.1, 0.9), np.float32), Framing.CUT, shown=1.0)
    for shown in (0.1, 1.0):
        ballot.add(np.array((0.9, 0.1), np.float32), shown=shown)
    assert ballot.frames == 2
