"""A trigger for drawn frames: whatever is bright on a dark ground is an item."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np

from edge.core.images.preprocess import Box
from edge.flow import Frame, Observation
from edge.vision.trigger import Trigger, TriggerSettings

BRIGHT = 120


class Settings(TriggerSettings):
    """`trigger: {kind: drawn}`."""

    has_box: ClassVar[bool] = True
    kind: Literal["drawn"]

    def open(self) -> Trigger:
        return DrawnTrigger()


class DrawnTrigger:
    """One item at a time; it is gone with the first frame that has nothing bright in it."""

    def __init__(self) -> None:
        self._item = 0
        self._box: Box | None = None

    def look(self, frame: Frame) -> Sequence[Observation]:
        rows, columns = np.nonzero(frame.image.max(axis=2) >= BRIGHT)
        if len(rows) == 0:
            return self.end()
        box = Box(
            int(columns.min()),
            int(rows.min()),
            int(np.ptp(columns)) + 1,
            int(np.ptp(rows)) + 1,
        )
        height, width = frame.image.shape[:2]
        self._item += self._box is None
        self._box = box
        whole = box.left > 0 and box.top > 0
        whole &= box.left + box.width < width and box.top + box.height < height
        return (Observation(self._item, box, whole=whole),)

    def end(self) -> Sequence[Observation]:
        box, self._box = self._box, None
        return () if box is None else (Observation(self._item, box, gone=True),)
