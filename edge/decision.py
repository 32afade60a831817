"""Scores in, verdict out. Pure: no clock of its own, no input or output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from edge.flow import RejectReason, Scores, Verdict


def decide(scores: Scores, labels: Sequence[str], accept: Mapping[str, float]) -> Verdict:
    """The verdict on one frame: its best label, accepted when its score reaches the threshold.

    Args:
        scores: float32 (classes,), class probabilities.
        labels: the label of each class index.
        accept: the accept threshold, 0..1, of every label.
    """
    best = int(scores.argmax())
    label, confidence = labels[best], float(scores[best])
    low = confidence < accept[label]
    return Verdict(label, confidence, scores, RejectReason.LOW_CONFIDENCE if low else None)


def unreadable() -> Verdict:
    """The verdict on an item whose picture could not be decoded: a reject without a label."""
    return Verdict("", 0.0, np.empty(0, np.float32), RejectReason.UNREADABLE)


@dataclass(frozen=True, slots=True)
class Destination:
    """A lane, as the decision sees it."""

    lane: str
    moves: bool
    """It has an actuator; items fall through into one that has none."""
    delay_seconds: float | None = None
    """From the capture of an item to the moment its actuator must move; None: at once."""


@dataclass(frozen=True, slots=True)
class Sending:
    """Where an item goes, and when."""

    verdict: Verdict
    """The decision's, or a reject where it came too late."""
    lane: str
    at: float | None
    """When the lane's actuator is to move, on the clock of the captures; None: it stays at rest."""
    missed: bool = False
    """The lane has an actuator, but its moment has passed."""


def send(
    verdict: Verdict,
    *,
    destinations: Mapping[str, Destination],
    default: Destination,
    captured: float,
    now: float,
    deadline_seconds: float | None = None,
) -> Sending:
    """Where an item goes: the lane of its label, or the default lane when rejected or too late.

    Args:
        destinations: the lane of every label.
        default: the lane of rejects.
        captured: when the item was captured, in seconds.
        now: when the verdict was there, on the same clock.
        deadline_seconds: how long after its capture an item may get its verdict; None: for ever.
    """
    passed = deadline_seconds is not None and now > captured + deadline_seconds
    if verdict.accepted:
        target = destinations[verdict.label]
        if not passed and not _is_over(target, captured, now):
            return Sending(verdict, target.lane, _moment(target, captured, now))
        verdict = replace(verdict, reject=RejectReason.LATE)
    # A reject must not move the default lane's actuator in front of the next item either.
    over = _is_over(default, captured, now) or (passed and default.delay_seconds is None)
    if default.moves and over:
        return Sending(verdict, default.lane, None, missed=True)
    return Sending(verdict, default.lane, _moment(default, captured, now))


def _is_over(lane: Destination, captured: float, now: float) -> bool:
    delay = lane.delay_seconds
    return lane.moves and delay is not None and now > captured + delay


def _moment(lane: Destination, captured: float, now: float) -> float | None:
    if not lane.moves:
        return None
    return now if lane.delay_seconds is None else captured + lane.delay_seconds
