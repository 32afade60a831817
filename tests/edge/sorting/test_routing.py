"""From a verdict to a lane and a moment."""

from __future__ import annotations

import numpy as np
import pytest

from edge.core.verdict import RejectReason, Verdict, decide, unreadable
from edge.flow import Missed
from edge.sorting.routing import Destination, Routing, route

LABELS = ("can", "bottle")
CAPTURED = 100.0

FALLS = Destination("falls", moves=False)
AT_ONCE = Destination("at once", moves=True)
DELAYED = Destination("delayed", moves=True, delay_seconds=0.5)


def verdict(confidence: float = 0.9) -> Verdict:
    scores = np.array([confidence, 1 - confidence], np.float32)
    return decide(scores, LABELS, {"can": 0.8, "bottle": 0.8}, title="tiny 1", digest="0" * 64)


def sent(
    verdict: Verdict,
    lane: Destination,
    *,
    after: float,
    default: Destination = FALLS,
    deadline: float | None = None,
) -> Routing:
    """Where a can goes whose verdict came `after` seconds."""
    return route(
        verdict,
        destinations={"can": lane, "bottle": FALLS},
        default=default,
        passed=CAPTURED,
        now=CAPTURED + after,
        deadline=None if deadline is None else CAPTURED + deadline,
    )


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
    found = sent(unreadable(title="tiny 1", digest="0" * 64), AT_ONCE, after=0.1)
    assert (found.lane, found.verdict.label) == ("falls", "")
    assert found.verdict.reject is RejectReason.UNREADABLE
