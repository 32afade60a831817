"""The continuous trigger, for which every frame is an item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from edge.flow import Frame, Observation
from edge.vision.trigger import Trigger, TriggerSettings, TriggerSurroundings


class Settings(TriggerSettings):
    """`trigger: {kind: continuous}`."""

    has_box: ClassVar[bool] = False

    kind: Annotated[Literal["continuous"], Field(description="the kind of trigger")]

    def open(self, around: TriggerSurroundings | None = None) -> Trigger:
        """Opens the trigger that takes every frame for an item."""
        return ContinuousTrigger()


class ContinuousTrigger:
    """Takes every frame for an item: for photographs, and for a camera that shows one thing."""

    def __init__(self) -> None:
        self._items = 0

    def look(self, frame: Frame) -> Sequence[Observation]:
        """The observation of one new item, which fills the region, and that it is gone."""
        self._items += 1
        seen = Observation(self._items, None, passed=frame.captured)
        return seen, replace(seen, gone=True)

    def end(self) -> Sequence[Observation]:
        """An empty sequence, because no item is still in view."""
        return ()
