"""Compares two bundles on the same labelled pictures, each with its own preprocessing."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np

from converter.parity.differences import MetricChange, PairedDrop
from converter.parity.predictions import Predictions
from edge.core.dataset import LabelledPicture, PictureSet, read_picture_set
from edge.core.errors import PictureSetError, UnreadableImageError, UsageError
from edge.core.images.image_file import read_image
from edge.core.model.bundle import Bundle
from edge.core.model.classifier import Classifier
from edge.core.model.metrics import Evaluation, Share, evaluate_scores
from edge.core.terminal.progress import Progress
from edge.core.verdict import Prediction

_log = logging.getLogger(__name__)

_NAMED = 20
"""The largest number of a model's labels that an error names, similar ones first."""


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """How two bundles compare on the same pictures."""

    first: Evaluation
    second: Evaluation
    drop: PairedDrop
    """The accuracy of the first minus the accuracy of the second."""
    agreement: Share
    """The share of pictures with the same best label."""
    change: MetricChange
    """How far the score of the first bundle's best label differs in the second."""
    skipped: tuple[str, ...]
    """A line for each picture that could not be read."""

    @property
    def verdict(self) -> str:
        """Which bundle is better, or that no difference shows."""
        low, high = self.drop.interval
        if low > 0:
            return "the first is better"
        if high < 0:
            return "the second is better"
        return "no difference shows"

    def to_json(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        return {
            "first": self.first.to_json(),
            "second": self.second.to_json(),
            "accuracy_drop": {
                "images": self.drop.total,
                "value": self.drop.value,
                "interval": self.drop.interval,
                "first_only_right": self.drop.first_only,
                "second_only_right": self.drop.second_only,
            },
            "agreement": self.agreement.value,
            "agreement_interval": self.agreement.interval,
            "confidence_change": self.change.to_json(),
            "verdict": self.verdict,
            "skipped": len(self.skipped),
        }


@dataclass(frozen=True, slots=True, eq=False)
class ScoredPair:
    """The predictions of two bundles with the same labels for the same pictures."""

    pictures: tuple[LabelledPicture, ...]
    """The pictures that can be read."""
    first: Predictions
    second: Predictions
    """The predictions of the second bundle, in the order of the first one's labels."""
    skipped: tuple[str, ...]
    """A line for each picture that could not be read."""


def score_bundles(first: Bundle, second: Bundle, data: Path) -> ScoredPair:
    """The predictions of both bundles for the labelled pictures of `data`, each decoded once.

    Raises:
        UsageError: the bundles have different labels.
        PictureSetError: a class that the bundles do not know, or no readable picture.
    """
    if set(first.labels) != set(second.labels):
        only = sorted(set(first.labels) ^ set(second.labels))
        raise UsageError(
            f"{first.path} and {second.path} have different labels ({', '.join(only)} only in one "
            "of them), so they cannot be compared: give two bundles with the same labels"
        )
    found = read_picture_set(data, labels=first.labels)
    for note in found.notes:
        _log.warning(note)
    check_known(found, first.labels)
    models = Classifier(first), Classifier(second)
    rows: tuple[list[Prediction], ...] = ([], [])
    pictures, skipped = [], list(found.skipped)
    with Progress("comparing", total=len(found.pictures)) as progress:
        for picture in found.pictures:
            progress.advance()
            try:
                image = read_image(picture.path)
            except UnreadableImageError as error:
                skipped.append(str(error))
                continue
            for model, row in zip(models, rows, strict=True):
                row.append(model.predict(image))
            pictures.append(picture)
    if not pictures:
        raise PictureSetError(f"{data}: none of its pictures can be read")
    one, other = (Predictions.of(row) for row in rows)
    order = [second.labels.index(label) for label in first.labels]
    return ScoredPair(
        tuple(pictures),
        one,
        Predictions(other.scores[:, order], other.novelty),
        tuple(skipped),
    )


def check_known(found: PictureSet, labels: Sequence[str]) -> None:
    """Checks that a model knows all classes of a picture set.

    Raises:
        PictureSetError: the model does not know one of the classes.
    """
    if extra := sorted(set(found.labels) - set(labels)):
        near = [name for label in extra[:_NAMED] for name in get_close_matches(label, labels)]
        known = labels if len(labels) <= _NAMED else list(dict.fromkeys((*near, *labels)))[:_NAMED]
        more = f" and {len(labels) - len(known):,} more" if len(labels) > len(known) else ""
        raise PictureSetError(
            f"{found.source}: the model has no label {', '.join(map(repr, extra))}. It knows "
            f"{', '.join(known)}{more}: rename or leave out those classes"
        )


def compare_bundles(first: Bundle, second: Bundle, data: Path) -> Comparison:
    """Compares two bundles on the labelled pictures of `data`.

    Raises:
        UsageError: the bundles have different labels.
        PictureSetError: a class that the bundles do not know, or no readable picture.
    """
    scored = score_bundles(first, second, data)
    truth = np.array([first.labels.index(picture.label) for picture in scored.pictures])

    def evaluated(bundle: Bundle, predictions: Predictions) -> Evaluation:
        return evaluate_scores(
            predictions.scores,
            truth,
            first.labels,
            bundle.manifest.accept,
            novelty=predictions.novelty,
            unknown=bundle.manifest.unknown_threshold,
        )

    one, other = scored.first.scores, scored.second.scores
    best, best_other = one.argmax(axis=1), other.argmax(axis=1)
    every = np.arange(len(truth))
    return Comparison(
        first=evaluated(first, scored.first),
        second=evaluated(second, scored.second),
        drop=PairedDrop.between(best == truth, best_other == truth),
        agreement=Share(int((best == best_other).sum()), len(truth)),
        change=MetricChange.between(one[every, best], other[every, best]),
        skipped=scored.skipped,
    )
