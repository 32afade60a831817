"""The triggers, which find the items in the frames: one module for each kind."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Protocol

from edge.core.yaml_file import Section
from edge.flow import Frame, Observation

KINDS = {
    "continuous": "edge.vision.trigger.continuous",
    "motion": "edge.vision.trigger.motion",
}
"""The module of each `kind`; its `Settings` is a TriggerSettings."""

SYNONYMS = {
    **dict.fromkeys(
        ("always", "every", "every_frame", "frame", "frames", "all", "none", "loop"), "continuous"
    ),
    **dict.fromkeys(
        ("movement", "move", "moving", "background", "blob", "belt", "items", "object"), "motion"
    ),
}
"""Other words that people use for a kind of trigger, with the kind that each means."""


class Trigger(Protocol):
    """Finds the items in a sequence of frames; it uses no clock but their capture times."""

    def look(self, frame: Frame) -> Sequence[Observation]:
        """The observations in the next frame, whose image is cut to the station's region.

        A frame whose picture has a fault gives no observations, unless every frame is an item.
        """
        ...

    def end(self) -> Sequence[Observation]:
        """An observation for every item still in view, as gone, because the frames have ended."""
        ...


class TriggerSettings(Section):
    """The section `trigger` of a station file.

    Attributes:
        has_box: whether it gives the box of an item in the region.
    """

    kind: str
    has_box: ClassVar[bool]

    @abstractmethod
    def open(self) -> Trigger:
        """Opens the trigger, ready for the first frame."""
