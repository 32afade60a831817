"""Scores in, verdict out. Pure: no clock of its own, no input or output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
