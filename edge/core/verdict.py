"""From scores to a verdict. The code is pure: it reads no clock and does no input or output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Scores = npt.NDArray[np.float32]
else:  # who only reads the reasons of rejects, as the operator's pages do, needs no NumPy
    Scores = Any
"""Class probabilities of one frame, float32 (classes,), in the order of `labels.txt`."""


class Prediction(NamedTuple):
    """The output of the model for one frame."""

    scores: Scores
    novelty: float | None = None
    """Novelty score, 0..1: how little the item looks like a thing of any class; None if the model
    has no such score."""


class RejectReason(StrEnum):
    """Why an item did not go to the lane of its label."""

    LOW_CONFIDENCE = "low_confidence"
    """The best score is below the accept threshold of its label."""
    DISAGREEMENT = "disagreement"
    """The frames of the item did not agree on a label."""
    LATE = "late"
    """The verdict came after the item had passed its lane."""
    UNKNOWN = "unknown"
    """The novelty score is above the threshold: the item looks like a thing of no class."""
    UNREADABLE = "unreadable"
    """The picture could not be decoded."""
    BAD_PICTURE = "bad_picture"
    """While the item was in view the camera gave no picture that could be used: none at all, or
    one that was frozen, blank, torn, of another size or scene, covered or too old."""
    TOO_CLOSE = "too_close"
    """Another item was so near that the actuator would have moved both, or one picture showed both.
    """
    CONTRADICTED = "contradicted"
    """The code on the item is that of other goods than its picture shows."""
    NOT_SORTING = "not_sorting"
    """The station stood while the item was in view: it was paused, or an incident stopped it."""
    BIN_FULL = "bin_full"
    """The bin of the item's lane was full."""


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """What was decided for one item: a label, or a reject with its reason."""

    label: str
    """The best label, also for a rejected item; empty if the picture could not be read."""
    confidence: float
    """The best label's score, 0..1."""
    scores: Mapping[str, float]
    """The score of each label, in the model's order; empty if there is no label."""
    title: str
    """Name and version of the model that gave the verdict."""
    digest: str
    """The digest of that model's bundle, which no other bundle has."""
    reject: RejectReason | None = None
    """Why the item is rejected; None if it is accepted."""
    novelty: float | None = None
    """Novelty score, 0..1: how little the item looks like a thing of any class; None if the model
    has no such score."""

    @property
    def accepted(self) -> bool:
        """True if the item goes to the lane of its label."""
        return self.reject is None


@dataclass(frozen=True, slots=True)
class Rules:
    """How the scores of an item's frames become its verdict; see `decision` in the station file."""

    labels: Sequence[str]
    """The label of each class index."""
    accept: Mapping[str, float]
    """The accept threshold, 0..1, of every label."""
    clear_frames: int = 3
    """The number of agreeing frames after which the verdict is given without waiting for more."""
    max_frames: int = 20
    """The number of well-framed frames after which the verdict is given in any case."""
    agreement: float = 0.6
    """The least share of the voting frames, 0..1, that must have the same best label."""
    unknown: float | None = None
    """The novelty score, 0..1, above which an item is rejected as unknown; None means never."""


_PATIENCE = 5
"""An item that is never well framed gets its verdict after this many times `max_frames` frames."""

_NEARLY = 0.85
"""Of the frames that do not show an item well, those vote that show at least this share of what the
best of them shows: the range that well-framed ones have, too, which lie up to 0.15 of the region
from its middle."""


class Framing(IntEnum):
    """How well a frame shows an item; only the best-framed frames of an item vote."""

    CUT = 0
    """The item is cut off by the region's edge."""
    ASIDE = 1
    """The item is complete but far from the middle, for a model that looks at the whole region."""
    GOOD = 2
    """The item is shown as in the photographs that the model was trained on."""


class _Vote(NamedTuple):
    """The prediction for one frame of an item."""

    scores: Scores
    novelty: float | None
    best: int
    """The class index of the best score."""
    shown: float
    """How much of the item the frame shows, and how near to the middle."""


