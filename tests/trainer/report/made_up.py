"""A made-up training to report on: any of it can be changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from edge.core.model.metrics import Share
from trainer.calibration.accept_thresholds import AcceptThreshold
from trainer.evaluation.explanation import Alike, Explanation
from trainer.evaluation.held_out_use import HeldOutUse
from trainer.evaluation.learning_curve import CurvePoint, Forecast, LearningCurve, PowerLaw
from trainer.evaluation.robustness import DISTURBANCES, Disturbed
from trainer.fit.phases import Epoch
from trainer.report.report_facts import ReportFacts, UnknownFigures
from trainer.report.scored_split import ScoredSplit
from trainer.statistics.intervals import Figure

LABELS = ("can", "glass", "paper")


def scored(
    answers: list[tuple[int, int, float]],
    *,
    labels: int = 3,
    temperature: float = 1.0,
    groups: list[str] | None = None,
    first_row: int = 0,
) -> ScoredSplit:
    """Pictures of which is known (what each is, what it is taken for, with which score)."""
    scores = np.empty((len(answers), labels))
    for row, (_, taken, score) in zip(scores, answers, strict=True):
        row[:] = (1 - score) / (labels - 1)
        row[taken] = score
    return ScoredSplit(
        logits=np.log(scores) * temperature,
        temperature=temperature,
        truth=np.array([is_ for is_, _, _ in answers], np.int64),
        names=[f"{LABELS[is_ % 3]}/{number}.jpg" for number, (is_, _, _) in enumerate(answers)],
        rows=np.arange(first_row, first_row + len(answers)),
        groups=groups,
    )


TEST = [
    *[(0, 0, 0.95)] * 50, (0, 1, 0.9), (0, 1, 0.6), (0, 1, 0.55),
    *[(1, 1, 0.9)] * 40, (1, 2, 0.97),
    *[(2, 2, 0.99)] * 26,
]  # fmt: skip
"""120 pictures; 116 right; three cans are taken for glass."""


def facts(**changes: Any) -> ReportFacts:
    """The facts of a training in which nothing is remarkable, but for `changes`."""
    return replace(_plain(), **changes)


def _plain() -> ReportFacts:
    rng = np.random.default_rng(0)
    return ReportFacts(
        recipe="bottles",
        variant="default",
        description="Three things on a board.",
        notes=(),
        measured=(),
        labels=LABELS,
        counts={
            label: {"train": 100 + i, "validation": 12, "test": 40}
            for i, label in enumerate(LABELS)
        },
        skipped=0,
        test=scored(TEST),
        thresholds={label: AcceptThreshold(0.6, 80, 80, "") for label in LABELS},
        purity=0.9,
        confidence=0.95,
        history=[
            Epoch(phase, epoch, 1 / number, 0.8, 0.9 / number + (number == 6), 0.9, 1e-3, 1.0)
            for number, (phase, epoch) in enumerate(
                [("head", 1), ("head", 2), ("head", 3), ("upper", 1), ("upper", 2), ("upper", 3)],
                start=1,
            )
        ],
        kept_epoch=4,
        cut_short=False,
        recipe_yaml="name: bottles\n",
        command="pilah-trainer train bottles --data photos --seed 3",
        seed=3,
        network="MobileNetV2, alpha 1",
        input="224 x 224 RGB",
        parameters=2_345_678,
        model_bytes=9_400_000,
        device="2 CPU cores",
        minutes=4.2,
        data="photos",
        digest="ab" * 32,
        finished="2026-03-01T10:00:00+00:00",
        tools={"pilah": "1.0", "keras": "3.15"},
        seconds={"decoding": 12.0, "phases": 200.0},
        tensors=rng.integers(0, 256, (200, 32, 32, 3), np.uint8),
        validation=scored(TEST[::2], first_row=120),
        held_out_use=HeldOutUse(1, "2026-03-01T10:00:00+00:00"),
    )


def unknown(**changes: Any) -> UnknownFigures:
    """Figures of a novelty score."""
    figure = Figure(0.8, (0.7, 0.9))
    plain = UnknownFigures(
        "energy", 0.5, 0.95, Figure(0.96, (0.93, 0.99)), {"can": figure}, {"can": 0.91},
        rejected=Figure(0.025, (0.0086, 0.0709)),
    )  # fmt: skip
    return replace(plain, **changes)


def explanations(count: int = 1) -> tuple[Explanation, ...]:
    """Why cans were taken for glass: a picture, where it was looked at, and two that look alike."""
    rng = np.random.default_rng(5)
    pictures = rng.integers(0, 256, (count, 3, 32, 32, 3), np.uint8)
    heat = np.zeros((32, 32), np.float32)
    heat[:8, :8] = 1
    return tuple(
        Explanation(
            path=Path(f"photos/can/{50 + number}.jpg"),
            tensor=picture,
            scores={"glass": 0.9, "can": 0.06, "paper": 0.04},
            unknown=None,
            heat=heat,
            alike=(
                Alike("glass", "glass/7.jpg", 0.93, near),
                Alike("can", "can/3.jpg", 0.88, far),
            ),
            label="can",
        )
        for number, (picture, near, far) in enumerate(pictures)
    )


def learning(**changes: Any) -> LearningCurve:
    """A learning curve with a forecast."""
    law = PowerLaw(0.05, 0.6, 0.5)
    points = tuple(
        CurvePoint(n, law.accuracy(n), law.accuracy(n) - 0.02, law.accuracy(n) + 0.02)
        for n in (5.0, 10.0, 20.0, 50.0, 80.0)
    )
    return replace(
        LearningCurve(points, law, Forecast(100.0, 0.013, (0.002, 0.031)), ""), **changes
    )


def disturbed(*, change: float = -0.05, high: float = 0.01) -> tuple[Disturbed, ...]:
    """Every disturbance, each costing the same."""
    return tuple(
        Disturbed(
            name=each.name,
            severity=severity,
            detail=each.details[level],
            accuracy=Share(90, 100),
            undisturbed=Share(95, 100),
            change=Figure(change, (change - 0.1, high)),
            applied=60 if each.name == "other background" else None,
        )
        for each in DISTURBANCES
        for level, severity in enumerate(("mild", "strong"))
    )
