"""What stands in for parts of a station in a simulated run: the real ones, watched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple, cast

from edge.config.belt import Belt
from edge.config.reading import StationPlan
from edge.flow import Frame
from edge.ledger.opening import OpenLedger, open_ledger
from edge.ledger.rows import Writable
from edge.outbox.retention import Keep
from edge.runtime.clock import Clock, Flag
from edge.simulation.account.spread import Spread
from edge.simulation.contacts import SimulatedContacts
from edge.simulation.encoder import SimulatedEncoderSettings
from edge.simulation.faults.table import Faults
from edge.simulation.watching import WatchedClassifier, WatchedLedger, WatchedTriggerSettings
from edge.simulation.world import DrawnWorld
from edge.simulation.world.belt import BeltWorld
from edge.simulation.world.camera import SimulatedCameraSettings
from edge.simulation.world.signals import SimulatedSignalSettings
from edge.sorting.model import ActiveModel, open_model
from edge.vision.trigger import TriggerSettings
from edge.vision.trigger.signals import SignalSettings


@dataclass(slots=True)
class RunTimes:
    """How long things take in a run."""

    trigger_ms: Spread = field(default_factory=lambda: Spread(step=0.001))
    model_ms: Spread = field(default_factory=lambda: Spread(step=0.001))
    """These two are of this machine, and differ from run to run."""
    frame_age_ms: Spread = field(default_factory=Spread)
    """From the capture of a frame to the station's look at it, by the clock of the run."""


class StandIns(NamedTuple):
    """The parts; the first two are what the station's configuration has in their place."""

    camera: Any
    trigger: Any
    model: Callable[[StationPlan], ActiveModel]
    ledger: OpenLedger
    belt: Belt | None
    """The section `belt`."""
    contacts: SimulatedContacts
    faults: Faults


def stand_ins_for(
    plan: StationPlan, world: DrawnWorld, faults: Faults, *, clock: Clock, times: RunTimes
) -> StandIns:
    """The real trigger, model and ledger of a station, before a camera over `world`.

    Args:
        faults: what goes wrong with pictures, model and ledger.
        clock: that of the run.
        times: is given what is measured.
    """

    def seen(frame: Frame) -> None:
        times.frame_age_ms.add(1000 * (clock.now() - frame.captured))

    def model(plan: StationPlan) -> ActiveModel:
        real = open_model(plan)
        watched = WatchedClassifier(
            real.classifier,
            took=lambda seconds: times.model_ms.add(1000 * seconds),
            wait=lambda: _pass_time(clock, faults.inference_seconds(clock.now())),
        )
        # The time of an inference is that of the run's clock, not of this machine's.
        usual = faults.usual_inference_seconds
        return replace(real, classifier=watched, inference_seconds=usual)

    def ledger(path: Path, *, keep: Keep | None) -> Writable:
        return WatchedLedger(
            open_ledger(path, keep=keep),
            wait=lambda: _pass_time(clock, faults.write_seconds(clock.now())),
        )

    settings = plan.config.trigger
    if isinstance(settings, SignalSettings):
        settings = cast(TriggerSettings, SimulatedSignalSettings(settings, world))
    trigger = WatchedTriggerSettings(
        settings,
        seen=seen,
        took=lambda seconds: times.trigger_ms.add(1000 * seconds),
    )
    camera = SimulatedCameraSettings(world, clock, faults)
    config = plan.config
    contacts = SimulatedContacts(config.stops, faults, clock.now, lanes=config.lanes)
    belt = _belt(plan.config.belt, world, faults)
    return StandIns(camera, trigger, model, ledger, belt, contacts, faults)


def _belt(belt: Belt | None, world: DrawnWorld, faults: Faults) -> Belt | None:
    """The same belt, whose encoder follows that of the world."""
    if belt is None or belt.encoder is None or not isinstance(world, BeltWorld):
        return belt
    encoder = SimulatedEncoderSettings(
        belt.encoder, world.when_metres, silent=faults.encoder_is_silent
    )
    return belt.model_copy(update={"encoder": encoder})


def _pass_time(clock: Clock, seconds: float) -> None:
    """Lets the calling thread be busy for so long on the clock of the run."""
    if seconds > 0:
        Flag(clock).wait(clock.now() + seconds)
