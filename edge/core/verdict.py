"""Scores in, verdict out. Pure: no clock of its own, no input or output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float32]
"""Class probabilities of one frame, float32 (classes,), in the order of `labels.txt`."""


class Prediction(NamedTuple):
    """What the model says to one frame."""

    scores: Scores
    novelty: float | None = None
    """Novelty score, 0..1: how little it looks like a thing of any class; None: there is none."""


class RejectReason(StrEnum):
    """Why an item went to the default lane."""

    LOW_CONFIDENCE = "low_confidence"
    """The best score is below the accept threshold of its label."""
    DISAGREEMENT = "disagreement"
    """Its frames did not agree on a label."""
    LATE = "late"
    """The verdict was there only after the item had passed."""
    UNKNOWN = "unknown"
    """Its novelty score is above the threshold: it looks like a thing of no class."""
    UNREADABLE = "unreadable"
    """The picture could not be decoded."""
    BAD_PICTURE = "bad_picture"
    """The camera's picture was frozen, blank, torn or of another size when it was in view."""


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """What was decided for one item: a label, or a reject with its reason."""

    label: str
    """The best label, also of a rejected item; empty where the picture could not be read."""
    confidence: float
    """The best label's score, 0..1."""
    scores: Mapping[str, float]
    """By label, in the model's order; empty where there is no label."""
    title: str
    """Name and version of the model that judged it."""
    digest: str
    """That model's digest, which no other bundle has."""
    reject: RejectReason | None = None
    novelty: float | None = None
    """Novelty score, 0..1: how little it looks like a thing of any class; None: there is none."""

    @property
    def accepted(self) -> bool:
        """True where the item goes to the lane of its label."""
        return self.reject is None


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
    """An item with a novelty score above this, 0..1, is rejected as unknown; None: none is."""


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
    thresholds apply as to those of one frame; so does the `unknown` threshold to the mean
    novelty score. Only the frames of the best framing there is vote. All of them are scored by
    the one model that the ballot was opened with.

    Attributes:
        rules, title, digest: of that model.
    """

    def __init__(self, rules: Rules, *, title: str, digest: str) -> None:
        """Nobody has voted.

        Args:
            rules: of the model whose scores are going to be added.
            title: the model's name and version, for the verdict.
            digest: the model's digest, for the verdict.
        """
        self.rules, self.title, self.digest = rules, title, digest
        self._votes: dict[Framing, list[Prediction]] = {framing: [] for framing in Framing}

    def add(
        self,
        scores: Scores,
        framing: Framing = Framing.GOOD,
        *,
        novelty: float | None = None,
    ) -> None:
        """Counts one more frame.

        Args:
            scores: float32 (classes,), class probabilities.
            framing: how well it shows the item.
            novelty: novelty score, 0..1; None: the model has none.
        """
        self._votes[framing].append(Prediction(scores, novelty))

    @property
    def frames(self) -> int:
        """How many frames vote."""
        return len(self._voting)

    @property
    def _voting(self) -> list[Prediction]:
        return next((self._votes[f] for f in reversed(Framing) if self._votes[f]), [])

    @property
    def decided(self) -> bool:
        """True where more frames are not needed: the verdict is clear, or there were enough."""
        good = self._votes[Framing.GOOD]
        seen = sum(map(len, self._votes.values()))
        if len(good) >= self.rules.max_frames or seen >= _PATIENCE * self.rules.max_frames:
            return True
        if len(good) < self.rules.clear_frames:
            return False
        best = {int(prediction.scores.argmax()) for prediction in good}
        return len(best) == 1 and self.verdict().accepted

    def verdict(self) -> Verdict:
        """What the frames say together; there must be one at least."""
        votes = [prediction.scores for prediction in self._voting]
        joined: Scores = votes[0] if len(votes) == 1 else np.mean(votes, axis=0, dtype=np.float32)
        given = [vote.novelty for vote in self._voting if vote.novelty is not None]
        novelty = sum(given) / len(given) if given else None
        best = int(joined.argmax())
        label, confidence = self.rules.labels[best], float(joined[best])
        agreeing = sum(int(scores.argmax()) == best for scores in votes)
        reject = None
        # First: a thing of no class often gets scores that are low or that waver, too.
        if _is_unknown(novelty, self.rules.unknown):
            reject = RejectReason.UNKNOWN
        elif agreeing / len(votes) < self.rules.agreement:  # 14 / 25 is 0.56, 0.56 * 25 is above 14
            reject = RejectReason.DISAGREEMENT
        elif confidence < self.rules.accept[label]:
            reject = RejectReason.LOW_CONFIDENCE
        scores = dict(zip(self.rules.labels, joined.tolist(), strict=True))
        return Verdict(label, confidence, scores, self.title, self.digest, reject, novelty=novelty)


def _is_unknown(novelty: float | None, threshold: float | None) -> bool:
    # Not `>`: what is no number is no thing of a class either.
    return novelty is not None and threshold is not None and not novelty <= threshold


def decide(
    scores: Scores,
    labels: Sequence[str],
    accept: Mapping[str, float],
    *,
    title: str,
    digest: str,
    novelty: float | None = None,
    unknown: float | None = None,
) -> Verdict:
    """The verdict on one picture: its best label, accepted when its score reaches the threshold.

    Args:
        scores: float32 (classes,), class probabilities.
        labels: the label of each class index.
        accept: the accept threshold, 0..1, of every label.
        title: name and version of the model that gave the scores.
        digest: that model's digest.
        novelty: novelty score, 0..1; None: the model has none.
        unknown: a novelty score above it is rejected as unknown; None: none is.
    """
    ballot = Ballot(Rules(labels, accept, unknown=unknown), title=title, digest=digest)
    ballot.add(scores, novelty=novelty)
    return ballot.verdict()


def unreadable(*, title: str, digest: str) -> Verdict:
    """The verdict on an item whose picture could not be decoded: a reject without a label.

    Args:
        title: name and version of the model that would have judged it.
        digest: that model's digest.
    """
    return _unseen(RejectReason.UNREADABLE, title, digest)


def bad_picture(ballot: Ballot) -> Verdict:
    """The reject of an item in view of a camera that does not show what is before it now.

    Args:
        ballot: what its good frames say; where there was none, the verdict has no label.
    """
    if not ballot.frames:
        return _unseen(RejectReason.BAD_PICTURE, ballot.title, ballot.digest)
    return replace(ballot.verdict(), reject=RejectReason.BAD_PICTURE)


def _unseen(reason: RejectReason, title: str, digest: str) -> Verdict:
    return Verdict("", 0.0, {}, title, digest, reason)
