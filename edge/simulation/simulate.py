"""A simulated run of the station of a station file, from its options to its report."""

from __future__ import annotations

import logging
from contextlib import closing
from dataclasses import asdict, replace

from edge.config.reading import StationPlan
from edge.simulation.account.account import Settled
from edge.simulation.account.report import Report, Setting
from edge.simulation.faults.fault import HOME, PassingFault
from edge.simulation.options import SimulationOptions, check_parts, scored_world_for, world_for
from edge.simulation.running import LEFT_OUT, SimulatedRun, at_home, run_station
from edge.simulation.scored_run import run_scored
from edge.simulation.stand_ins import RunTimes, stand_ins_for
from edge.simulation.virtual_clock import VirtualClock
from edge.simulation.world import World

_log = logging.getLogger(__name__)


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
    check_parts(plan.config, options.faults)
    stuck = any(fault.part == HOME for fault in options.faults)
    times = RunTimes()
    if not stuck:
        plan = replace(plan, config=at_home(plan.config))
    if options.scores is not None:
        scored, faults, seed = scored_world_for(plan, options)
        world: World = scored
        run = run_scored(plan, scored, faults, times=times)
        left_out = {*LEFT_OUT, "ledger", "camera", "trigger"}
    else:
        drawn, faults = world_for(plan, options)
        world, seed, left_out = drawn, drawn.order.seed, set(LEFT_OUT)
        with closing(world):
            clock = VirtualClock()
            stand_ins = stand_ins_for(plan, drawn, faults, clock=clock, times=times)
            run = run_station(plan, world, stand_ins, clock=clock, settled=settled)
    for fault in options.faults:
        if isinstance(fault, PassingFault) and (why := _left_out(fault, run)):
            _log.warning(f"--faults: {fault}: {why}")
    config = plan.config
    setting = Setting(
        station=config.station,
        bundle=plan.bundle.title,
        world=world.kind,
        items=world.items_from,
        seed=seed,
        rate=options.rate,
        labels=plan.bundle.labels,
        metres_per_second=world.metres_per_second,
        faults=tuple(map(str, options.faults)),
        left_out=tuple(
            name for name in sorted(left_out) if getattr(config, name, None) is not None
        ),
    )
    return _report(setting, run, times)


def _left_out(fault: PassingFault, run: SimulatedRun) -> str:
    """What a run does not show of a fault that was planted, in words; empty: it shows all of it."""
    end, begin = run.virtual_seconds, fault.first_at
    more = f"the run was over after {end:.1f} s; let more items pass (--count)"
    if begin >= end:
        return f"it never occurred, because {more}"
    found = [
        one
        for one in run.incidents
        if one.name == fault.incident
        and getattr(fault, "lane", "") in ("", one.scope)
        and one.begin >= begin
    ]
    if fault.incident and not found:
        return (
            f"the station has not noticed it: {fault.unnoticed}. Let it last longer (seconds=), or "
            "more items pass (--count)"
        )
    if fault.at is not None and fault.at + fault.seconds > end:
        return f"only {end - fault.at:.1f} s of it are in the figures, because {more}"
    return ""


def _report(setting: Setting, run: SimulatedRun, times: RunTimes) -> Report:
    return Report(
        setting=setting,
        account=run.account,
        virtual_seconds=run.virtual_seconds,
        frames={
            "looked at": len(times.frame_age_ms),
            "dropped": run.dropped,
            "objects in a single frame": run.single_frame,
        },
        frame_age_ms=times.frame_age_ms,
        missed={why.value: count for why, count in run.missed.items()},
        machine={
            "seconds": round(run.seconds, 2),
            "trigger_ms": times.trigger_ms.to_json(),
            "model_ms": times.model_ms.to_json(),
        },
        stopped=run.stopped,
        states=run.states,
        incidents=[asdict(one) for one in run.incidents],
    )
