"""A fault: what it is told, and the places of a simulated station at which it can disturb."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator
from pydantic_core import PydanticCustomError

from edge.simulation.belt.wire import BeltOrder
from edge.simulation.windows import Windows
from edge.vision.camera.reopening import CapturedPicture

ENCODER, HOME = "encoder", "home"
PARTS = {
    ENCODER: "a belt with an encoder: `belt: {encoder: ...}`",
    HOME: "a motor with a home switch: `home` of a stepper or of the section `bin`",
}
"""What a station must have for a fault to be one, in words."""


class Fault(BaseModel):
    """A fault that is planted into a run; each kind overrides what it disturbs.

    Attributes:
        name: what it is called in `--faults`.
        summary: what happens, in a few words.
        is_seen: whether it shows in the pictures of the camera.
        with_scores: whether it also disturbs a run of recorded scores, which has no camera, ledger,
            contacts or people.
        contact: the key of the section `stops` that must be there for the station to notice it;
            empty: none.
        kinds: the kinds of machine that it is for, as `pilah-edge init --kind` calls them; empty:
            every kind.
        part: what else the station must have, of PARTS; empty: nothing.
        incident: the incident by which the station notices it once it has lasted for a while;
            empty: it is noticed at once, or in several ways, or not at all.
        unnoticed: what it takes to be noticed, in words.
        needs_marks: whether the world shows something that can be recognised beside the items, as
            on a plain belt nothing would tell it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: ClassVar[str]
    summary: ClassVar[str]
    is_seen: ClassVar[bool] = True
    with_scores: ClassVar[bool] = False
    contact: ClassVar[str] = ""
    kinds: ClassVar[tuple[str, ...]] = ()
    part: ClassVar[str] = ""
    incident: ClassVar[str] = ""
    unnoticed: ClassVar[str] = ""
    needs_marks: ClassVar[bool] = False

    def begin(self, seed: tuple[int, ...]) -> None:
        """Takes the seed of everything that is random in it; called once, before the run."""

    def belt(self, order: BeltOrder) -> BeltOrder:
        """The belt as this fault has it."""
        return order

    def picture(self, picture: CapturedPicture) -> CapturedPicture:
        """A picture of the camera as this fault has it."""
        return picture

    def camera_hangs(self, moment: float) -> bool:
        """Whether the camera is there and gives no pictures, at a moment in seconds."""
        return False

    def camera_is_gone(self, moment: float) -> bool:
        """Whether the camera cannot be used, nor opened, at a moment in seconds."""
        return False

    def inference_seconds(self, moment: float) -> float:
        """How long an inference takes that begins at a moment in seconds, beyond no time."""
        return 0.0

    @property
    def usual_inference_seconds(self) -> float:
        """How long an inference takes as a rule, as a station measures it when it starts."""
        return 0.0

    def is_pressed(self, moment: float) -> bool:
        """Whether the emergency stop is pressed at a moment in seconds."""
        return False

    def is_paused(self, moment: float) -> bool:
        """Whether somebody wants the station to pause at a moment in seconds."""
        return False

    def is_full(self, lane: str, moment: float) -> bool:
        """Whether the bin of a lane is full at a moment in seconds."""
        return False

    def is_jammed(self, lane: str, moment: float) -> bool:
        """Whether nothing comes out of a lane that is sent into it at a moment in seconds."""
        return False

    def encoder_is_silent(self, moment: float) -> bool:
        """Whether the belt's encoder gives no pulses at a moment in seconds."""
        return False

    def write_seconds(self, moment: float) -> float:
        """How long a write to the ledger takes that begins at a moment, beyond no time."""
        return 0.0

    def __str__(self) -> str:
        values = self.model_dump()
        if values.get("at") is not None:
            del values["every"]
        given = (
            f"{key}={_text(value)}" for key, value in values.items() if value not in ("", None)
        )
        return ":".join([self.name, *given])


def _text(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


Every = Annotated[float, Field(ge=0, le=86400)]
"""Seconds from one occurrence to the next, on average; 0: it lasts for the whole run."""
Lasting = Annotated[float, Field(gt=0, le=3600)]
"""Seconds that an occurrence lasts."""


At = Annotated[float | None, Field(ge=0, le=1e6)]
"""Seconds from the beginning of the run at which it occurs, once; None: again and again."""


class PassingFault(Fault):
    """A fault that comes and goes."""

    every: Every = 20.0
    seconds: Lasting = 1.0
    at: At = None
    _windows: Windows | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _is_once_or_again(self) -> PassingFault:
        if self.at is not None and "every" in self.model_fields_set:
            raise PydanticCustomError(
                "both", "at is for one that occurs once, and every for one that recurs: give one"
            )
        return self

    @model_validator(mode="after")
    def _ends_before_the_next(self) -> PassingFault:
        if self.at is None and self.every and self.seconds >= self.every:
            raise PydanticCustomError(
                "longer",
                "every ({every}) must be above seconds ({seconds}), or 0 for the whole run",
                {"every": f"{self.every:g}", "seconds": f"{self.seconds:g}"},
            )
        return self

    @property
    def is_always(self) -> bool:
        """Whether it lasts for the whole run."""
        return self.at is None and not self.every

    def begin(self, seed: tuple[int, ...]) -> None:
        """See Fault."""
        self._windows = Windows(every=self.every, seconds=self.seconds, seed=seed, at=self.at)

    @property
    def first_at(self) -> float:
        """When it occurs first, in seconds since the run began."""
        assert self._windows is not None, "begin was not called"
        return self._windows.first

    def strength(self, moment: float, *, fade: float = 0.0) -> float:
        """0 while the fault is away, 1 while it lasts; see `Windows.strength`."""
        assert self._windows is not None, "begin was not called"
        return self._windows.strength(moment, fade=fade)
