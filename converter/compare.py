"""Two bundles on the same labelled pictures, pair by pair, each with its own preprocessing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from converter.parity import Change, PairedDrop
from edge.errors import PictureSetError, UnreadableImageError, UsageError
from edge.model.bundle import Bundle
from edge.model.classifier import Classifier
from edge.model.image_file import read_image
from edge.model.metrics import Evaluation, Share, evaluate_scores
from edge.pictures import read_picture_set
from edge.progress import Progress


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """How two bundles fare on the same pictures."""

    first: Evaluation
    second: Evaluation
    drop: PairedDrop
    """Accuracy of the first less that of the second; `float_only` counts what only the first gets
    right."""
    agreement: Share
    """Same best label."""
    change: Change
    """Of the score of the first's best label."""
    skipped: tuple[str, ...]
    """A line for each picture that could not be read."""

    @property
    def verdict(self) -> str:
        """Which is better, if that shows."""
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
                "first_only_right": self.drop.float_only,
                "second_only_right": self.drop.int8_only,
            },
            "agreement": self.agreement.value,
            "agreement_interval": self.agreement.interval,
            "confidence_change": self.change.to_json(),
            "verdict": self.verdict,
            "skipped": len(self.skipped),
        }


def compare_bundles(first: Bundle, second: Bundle, data: Path) -> Comparison:
    """Both bundles on the labelled pictures of `data`.

    Raises:
        UsageError: the bundles have not the same labels.
        PictureSetError: a class that they do not know, or no picture that can be read.
    """
    if set(first.labels) != set(second.labels):
        only = sorted(set(first.labels) ^ set(second.labels))
        raise UsageError(
            f"{first.path} and {second.path} have not the same labels: {', '.join(only)} in one "
            "only: nothing to compare them by"
        )
    found = read_picture_set(data)
    if extra := sorted(set(found.labels) - set(first.labels)):
        raise PictureSetError(
            f"{data}: the bundles have no label {', '.join(map(repr, extra))}. They know "
            f"{', '.join(first.labels)}: rename or leave out those classes"
        )
    models = Classifier(first), Classifier(second)
    # The second's scores in the order of the first's labels.
    order = [second.labels.index(label) for label in first.labels]
    rows: tuple[list[npt.NDArray[np.float32]], ...] = ([], [])
    strange: tuple[list[float | None], ...] = ([], [])
    truth, skipped = [], list(found.skipped)
    with Progress("comparing", total=len(found.pictures)) as progress:
        for picture in found.pictures:
            progress.advance()
            try:
                image = read_image(picture.path)
            except UnreadableImageError as error:
                skipped.append(str(error))
                continue
            for model, row, odd in zip(models, rows, strange, strict=True):
                answer = model.answer(image)
                row.append(answer.scores)
                odd.append(answer.strangeness)
            truth.append(first.labels.index(picture.label))
    if not truth:
        raise PictureSetError(f"{data}: none of its pictures can be read")
    scores = np.stack(rows[0]), np.stack(rows[1])[:, order]
    return _comparison(first, second, scores, strange, np.array(truth), skipped)


def _comparison(
    first: Bundle,
    second: Bundle,
    scores: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]],
    strange: Sequence[Sequence[float | None]],
    truth: npt.NDArray[np.int64],
    skipped: Sequence[str],
) -> Comparison:
    def evaluated(bundle: Bundle, mine: int) -> Evaluation:
        known = [value for value in strange[mine] if value is not None]
        return evaluate_scores(
            scores[mine],
            truth,
            first.labels,
            bundle.manifest.accept,
            strangeness=np.array(known) if known else None,
            unknown=bundle.manifest.unknown_threshold,
        )

    best, other = scores[0].argmax(axis=1), scores[1].argmax(axis=1)
    right, right_other = best == truth, other == truth
    every = np.arange(len(truth))
    return Comparison(
        first=evaluated(first, 0),
        second=evaluated(second, 1),
        drop=PairedDrop(
            float_only=int((right & ~right_other).sum()),
            int8_only=int((right_other & ~right).sum()),
            total=len(truth),
        ),
        agreement=Share(int((best == other).sum()), len(truth)),
        change=Change.between(scores[0][every, best], scores[1][every, best]),
        skipped=tuple(skipped),
    )
