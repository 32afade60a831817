"""Which normalisation a model wants, by what it makes of labelled pictures taken each way."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from converter.errors import ForeignModelError
from converter.foreign.evidence import Evidence
from converter.foreign.surgery import NORMALISATIONS, Normalisation
from edge.core.errors import UsageError
from edge.core.model.metrics import Share, paired_interval

_log = logging.getLogger(__name__)

_LEAST_SCORE = 1 / 512
"""A score counts as no less: integers have steps of 1/256, and no single picture is to decide."""
_TEMPERATURES = np.geomspace(0.2, 5.0, 25)
_SHOWS = 3.0
"""Standard errors from which a difference of mean log losses shows: one in 700 by chance."""
_ALIKE = (frozenset({"-1..1", "torchvision", "caffe"}), frozenset({"raw", "caffe"}))
"""Names of normalisations that differ in contrast, or by a shift, so little that easy pictures may
not tell them apart: where they do not, the first of them is taken."""


@dataclass(frozen=True, slots=True, eq=False)
class TriedNormalisation:
    """What a model makes of pictures normalised one way."""

    normalisation: Normalisation
    best: npt.NDArray[np.int64]
    """(pictures,): the output with the highest score."""
    right: npt.NDArray[np.bool_]
    """(pictures,): it is that of the picture's label."""
    loss: npt.NDArray[np.float64]
    """(pictures,): log loss of the scores, nats, at the temperature that suits them best. Without a
    temperature a way that merely stretches the levels would look surer, and so better."""

    @classmethod
    def of(
        cls,
        normalisation: Normalisation,
        scores: npt.NDArray[np.float32],
        truth: npt.NDArray[np.int64],
    ) -> TriedNormalisation:
        """From the scores (pictures, classes) and the labels' class indices (pictures,)."""
        best = scores.argmax(axis=1)
        logits = np.log(np.maximum(scores.astype(np.float64), _LEAST_SCORE))
        losses = [_losses(logits / temperature, truth) for temperature in _TEMPERATURES]
        return cls(normalisation, best, best == truth, min(losses, key=lambda row: row.mean()))

    @property
    def accuracy(self) -> Share:
        """Of the pictures it was tried on."""
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
        UsageError: the model cannot want one of that name.
    """

    def plain(name: str) -> str:
        return "".join(name.lower().split())

    for way in ways:
        if plain(str(way)) == plain(text):
            return way
    known = ", ".join(f'"{way}"' for way in ways)
    raise UsageError(f"--normalisation takes one of {known}. Received: {text!r}")


def best_first(tried: Sequence[TriedNormalisation]) -> tuple[TriedNormalisation, ...]:
    """Sorted by how many are right, and where that is the same by the log loss."""
    return tuple(sorted(tried, key=lambda t: (-int(t.right.sum()), float(t.loss.mean()))))


def choose_normalisation(
    tried: Sequence[TriedNormalisation],
    wanted: Normalisation | None,
    evidence: Evidence | None,
    path: Path,
    *,
    coloured: bool,
) -> Normalisation:
    """The one that was asked for; or of those that may be the best by the pictures, the one that
    the file itself speaks for; or the only one that may be. What was not clear is said.

    Args:
        tried: the best first.
        coloured: the pictures would show it if the order of the channels mattered.

    Raises:
        ForeignModelError: it does not show which.
    """
    if wanted is not None:
        _compare_wanted(tried, wanted, evidence, path)
        return wanted
    best = next((t for t in tried if all(_shows(t, o) for o in tried if o is not t)), tried[0])
    left = [best, *(t for t in tried if t is not best and not _shows(best, t))]
    if evidence is not None:
        told = [t for t in left if t.normalisation.name == evidence.normalisation.name]
        if told:
            left = told
            _log.info(f"{path}: {evidence.source} speaks for {evidence.normalisation}")
        elif evidence.told:
            _log.warning(
                f"{path}: {evidence.source} speaks for {evidence.normalisation}, your pictures for "
                f"{best.normalisation}{_figures(tried, evidence, best)}: taken is what the "
                f'pictures say; --normalisation "{evidence.normalisation}" takes the other'
            )
    if len(left) == 1:
        return left[0].normalisation
    names = {t.normalisation.name for t in left}
    orders = {t.normalisation.bgr for t in left}
    alike = len(names) == 1 or any(names <= family for family in _ALIKE)
    if not alike or (len(orders) > 1 and not coloured):
        shown = "".join(f"\n  {t.normalisation!s:16} {t.accuracy}" for t in tried)
        raise ForeignModelError(
            f"{path}: it does not show how the model wants its pictures:{shown}\n"
            "Ask whoever made it and give --normalisation, or give more pictures"
        )
    known = [str(way) for way in NORMALISATIONS]
    taken, *others = sorted(
        (t.normalisation for t in left),
        key=lambda w: (w.bgr, known.index(str(w)) if str(w) in known else 0),
    )
    shown = " or ".join(f'"{way}"' for way in others)
    _log.info(
        f"whether it wants {' or '.join(str(way) for way in (taken, *others))} makes no difference "
        f"that shows ({best.accuracy} at best): taken is {taken}, the more usual; --normalisation "
        f"{shown} takes another"
    )
    return taken


def _figures(
    tried: Sequence[TriedNormalisation], evidence: Evidence, best: TriedNormalisation
) -> str:
    told = [t for t in tried if t.normalisation.name == evidence.normalisation.name]
    return f" ({told[0].accuracy} against {best.accuracy})" if told else ""


def _compare_wanted(
    tried: Sequence[TriedNormalisation],
    wanted: Normalisation,
    evidence: Evidence | None,
    path: Path,
) -> None:
    if evidence is not None and evidence.told and evidence.normalisation.name != wanted.name:
        _log.warning(
            f"{path}: {evidence.source} speaks for {evidence.normalisation}, not for {wanted}"
        )
    asked = next(t for t in tried if t.normalisation == wanted)
    better = [t for t in tried if _shows(t, asked)]
    if better:
        _log.warning(
            f"with {wanted}, as --normalisation wants it, {asked.accuracy} of your pictures are "
            f"right; with {better[0].normalisation} it would be {better[0].accuracy}"
        )


def _shows(one: TriedNormalisation, other: TriedNormalisation) -> bool:
    """Whether the first is better beyond chance: right more often; or if that does not show either
    way, with scores nearer to the truth."""
    lost, won = int((one.right & ~other.right).sum()), int((other.right & ~one.right).sum())
    low, high = paired_interval(lost, won, len(one.right))
    if low > 0 or high < 0:
        return low > 0
    difference = other.loss - one.loss
    spread = float(difference.std(ddof=1)) / len(difference) ** 0.5
    return bool(difference.mean() > _SHOWS * spread and spread > 0)
