"""Finds the normalisation that a model needs: labelled pictures are scored with each of them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from converter.errors import ForeignModelError
from converter.foreign.evidence import Evidence
from converter.foreign.graph_surgery import NORMALISATIONS, Normalisation
from edge.core.errors import UsageError
from edge.core.model.metrics import Share, paired_interval

_log = logging.getLogger(__name__)

_LEAST_SCORE = 1 / 512
"""Scores are raised to at least this before their logarithm is taken: integer scores have steps of
1/256, and a score of 0 on one picture must not decide."""
_TEMPERATURES = np.geomspace(0.2, 5.0, 25)
_SHOWS = 3.0
"""A difference of mean log losses counts if it exceeds so many standard errors, which happens by
chance once in 700 comparisons."""
_ALIKE = (frozenset({"-1..1", "torchvision", "caffe"}), frozenset({"raw", "caffe"}))
"""Names of normalisations that differ so little, in contrast or by a shift, that easy pictures may
not separate them. If they do not, the first one is taken."""


@dataclass(frozen=True, slots=True, eq=False)
class TriedNormalisation:
    """How a model answers labelled pictures that were normalised in one way."""

    normalisation: Normalisation
    best: npt.NDArray[np.int64]
    """(pictures,): the index of the output with the highest score."""
    right: npt.NDArray[np.bool_]
    """(pictures,): True if that output belongs to the picture's label."""
    loss: npt.NDArray[np.float64]
    """(pictures,): log loss of the scores in nats, at the temperature with the lowest mean loss.
    Without a temperature, a normalisation that only increases the contrast would look better."""

    @classmethod
    def of(
        cls,
        normalisation: Normalisation,
        scores: npt.NDArray[np.float32],
        truth: npt.NDArray[np.int64],
    ) -> TriedNormalisation:
        """The result for scores, (pictures, classes), and true class indices, (pictures,)."""
        best = scores.argmax(axis=1)
        logits = np.log(np.maximum(scores.astype(np.float64), _LEAST_SCORE))
        losses = [_losses(logits / temperature, truth) for temperature in _TEMPERATURES]
        return cls(normalisation, best, best == truth, min(losses, key=lambda row: row.mean()))

    @property
    def accuracy(self) -> Share:
        """The accuracy on the pictures that this normalisation was tried on."""
        return Share(int(self.right.sum()), len(self.right))


def _losses(
    logits: npt.NDArray[np.float64], truth: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    shifted = logits - logits.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -np.asarray(logs[np.arange(len(truth)), truth])


def read_normalisation(text: str, ways: Sequence[Normalisation]) -> Normalisation:
    """The normalisation that `--normalisation` names.

    Raises:
        UsageError: none of `ways` has that name.
    """

    def plain(name: str) -> str:
        return "".join(name.lower().split())

    for way in ways:
        if plain(str(way)) == plain(text):
            return way
    known = ", ".join(f'"{way}"' for way in ways)
    raise UsageError(f"--normalisation takes one of {known}. Received: {text!r}")


def rank_normalisations(tried: Sequence[TriedNormalisation]) -> tuple[TriedNormalisation, ...]:
    """The tried normalisations, the best first: by accuracy, then by log loss."""
    return tuple(sorted(tried, key=lambda t: (-int(t.right.sum()), float(t.loss.mean()))))


def choose_normalisation(
    tried: Sequence[TriedNormalisation],
    wanted: Normalisation | None,
    evidence: Evidence | None,
    path: Path,
    *,
    coloured: bool,
) -> Normalisation:
    """The normalisation that the bundle gets; what remains uncertain is logged.

    It is `wanted` if given. Else it is the one that is better than all others beyond chance. Where
    several are equally good, it is the one that the file's own evidence names, or the more usual
    one of a few that hardly differ.

    Args:
        tried: every normalisation, the best first.
        wanted: the one that the user asked for, or None.
        evidence: what the file says, or None.
        path: of the model, for messages.
        coloured: True if red and blue differ enough in the pictures to separate RGB from BGR.

    Raises:
        ForeignModelError: several fit equally well, and they differ in what they do.
    """
    if wanted is not None:
        _compare_wanted(tried, wanted, evidence, path)
        return wanted
    best = next((t for t in tried if all(_shows(t, o) for o in tried if o is not t)), tried[0])
    left = [best, *(t for t in tried if t is not best and not _shows(best, t))]
    if evidence is not None:
        fitting = [t for t in left if t.normalisation.name == evidence.normalisation.name]
        if fitting:
            left = fitting
            _log.info(f"{path}: {evidence.source} indicates {evidence.normalisation}")
        elif evidence.explicit:
            _log.warning(
                f"{path}: {evidence.source} indicates {evidence.normalisation}, but your pictures "
                f"indicate {best.normalisation}{_figures(tried, evidence, best)}. The bundle uses "
                f"{best.normalisation}; to use the other one, give --normalisation "
                f'"{evidence.normalisation}"'
            )
    if len(left) == 1:
        return left[0].normalisation
    names = {t.normalisation.name for t in left}
    orders = {t.normalisation.bgr for t in left}
    alike = len(names) == 1 or any(names <= family for family in _ALIKE)
    if not alike or (len(orders) > 1 and not coloured):
        shown = "".join(f"\n  {t.normalisation!s:16} {t.accuracy}" for t in tried)
        raise ForeignModelError(
            f"{path}: your pictures do not show which normalisation the model needs:{shown}\n"
            "Ask the model's maker and give --normalisation, or give more pictures"
        )
    known = [str(way) for way in NORMALISATIONS]
    taken, *others = sorted(
        (t.normalisation for t in left),
        key=lambda w: (w.bgr, known.index(str(w)) if str(w) in known else 0),
    )
    shown = " or ".join(f'"{way}"' for way in others)
    _log.info(
        f"the normalisations {' and '.join(str(way) for way in (taken, *others))} are equally good "
        f"on your pictures ({best.accuracy} at best). The bundle uses {taken}, the more usual one; "
        f"to use another, give --normalisation {shown}"
    )
    return taken


def _figures(
    tried: Sequence[TriedNormalisation], evidence: Evidence, best: TriedNormalisation
) -> str:
    fitting = [t for t in tried if t.normalisation.name == evidence.normalisation.name]
    return f" ({fitting[0].accuracy} against {best.accuracy})" if fitting else ""


def _compare_wanted(
    tried: Sequence[TriedNormalisation],
    wanted: Normalisation,
    evidence: Evidence | None,
    path: Path,
) -> None:
    if evidence is not None and evidence.explicit and evidence.normalisation.name != wanted.name:
        _log.warning(f"{path}: {evidence.source} indicates {evidence.normalisation}, not {wanted}")
    asked = next(t for t in tried if t.normalisation == wanted)
    better = [t for t in tried if _shows(t, asked)]
    if better:
        _log.warning(
            f"with --normalisation {wanted}, {asked.accuracy} of your pictures are right; with "
            f"{better[0].normalisation} it would be {better[0].accuracy}"
        )


def _shows(one: TriedNormalisation, other: TriedNormalisation) -> bool:
    """Whether the first is better beyond chance: by accuracy, or, if accuracy does not separate
    them, by log loss."""
    lost, won = int((one.right & ~other.right).sum()), int((other.right & ~one.right).sum())
    low, high = paired_interval(lost, won, len(one.right))
    if low > 0 or high < 0:
        return low > 0
    difference = other.loss - one.loss
    spread = float(difference.std(ddof=1)) / len(difference) ** 0.5
    return bool(difference.mean() > _SHOWS * spread and spread > 0)
