"""Scores in, verdict out. Pure: no clock of its own, no input or output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from edge.flow import RejectReason, Scores, Verdict


@dataclass(frozen=True, slots=True)
class Rules:
    """How the scores of an item's frames become its verdict; see `decision` in the station file."""

    labels: Sequence[str]
    """The label of each class index."""
    accept: Mapping[str, float]
    """The accept threshold, 0..1, of every label."""
    clear_frames: int = 3
    max_frames: int = 20
    agreement: float = 0.6


class Ballot:
    """The votes of one item: the scores of its frames, joined into one verdict.

    The joined scores are the mean of the frames' probabilities, a soft vote, to which the accept
    thresholds apply as to those of one frame. Frames in which the item is cut off by the region's
    edge count only while there is none that shows it whole.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._whole: list[Scores] = []
        self._cut: list[Scores] = []

    def add(self, scores: Scores, *, whole: bool = True) -> None:
        """Counts one more frame.

        Args:
            scores: float32 (classes,), class probabilities.
            whole: False where the item is cut off by the region's edge.
        """
        (self._whole if whole else self._cut).append(scores)

    @property
    def frames(self) -> int:
        """How many frames count."""
        return len(self._whole or self._cut)

    @property
    def decided(self) -> bool:
        """True where more frames are not needed: the verdict is clear, or there were enough."""
        rules = self._rules
        if len(self._whole) + len(self._cut) >= rules.max_frames:
            return True
        if len(self._whole) < rules.clear_frames:
            return False
        best = {int(scores.argmax()) for scores in self._whole}
        return len(best) == 1 and self.verdict().accepted

    def verdict(self) -> Verdict:
        """What the frames say together; there must be one at least."""
        votes = self._whole or self._cut
        joined: Scores = votes[0] if len(votes) == 1 else np.mean(votes, axis=0, dtype=np.float32)
        best = int(joined.argmax())
        label, confidence = self._rules.labels[best], float(joined[best])
        agreeing = sum(int(scores.argmax()) == best for scores in votes)
        reject = None
        if agreeing / len(votes) < self._rules.agreement:  # 14 / 25 is 0.56, 0.56 * 25 is above 14
            reject = RejectReason.DISAGREEMENT
        elif confidence < self._rules.accept[label]:
            reject = RejectReason.LOW_CONFIDENCE
        return Verdict(label, confidence, joined, reject)


def decide(scores: Scores, labels: Sequence[str], accept: Mapping[str, float]) -> Verdict:
    """The verdict on one picture: its best label, accepted when its score reaches the threshold.

    Args:
        scores: float32 (classes,), class probabilities.
        labels: the label of each class index.
        accept: the accept threshold, 0..1, of every label.
    """
    ballot = Ballot(Rules(labels, accept))
    ballot.add(scores)
    return ballot.verdict()


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
    """From the passing of an item to the moment its actuator must move; None: at once."""


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
    passed: float,
    now: float,
    deadline: float | None = None,
) -> Sending:
    """Where an item goes: the lane of its label, or the default lane when rejected or too late.

    Args:
        destinations: the lane of every label.
        default: the lane of rejects.
        passed: when the item passed the middle of the region, in seconds; may lie ahead.
        now: when the verdict was there, on the same clock.
        deadline: by when the verdict was to be there, on the same clock; None: whenever.
    """
    late = deadline is not None and now > deadline
    if verdict.accepted:
        target = destinations[verdict.label]
        if not late and not _is_over(target, passed, now):
            return Sending(verdict, target.lane, _moment(target, passed, now))
        verdict = replace(verdict, reject=RejectReason.LATE)
    # A reject must not move the default lane's actuator in front of the next item either.
    over = _is_over(default, passed, now) or (late and default.delay_seconds is None)
    if default.moves and over:
        return Sending(verdict, default.lane, None, missed=True)
    return Sending(verdict, default.lane, _moment(default, passed, now))


def _is_over(lane: Destination, passed: float, now: float) -> bool:
    delay = lane.delay_seconds
    return lane.moves and delay is not None and now > passed + delay


def _moment(lane: Destination, passed: float, now: float) -> float | None:
    if not lane.moves:
        return None
    return now if lane.delay_seconds is None else passed + lane.delay_seconds
