"""A trigger, a model and a clock that do what a test says, and what a sorter makes of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from edge.core.images.image_file import Image
from edge.core.images.preprocess import Box, InputSpec
from edge.core.verdict import Prediction, Rules
from edge.flow import Frame, Observation, PictureFault, PictureFaultKind
from edge.sorting.model import ActiveModel
from edge.sorting.sorter import Outcome, Sorter
from edge.sorting.vote_deadlines import VoteDeadlines

LABELS = ("can", "bottle")


CAN, BOTTLE, UNSURE = (0.9, 0.1), (0.1, 0.9), (0.6, 0.4)


BOX = Box(1, 1, 4, 4)


NO_LIMIT = VoteDeadlines()
FROZEN = PictureFault(PictureFaultKind.FROZEN, lasting=True)


@dataclass
class Script:
    """A trigger, a model and a clock that do what a test says."""

    observations: list[Sequence[Observation]] = field(default_factory=list)
    scores: list[tuple[float, ...]] = field(default_factory=list)
    novelty: list[float] = field(default_factory=list)
    now: float = 0.0
    scored: int = 0
    spec: InputSpec = field(default_factory=InputSpec)

    def look(self, frame: Frame) -> Sequence[Observation]:
        return self.observations.pop(0)

    def end(self) -> Sequence[Observation]:
        return ()

    def predict(
        self,
        image: Image,
        *,
        box: Box | None = None,
        meanwhile: Callable[[], None] | None = None,
    ) -> Prediction:
        self.scored += 1
        novelty = self.novelty.pop(0) if self.novelty else None
        return Prediction(np.array(self.scores.pop(0), np.float32), novelty)

    def clock(self) -> float:
        return self.now


def sorter(
    script: Script, closing: VoteDeadlines = NO_LIMIT, *, whole_region: bool = False
) -> Sorter:
    script.spec = InputSpec(crop="region" if whole_region else "item")
    return Sorter(script, model_of(script), closing=closing, clock=script.clock)


def model_of(script: Script, title: str = "tiny 1", **rules: Any) -> ActiveModel:
    whole: dict[str, Any] = {
        "labels": LABELS,
        "accept": {"can": 0.8, "bottle": 0.8},
        "clear_frames": 3,
        "max_frames": 6,
        "unknown": 0.5,
    }
    return ActiveModel(script, Rules(**(whole | rules)), title, f"digest of {title}", 0.0)


def seen(item: int = 1, *, whole: bool = True, passed: float | None = None) -> Observation:
    return Observation(item, BOX, whole=whole, passed=passed)


def gone(item: int = 1, *, passed: float | None = None) -> Observation:
    return Observation(item, BOX, gone=True, passed=passed)


def play(
    script: Script, closing: VoteDeadlines = NO_LIMIT, *, whole_region: bool = False
) -> list[tuple[int, Outcome]]:
    """(number of the frame, outcome) of every verdict; a frame each tenth of a second from 0."""
    found: list[tuple[int, Outcome]] = []
    sorting = sorter(script, closing, whole_region=whole_region)
    for number in range(len(script.observations)):
        script.now = number / 10
        frame = Frame(np.zeros((8, 8, 3), np.uint8), script.now, number)
        found += [(number, outcome) for outcome in sorting.look(frame)]
    return found + [(-1, outcome) for outcome in sorting.end()]
