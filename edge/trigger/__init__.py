"""When is there an item? One module for each kind of trigger."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Protocol

from edge.flow import Frame, Item
from edge.yaml_file import Section

KINDS = {
    "continuous": "edge.trigger.continuous",
}
"""The module of each `kind`; its `Settings` is a TriggerSettings."""


class Trigger(Protocol):
    """Finds the items in a stream of frames."""

    def items(self, frames: Iterator[Frame]) -> Iterator[Item]:
        """Each item, as soon as all its frames are there; ends with the frames."""
        ...


class TriggerSettings(Section):
    """The section `trigger` of a station file."""

    kind: str

    @abstractmethod
    def open(self) -> Trigger:
        """The trigger, ready to be given frames."""