class Ballot:
    """The predictions for the frames of one item, which are joined into one verdict.

    The joined scores are the mean of the frames' probabilities (a soft vote); the accept
    thresholds apply to this mean, and the `unknown` threshold to the mean novelty score. Of ways of
    joining, none was right more often: `tests/benchmarks/joining.py` has the figures. Only the
    frames with the best framing of all vote; where none is well framed, those of them that show the
    most of the item. One model, which the ballot was opened with, scores all frames.

    Attributes:
        rules: the decision rules of that model.
        title: the name and version of that model.
        digest: the digest of that model's bundle.
    """

    def __init__(self, rules: Rules, *, title: str, digest: str) -> None:
        """Opens an empty ballot.

        Args:
            rules: the decision rules of the model whose scores will be added.
            title: the model's name and version, for the verdict.
            digest: the model's digest, for the verdict.
        """
        self.rules, self.title, self.digest = rules, title, digest
        self._votes: tuple[list[_Vote], ...] = tuple([] for _ in Framing)
        """By framing."""
        self._verdict: Verdict | None = None
        """That of the frames so far, once somebody asked for it."""

    def add(
        self,
        scores: Scores,
        framing: Framing = Framing.GOOD,
        *,
        novelty: float | None = None,
        shown: float = 1.0,
    ) -> int:
        """Adds the prediction for one more frame; returns the class index of its best score.

        Args:
            scores: float32 (classes,), class probabilities.
            framing: how well the frame shows the item.
            novelty: novelty score, 0..1; None: the model has none.
            shown: how much of the item the frame shows, and how near to the middle: above 0, and
                comparable between the frames of one item.
        """
        best = int(scores.argmax())
        self._votes[framing].append(_Vote(scores, novelty, best, shown))
        self._verdict = None
        return best

    @property
    def frames(self) -> int:
        """The number of frames that vote."""
        return len(self._voting)

    @property
    def _voting(self) -> list[_Vote]:
        cut, aside, good = self._votes
        if good:
            return good
        votes = aside or cut
        least = _NEARLY * max((vote.shown for vote in votes), default=0.0)
        return [vote for vote in votes if vote.shown >= least]

    @property
    def decided(self) -> bool:
        """True if no more frames are needed: the verdict is clear, or there were enough frames."""
        *_, good = self._votes
        seen = sum(map(len, self._votes))
        if len(good) >= self.rules.max_frames or seen >= _PATIENCE * self.rules.max_frames:
            return True
        if len(good) < self.rules.clear_frames:
            return False
        return len({vote.best for vote in good}) == 1 and self.verdict().accepted

    def verdict(self) -> Verdict:
        """The verdict on the item; at least one frame must have been added."""
        if self._verdict is None:
            self._verdict = self._decide(self._voting)
        return self._verdict

    def _decide(self, voting: Sequence[_Vote]) -> Verdict:
        joined: Scores = voting[0].scores
        if len(voting) > 1:  # what np.mean does, in half the time
            import numpy as np

            votes = [vote.scores for vote in voting]
            joined = np.add.reduce(votes, axis=0, dtype=np.float32) / np.float32(len(votes))
        given = [vote.novelty for vote in voting if vote.novelty is not None]
        novelty = sum(given) / len(given) if given else None
        best = int(joined.argmax())
        label, confidence = self.rules.labels[best], float(joined[best])
        # A quotient: 14 / 25 is 0.56, but 0.56 * 25 is above 14.
        agreement = sum(vote.best == best for vote in voting) / len(voting)
        reject = None
        # Checked first, because a thing of no class often gets low or changing scores as well.
        if _is_unknown(novelty, self.rules.unknown):
            reject = RejectReason.UNKNOWN
        elif agreement < self.rules.agreement:
            reject = RejectReason.DISAGREEMENT
        elif confidence < self.rules.accept[label]:
            reject = RejectReason.LOW_CONFIDENCE
        scores = dict(zip(self.rules.labels, joined.tolist(), strict=True))
        return Verdict(label, confidence, scores, self.title, self.digest, reject, novelty=novelty)


def _is_unknown(novelty: float | None, threshold: float | None) -> bool:
    # Not `>`, so that NaN counts as unknown.
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
    """The verdict on one picture: its best label, accepted if the score reaches the threshold.

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


def unreadable(
    *, title: str, digest: str, reason: RejectReason = RejectReason.UNREADABLE
) -> Verdict:
    """The verdict on an item whose picture could not be decoded: a reject without a label.

    Args:
        title: name and version of the model that would have given the verdict.
        digest: that model's digest.
        reason: why it is rejected, where there was no picture to decode.
    """
    return _unseen(reason, title, digest)


def rejected(ballot: Ballot, reason: RejectReason) -> Verdict:
    """The verdict on an item that is rejected whatever its frames say.

    Args:
        ballot: the predictions for the item's good frames; if there are none, the verdict has no
            label.
        reason: why.
    """
    if not ballot.frames:
        return _unseen(reason, ballot.title, ballot.digest)
    return replace(ballot.verdict(), reject=reason)


def _unseen(reason: RejectReason, title: str, digest: str) -> Verdict:
    return Verdict("", 0.0, {}, title, digest, reason)
