from __future__ import annotations

import numpy as np
import pytest

from edge.decision import Ballot, Destination, Framing, Rules, Sending, decide, send, unreadable
from edge.flow import Missed, RejectReason, Verdict

LABELS = ("can", "bottle")
CAPTURED = 100.0

FALLS = Destination("falls", moves=False)
AT_ONCE = Destination("at once", moves=True)
DELAYED = Destination("delayed", moves=True, delay_seconds=0.5)


def verdict(confidence: float = 0.9) -> Verdict:
    scores = np.array([confidence, 1 - confidence], np.float32)
    return decide(scores, LABELS, {"can": 0.8, "bottle": 0.8})


def sent(
    verdict: Verdict,
    lane: Destination,
    *,
    after: float,
    default: Destination = FALLS,
    deadline: float | None = None,
) -> Sending:
    """Where a can goes whose verdict came `after` seconds."""
    return send(
        verdict,
        destinations={"can": lane, "bottle": FALLS},
        default=default,
        passed=CAPTURED,
        now=CAPTURED + after,
        deadline=None if deadline is None else CAPTURED + deadline,
    )


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
    found = decide(np.array(scores, np.float32), LABELS, {"can": 0.75, "bottle": 0.8})
    assert (found.label, found.reject) == (label, reject)
    assert found.accepted == (reject is None)
    assert found.confidence == pytest.approx(max(scores))


@pytest.mark.parametrize(
    ("agreeing", "of", "agreement", "enough"),
    [(3, 5, 0.6, True), (2, 5, 0.6, False), (14, 25, 0.56, True), (13, 25, 0.56, False)],
)
def test_a_share_of_frames_that_is_reached_is_enough(
    agreeing: int, of: int, agreement: float, enough: bool
) -> None:
    ballot = Ballot(Rules(LABELS, {"can": 0.3, "bottle": 0.3}, agreement=agreement))
    for number in range(of):
        scores = (0.9, 0.1) if number < agreeing else (0.4, 0.6)
        ballot.add(np.array(scores, np.float32))
    found = ballot.verdict()
    assert (found.label, found.reject) == ("can", None if enough else RejectReason.DISAGREEMENT)


@pytest.mark.parametrize(
    ("strangeness", "unknown", "scores", "reject"),
    [
        (0.4, 0.5, (0.9, 0.1), None),
        (0.5, 0.5, (0.9, 0.1), None),  # stranger than the threshold, not as strange
        (0.6, 0.5, (0.9, 0.1), RejectReason.UNKNOWN),
        (0.6, 0.5, (0.6, 0.4), RejectReason.UNKNOWN),  # before low_confidence
        (0.4, 0.5, (0.6, 0.4), RejectReason.LOW_CONFIDENCE),
        (0.99, None, (0.9, 0.1), None),
        (None, 0.5, (0.9, 0.1), None),
        (float("nan"), 0.5, (0.9, 0.1), RejectReason.UNKNOWN),
    ],
)
def test_what_is_stranger_than_the_threshold_is_of_no_class(
    strangeness: float | None,
    unknown: float | None,
    scores: tuple[float, float],
    reject: RejectReason | None,
) -> None:
    found = decide(
        np.array(scores, np.float32),
        LABELS,
        {"can": 0.8, "bottle": 0.8},
        strangeness=strangeness,
        unknown=unknown,
    )
    assert (found.label, found.reject) == ("can", reject)
    assert found.strangeness == pytest.approx(strangeness, nan_ok=True)


def test_a_thing_of_no_class_is_unknown_also_where_its_frames_disagree() -> None:
    ballot = Ballot(Rules(LABELS, {"can": 0.3, "bottle": 0.3}, agreement=0.9, unknown=0.5))
    for scores in ((0.9, 0.1), (0.4, 0.6)):
        ballot.add(np.array(scores, np.float32), strangeness=0.8)
    assert ballot.verdict().reject is RejectReason.UNKNOWN


def test_only_the_frames_that_vote_say_how_strange_an_item_is() -> None:
    ballot = Ballot(Rules(LABELS, {"can": 0.3, "bottle": 0.3}, unknown=0.5))
    ballot.add(np.array((0.9, 0.1), np.float32), Framing.CUT, strangeness=1.0)
    ballot.add(np.array((0.9, 0.1), np.float32), strangeness=0.2)
    assert ballot.verdict().strangeness == pytest.approx(0.2)
    assert ballot.verdict().accepted


@pytest.mark.parametrize(
    ("lane", "after", "deadline", "at"),
    [
        (FALLS, 0.1, None, None),
        (FALLS, 99.0, None, None),  # what falls through is never late by itself
        (AT_ONCE, 0.1, None, CAPTURED + 0.1),
        (AT_ONCE, 99.0, None, CAPTURED + 99.0),
        (AT_ONCE, 0.2, 0.2, CAPTURED + 0.2),
        # counted from the capture, whenever the verdict came
        (DELAYED, 0.1, None, CAPTURED + 0.5),
        (DELAYED, 0.5, None, CAPTURED + 0.5),
    ],
)
def test_a_verdict_in_time_moves_its_lane(
    lane: Destination, after: float, deadline: float | None, at: float | None
) -> None:
    found = sent(verdict(), lane, after=after, deadline=deadline)
    assert (found.lane, found.at, found.verdict.reject) == (lane.lane, at, None)


@pytest.mark.parametrize(
    ("lane", "after", "deadline"),
    [
        (DELAYED, 0.51, None),  # the item has passed the actuator
        (DELAYED, 0.3, 0.2),
        (AT_ONCE, 0.3, 0.2),
        (FALLS, 0.3, 0.2),
    ],
)
def test_a_late_verdict_goes_to_the_default_lane(
    lane: Destination, after: float, deadline: float | None
) -> None:
    found = sent(verdict(), lane, after=after, deadline=deadline)
    assert (found.lane, found.at) == ("falls", None)
    assert found.verdict.reject is RejectReason.LATE
    assert found.verdict.label == "can"


@pytest.mark.parametrize(
    ("default", "after", "deadline", "at", "missed"),
    [
        (FALLS, 1.0, 0.2, None, None),
        (AT_ONCE, 0.1, None, CAPTURED + 0.1, None),
        (AT_ONCE, 0.3, 0.2, None, Missed.LATE),
        (DELAYED, 0.3, 0.2, CAPTURED + 0.5, None),  # the item has not come there yet
        (DELAYED, 0.6, None, None, Missed.LATE),
    ],
)
def test_a_reject_moves_the_default_lane_only_while_it_is_there(
    default: Destination,
    after: float,
    deadline: float | None,
    at: float | None,
    missed: Missed | None,
) -> None:
    found = sent(verdict(0.6), AT_ONCE, after=after, default=default, deadline=deadline)
    assert (found.lane, found.at, found.missed) == (default.lane, at, missed)
    assert found.verdict.reject is RejectReason.LOW_CONFIDENCE


def test_what_cannot_be_read_is_a_reject_without_a_label() -> None:
    found = sent(unreadable(), AT_ONCE, after=0.1)
    assert (found.lane, found.verdict.label) == ("falls", "")
    assert found.verdict.reject is RejectReason.UNREADABLE
