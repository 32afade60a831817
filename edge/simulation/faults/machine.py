"""Faults of the machine that a station runs on."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from edge.simulation.faults.fault import HOME, Every, Fault, Lasting, PassingFault

Milliseconds = Annotated[float, Field(ge=0, le=60_000)]


class SlowInference(PassingFault):
    """`slow-inference`: each inference takes its time, always or now and then."""

    name: ClassVar[str] = "slow-inference"
    summary: ClassVar[str] = "an inference takes `ms` milliseconds"
    is_seen: ClassVar[bool] = False
    with_scores: ClassVar[bool] = True

    ms: Milliseconds = 100.0
    every: Every = 0.0
    seconds: Lasting = 1.0

    def inference_seconds(self, moment: float) -> float:
        """See Fault."""
        return self.ms / 1000 if self.strength(moment) else 0.0

    @property
    def usual_inference_seconds(self) -> float:
        """See Fault."""
        return self.ms / 1000 if self.is_always else 0.0


class SlowDisk(PassingFault):
    """`slow-disk`: each write to the ledger takes its time, always or now and then."""

    name: ClassVar[str] = "slow-disk"
    summary: ClassVar[str] = "a write to the ledger takes `ms` milliseconds"
    is_seen: ClassVar[bool] = False

    ms: Milliseconds = 2000.0
    every: Every = 0.0
    seconds: Lasting = 5.0

    def write_seconds(self, moment: float) -> float:
        """See Fault."""
        return self.ms / 1000 if self.strength(moment) else 0.0


class HomeStuck(Fault):
    """`home-stuck`: a home switch never closes, so that no motor finds it."""

    name: ClassVar[str] = "home-stuck"
    summary: ClassVar[str] = "no motor finds its home switch, which never closes"
    is_seen: ClassVar[bool] = False
    part: ClassVar[str] = HOME
