"""When is there an item? One module for each kind of trigger."""

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

ALSO = {
    **dict.fromkeys(
        ("always", "every", "every_frame", "frame", "frames", "all", "none", "loop"), "continuous"
    ),
    **dict.fromkeys(
        ("movement", "move", "moving", "background", "blob", "belt", "items", "object"), "motion"
    ),
}
"""What people call a kind of trigger otherwise."""


class Trigger(Protocol):
    """Finds the items in a stream of frames; has no clock but their capture times."""

    def look(self, frame: Frame) -> Sequence[Observation]:
        """What is to be seen in the next frame, whose image is cut to the station's region.

        In one whose picture has a fault nothing is seen. Only where every frame is an item, it is
        one too.
        """
        ...

    def end(self) -> Sequence[Observation]:
        """The frames have ended: every item that was still in view, as gone."""
        ...


class TriggerSettings(Section):
    """The section `trigger` of a station file.

    Attributes:
        has_box: whether it tells where in the region an item is.
    """

    kind: str
    has_box: ClassVar[bool]

    @abstractmethod
    def open(self) -> Trigger:
        """The trigger, ready to be given frames."""
