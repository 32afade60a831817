"""The triggers, which find the items in the frames: one module for each kind."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import ClassVar, NamedTuple, Protocol, runtime_checkable

from edge.core.yaml_file import Section
from edge.flow import Frame, Observation
from edge.pins.pins import Pins
from edge.runtime.clock import Clock

KINDS = {
    "continuous": "edge.vision.trigger.continuous",
    "motion": "edge.vision.trigger.motion",
    "beam": "edge.vision.trigger.beam",
    "button": "edge.vision.trigger.button",
    "socket": "edge.vision.trigger.socket",
}
"""The module of each `kind`; its `Settings` is a TriggerSettings."""

SYNONYMS = {
    **dict.fromkeys(
        ("always", "every", "every_frame", "frame", "frames", "all", "none", "loop"), "continuous"
    ),
    **dict.fromkeys(
        ("movement", "move", "moving", "background", "blob", "belt", "items", "object"), "motion"
    ),
    **dict.fromkeys(
        ("light_barrier", "light_gate", "laser", "ir", "infrared", "photoelectric", "sensor",
         "barrier", "beam_break", "break_beam", "gpio"),
        "beam",
    ),
    **dict.fromkeys(("push_button", "switch", "key", "foot_switch", "pedal"), "button"),
    **dict.fromkeys(("unix_socket", "unix", "external", "plc", "datagram"), "socket"),
}  # fmt: skip
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


@runtime_checkable
class AnnouncingTrigger(Trigger, Protocol):
    """A trigger that knows of items without their pictures."""

    def unseen(self, now: float, *, oldest: float) -> Sequence[float]:
        """When items passed of which there was no frame that could be used; each is told once.

        Args:
            now: the time, on the clock of the frames' capture times.
            oldest: the age in seconds of a frame above which it is used no more.
        """
        ...


@runtime_checkable
class LearningTrigger(Trigger, Protocol):
    """A trigger that finds nothing before it knows what there is without an item."""

    @property
    def ready(self) -> bool:
        """Whether it knows that, and finds items from the next frame on."""
        ...


def learning(trigger: Trigger) -> LearningTrigger | None:
    """The trigger, if it is one that learns; None: it finds items from the first frame on.

    To be asked once and not in each frame: comparing an object with a protocol takes some 40 us.
    """
    return trigger if isinstance(trigger, LearningTrigger) else None


class TriggerSurroundings(NamedTuple):
    """What a trigger may need of a running station beside its frames."""

    pins: Callable[[], Pins]
    """Opens the machine's pins."""
    clock: Clock
    """The clock of the frames' capture times."""
    parts: ExitStack
    """Closes what the trigger opens."""


class TriggerSettings(Section):
    """The section `trigger` of a station file.

    Attributes:
        has_box: whether it gives the box of an item in the region.
    """

    kind: str
    has_box: ClassVar[bool]

    @property
    def fills_picture_seconds(self) -> float:
        """For how long an item may fill the whole picture as if it covered the camera; 0: what
        fills the picture is none."""
        return 0.0 if self.has_box else 3.0

    @property
    def learning_seconds(self) -> float:
        """For how long it learns before it finds items, where good pictures come."""
        return 0.0

    @property
    def socket_path(self) -> Path | None:
        """The socket that it makes for other programs; None: it makes none."""
        return None

    @abstractmethod
    def open(self, around: TriggerSurroundings | None = None) -> Trigger:
        """Opens the trigger, ready for the first frame.

        Args:
            around: what a running station has; None: there are frames alone.

        Raises:
            TriggerError: it needs more than frames, or something else than the frames fails.
            PinError: its pin cannot be used.
        """
