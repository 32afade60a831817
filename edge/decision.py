"""Scores in, verdict out. Pure: no clock of its own, no input or output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np

from edge.flow import Answer, Missed, RejectReason, Scores, Verdict


@dataclass(frozen=True, slots=True)
class Rules:
    """How the scores of an item's frames become its verdict; see `decision` in the station file."""

    labels: Sequence[str]
    """The label of each class index."""
    accept: Mapping[str, float]
    """The accept threshold, 0..1, of every label."""
    clear_frames: int = 3
    """So many frames that agree are a verdict at once."""
    max_frames: int = 20
    agreement: float = 0.6
    unknown: float | None = None
    """An item stranger than this, 0..1, is of no class; None: nothing is held to be."""


_PATIENCE = 5
"""An item that is never to be seen well has its verdict after so many times `max_frames`."""


class Framing(IntEnum):
    """How well a frame shows an item; the best ones of an item vote."""

    CUT = 0
    """It is cut off by the region's edge."""
    ASIDE = 1
    """It is whole, but on its way to or from the middle, for a model that looks at all of it."""
    GOOD = 2
    """It is as the model knows it from its photographs."""


class Ballot:
    """The votes of one item: the scores of its frames, joined into one verdict.

    The joined scores are the mean of the frames' probabilities, a soft vote, to which the accept
    thresholds apply as to those of one frame; so does the threshold for things of no class to the
    mean strangeness. Only the frames of the best framing there is vote.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._votes: dict[Framing, list[Answer]] = {framing: [] for framing in Framing}

    def add(
        self,
        scores: Scores,
        framing: Framing = Framing.GOOD,
        *,
        strangeness: float | None = None,
    ) -> None:
        """Counts one more frame.

        Args:
            scores: float32 (classes,), class probabilities.
            framing: how well it shows the item.
            strangeness: 0..1; None: the model has no such score.
        """
        self._votes[framing].append(Answer(scores, strangeness))

    @property
    def frames(self) -> int:
        """How many frames vote."""
        return len(self._voting)

    @property
    def _voting(self) -> list[Answer]:
        return next((self._votes[f] for f in reversed(Framing) if self._votes[f]), [])

    @property
    def decided(self) -> bool:
        """True where more frames are not needed: the verdict is clear, or there were enough."""
        good = self._votes[Framing.GOOD]
        seen = sum(map(len, self._votes.values()))
        if len(good) >= self._rules.max_frames or seen >= _PATIENCE * self._rules.max_frames:
            return True
        if len(good) < self._rules.clear_frames:
            return False
        best = {int(answer.scores.argmax()) for answer in good}
        return len(best) == 1 and self.verdict().accepted

    def verdict(self) -> Verdict:
        """What the frames say together; there must be one at least."""
        votes = [answer.scores for answer in self._voting]
        joined: Scores = votes[0] if len(votes) == 1 else np.mean(votes, axis=0, dtype=np.float32)
        strange = [a.strangeness for a in self._voting if a.strangeness is not None]
        strangeness = sum(strange) / len(strange) if strange else None
        best = int(joined.argmax())
        label, confidence = self._rules.labels[best], float(joined[best])
        agreeing = sum(int(scores.argmax()) == best for scores in votes)
        reject = None
        # First: what is of no class often gets scores that are low or that waver, too.
        if _is_unknown(strangeness, self._rules.unknown):
            reject = RejectReason.UNKNOWN
        elif (
            agreeing / len(votes) < self._rules.agreement
        ):  # 14 / 25 is 0.56, 0.56 * 25 is above 14
            reject = RejectReason.DISAGREEMENT
        elif confidence < self._rules.accept[label]:
            reject = RejectReason.LOW_CONFIDENCE
        return Verdict(label, confidence, joined, reject, strangeness)


def _is_unknown(strangeness: float | None, threshold: float | None) -> bool:
    # Not `>`: what is no number is no thing of a class either.
    return strangeness is not None and threshold is not None and not strangeness <= threshold


def decide(
    scores: Scores,
    labels: Sequence[str],
    accept: Mapping[str, float],
    *,
    strangeness: float | None = None,
    unknown: float | None = None,
) -> Verdict:
    """The verdict on one picture: its best label, accepted when its score reaches the threshold.

    Args:
        scores: float32 (classes,), class probabilities.
        labels: the label of each class index.
        accept: the accept threshold, 0..1, of every label.
        strangeness: 0..1; None: the model has no such score.
        unknown: what is stranger is rejected as of no class; None: nothing is.
    """
    ballot = Ballot(Rules(labels, accept, unknown=unknown))
    ballot.add(scores, strangeness=strangeness)
    return ballot.verdict()


def unreadable() -> Verdict:
    """The verdict on an item whose picture could not be decoded: a reject without a label."""
    return _unseen(RejectReason.UNREADABLE)


def bad_picture(ballot: Ballot) -> Verdict:
    """The reject of an item in view of a camera that does not show what is before it now.

    Args:
        ballot: what its good frames say; where there was none, the verdict has no label.
    """
    if not ballot.frames:
        return _unseen(RejectReason.BAD_PICTURE)
    return replace(ballot.verdict(), reject=RejectReason.BAD_PICTURE)


def _unseen(reason: RejectReason) -> Verdict:
    return Verdict("", 0.0, np.empty(0, np.float32), reason)


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
    missed: Missed | None = None
    """Why the lane's actuator, where it has one, is not to move."""


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
        return Sending(verdict, default.lane, None, missed=Missed.LATE)
    return Sending(verdict, default.lane, _moment(default, passed, now))


def _is_over(lane: Destination, passed: float, now: float) -> bool:
    delay = lane.delay_seconds
    return lane.moves and delay is not None and now > passed + delay


def _moment(lane: Destination, passed: float, now: float) -> float | None:
    if not lane.moves:
        return None
    return now if lane.delay_seconds is None else passed + lane.delay_seconds
