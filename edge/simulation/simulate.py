"""A simulated run of the station of a station file, from its options to its report."""

from __future__ import annotations

from contextlib import closing

from edge.config.reading import StationPlan
from edge.simulation.account.account import Settled
from edge.simulation.account.report import Report, Setting
from edge.simulation.options import SimulationOptions, world_for
from edge.simulation.running import LEFT_OUT, SimulatedRun, run_station
from edge.simulation.world.belt import BeltWorld
from edge.simulation.world.bin import BinWorld


def simulate(
    plan: StationPlan, options: SimulationOptions, *, settled: Settled | None = None
) -> Report:
    """Runs the station in the world that suits it, and reports what came of it.

    Args:
        settled: is told of each item at its end, with the lane that it fell into.

    Raises:
        UsageError: the options do not fit the station.
        PilahError: the station cannot be run; see `run_station`.
    """
    world, faults = world_for(plan, options)
    with closing(world):
        run = run_station(plan, world, faults, settled=settled)
        return _report(plan, options, world, run)


def _report(
    plan: StationPlan, options: SimulationOptions, world: BeltWorld | BinWorld, run: SimulatedRun
) -> Report:
    config, tally, machine = plan.config, run.tally, run.machine
    return Report(
        setting=Setting(
            station=config.station,
            bundle=plan.bundle.title,
            world=world.kind,
            items=world.items_from,
            seed=world.order.seed,
            rate=options.rate,
            labels=plan.bundle.labels,
            metres_per_second=world.metres_per_second,
            faults=tuple(map(str, options.faults)),
            left_out=tuple(name for name in LEFT_OUT if getattr(config, name) is not None),
        ),
        account=run.account,
        virtual_seconds=run.virtual_seconds,
        frames={
            "looked at": run.frames,
            "dropped": tally.dropped,
            "objects in a single frame": tally.single_frame,
        },
        frame_age_ms=run.frame_age_ms,
        missed={why.value: count for why, count in tally.missed.items()},
        machine={
            "seconds": round(machine.seconds, 2),
            "trigger_ms": machine.trigger_ms.to_json(),
            "model_ms": machine.model_ms.to_json(),
        },
        stopped=run.stopped,
    )
