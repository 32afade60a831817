"""Faults of the belt, and of what lies on it."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from edge.simulation.belt.wire import BeltOrder, SpeedChanges
from edge.simulation.faults.fault import ENCODER, Every, Fault, Lasting, PassingFault

BELTS = ("belt",)
"""The kinds of machine on which items travel past each other at the speed of a belt."""


class Speed(PassingFault):
    """`speed`: the belt runs slower or faster for a while, and the station does not know."""

    name: ClassVar[str] = "speed"
    summary: ClassVar[str] = "the belt runs at `factor` of its speed; 0: it stands"
    kinds: ClassVar[tuple[str, ...]] = BELTS

    factor: Annotated[float, Field(ge=0, le=5)] = 0.8
    every: Every = 30.0
    seconds: Lasting = 5.0

    _seed: tuple[int, ...] = ()

    def begin(self, seed: tuple[int, ...]) -> None:
        """See Fault."""
        super().begin(seed)
        self._seed = seed

    @model_validator(mode="after")
    def _moves_at_some_time(self) -> Speed:
        if self.is_always and not self.factor:
            raise PydanticCustomError(
                "stands", "a belt that stands for the whole run (every=0:factor=0) brings no item"
            )
        return self

    def belt(self, order: BeltOrder) -> BeltOrder:
        """See Fault."""
        changes = SpeedChanges(
            factor=self.factor,
            every=self.every,
            seconds=self.seconds,
            seed=self._seed,
            at=self.at,
        )
        return order.model_copy(update={"speeds": (*order.speeds, changes)})


class Touching(Fault):
    """`touching`: some items touch the one before them."""

    name: ClassVar[str] = "touching"
    summary: ClassVar[str] = "the share `share` of the items touches the one before"
    kinds: ClassVar[tuple[str, ...]] = BELTS

    share: Annotated[float, Field(ge=0, le=1)] = 0.1

    def belt(self, order: BeltOrder) -> BeltOrder:
        """See Fault."""
        return order.model_copy(update={"touching": self.share})


class EncoderSilent(PassingFault):
    """`encoder-silent`: the belt runs on, and its encoder gives no pulses."""

    name: ClassVar[str] = "encoder-silent"
    summary: ClassVar[str] = "the belt's encoder gives no pulses, though the belt runs"
    is_seen: ClassVar[bool] = False
    part: ClassVar[str] = ENCODER
    incident: ClassVar[str] = "encoder_silent"
    unnoticed: ClassVar[str] = "an item must pass while it lasts"

    every: Every = 120.0
    seconds: Lasting = 10.0

    def encoder_is_silent(self, moment: float) -> bool:
        """See Fault."""
        return self.strength(moment) > 0
