"""Every frame is an item."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from edge.flow import Frame, Item
from edge.trigger import Trigger, TriggerSettings


class Settings(TriggerSettings):
    """`trigger: {kind: continuous}`."""

    kind: Annotated[Literal["continuous"], Field(description="the kind of trigger")]

    def open(self) -> Trigger:
        """The trigger that takes every frame for an item."""
        return ContinuousTrigger()


class ContinuousTrigger:
    """Takes every frame for an item: for photographs, and for a camera that shows one thing."""

    def items(self, frames: Iterator[Frame]) -> Iterator[Item]:
        """An item of one frame for each of `frames`."""
        for frame in frames:
            yield Item((frame,))
