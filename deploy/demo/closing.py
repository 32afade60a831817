"""The end of a demo: what it comes to, written down and said."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deploy.demo.explain import advice, told
from deploy.demo.figures import CHANCE, fewest_of, is_below, shortcomings
from deploy.demo.folder import BUNDLE, LEDGER, RUN, SHEET, SUMMARY
from deploy.demo.passage import Verdicts
from deploy.demo.report import mark_of, write_sheet
from deploy.demo.result import BeltResult, belt_figures, evaluated, result_of
from deploy.demo.sorting import Sorted
from deploy.demo.stages import Stages
from edge.core.files import write_file
from edge.core.images.contact_sheet import Headline, Mark
from edge.core.model.bundle import read_bundle
from trainer.run import tool_versions

_log = logging.getLogger(__name__)

PLUMBING = (
    "Drawn items prove the plumbing, not the eye: how well your own things can be told apart, "
    "only your own photographs show."
)
_MOST = 0.5
"""Share of the photographs that a machine which sorts puts into their lanes; with less it does
little but reject."""


def close_drawn(
    folder: Path,
    belt: Sorted,
    stages: Stages,
    *,
    seed: int,
    evaluation: Mapping[str, Any],
    expected: float,
) -> bool:
    """Whether the demo on drawn items went well; writes and says all of it.

    Args:
        evaluation: what `pilah-edge evaluate --json` says of the test split.
        expected: the share that the model is made to accept as what they are, 0..1.
    """
    result = result_of(folder, belt)
    on_pictures = evaluated(evaluation)
    stated = on_pictures.stated
    least = fewest_of(expected, stated.recovery.total, CHANCE)
    problems = _verdict_problems(result.verdicts)
    if stated.recovery.count < least:
        problems.append(
            f"the model itself: it accepts {stated.recovery} of the test split as what they are; "
            f"of a model that comes to {expected:.1%} chance leaves {least} at least, but once in "
            "a thousand runs"
        )
    problems += map(str, shortcomings(result.lanes, stated))
    facts: dict[str, Any] = {
        "kind": "drawn",
        "note": PLUMBING,
        "seed": seed,
        "evaluate": on_pictures.to_json(),
    }
    _write(folder, facts, belt, result, problems, stages)
    _say(folder, belt, result, stages)
    _log.info(
        f"\n{PLUMBING}\nnext: make demo PHOTOS=folder, with a folder of photographs for each class"
    )
    return _judged(belt, result, problems)


def close_photographs(
    folder: Path,
    belt: Sorted,
    stages: Stages,
    *,
    seed: int,
    evaluation: Mapping[str, Any],
) -> bool:
    """Whether the demo on photographs went well.

    It did where most items are in their lanes, no lane is empty to which two items or more belong,
    and neither the lanes nor what was accepted are worse than `evaluate` said of the same
    photographs.

    Args:
        evaluation: what `pilah-edge evaluate --json` says of the photographs that passed.
    """
    result = result_of(folder, belt)
    fates, on_belt, on_pictures = result.fates, belt_figures(result.fates), evaluated(evaluation)
    problems = _verdict_problems(result.verdicts)
    if (share := result.in_lane.value) is None or share < _MOST:
        problems.append(
            f"only {result.in_lane.count} of {result.in_lane.total} items are in their lanes, "
            f"{result.rejected} were rejected: a machine that sorts puts most of them there"
        )
    problems += [
        f"lane {name}: nothing fell into it, and {belongs} items belong there"
        for name in result.empty
        if (belongs := result.lanes[name].recovery.total) > 1
    ]
    problems += map(str, shortcomings(result.lanes, on_pictures.stated))
    if is_below(on_belt.purity, on_pictures.purity):
        problems.append(
            f"purity of what was accepted on the belt, {on_belt.purity}, is below what evaluate "
            f"says of the same photographs, {on_pictures.purity}"
        )
    cut = sum(fate.truth.cut == "cut" for fate in fates)
    facts = {
        "kind": "photographs",
        "seed": seed,
        "cut_out": cut,
        "evaluate": on_pictures.to_json(),
    }
    _write(folder, facts, belt, result, problems, stages)
    _say(folder, belt, result, stages)
    _log.info(f"\n{'the same photographs':<22} {'on the belt':<34} evaluate")
    for what in ("accuracy", "accepted", "purity"):
        _log.info(f"{what:<22} {getattr(on_belt, what)!s:<34} {getattr(on_pictures, what)}")
    _log.info(
        f"{cut} of {len(fates)} were cut out of their background, the others passed as they are"
    )
    return _judged(belt, result, problems)


def _verdict_problems(verdicts: Verdicts) -> list[str]:
    problems = []
    if verdicts.missing:
        problems.append(f"without a verdict: items {_listed(verdicts.missing)}")
    if verdicts.repeated:
        problems.append(f"with more than one verdict: items {_listed(verdicts.repeated)}")
    if verdicts.strays:
        problems.append(f"{len(verdicts.strays)} verdicts while nothing was in view")
    return problems


def _listed(items: Sequence[int]) -> str:
    return ", ".join(map(str, items[:10])) + (" …" if len(items) > 10 else "")


def _write(
    folder: Path,
    facts: Mapping[str, Any],
    belt: Sorted,
    result: BeltResult,
    problems: Sequence[str],
    stages: Stages,
) -> None:
    figures = read_bundle(folder / BUNDLE).manifest.figures
    fates, lanes = result.fates, result.lanes
    summary = {
        **facts,
        "passed": not problems,
        "problems": list(problems),
        "items": len(fates),
        "verdicts": len(belt.rows),
        "one_verdict_each": result.verdicts.one_each,
        "in_their_lanes": result.in_lane.count,
        "rejected": result.rejected,
        "astray": told(fates, result.accept, result.labels),
        "lanes": {name: lane.to_json() for name, lane in lanes.items()},
        "belt": belt_figures(fates).to_json(),
        **_accuracies(figures),
        "stages": stages.seconds,
        "seconds": round(sum(stages.seconds.values()), 1),
        "latency_ms": {
            "p50": round(belt.latencies_ms[0], 1),
            "p95": round(belt.latencies_ms[1], 1),
        },
        "belt_slowness": round(belt.plan.slowness, 2),
        "frames": belt.frames,
        "frames_dropped": belt.dropped,
        "tools": tool_versions(),
    }
    write_file(folder / SUMMARY, json.dumps(summary, indent=2, ensure_ascii=False) + "\n")
    drawn = facts["kind"] == "drawn"
    write_sheet(
        folder / SHEET,
        fates,
        lanes,
        title="What was sorted where",
        headline=_headline(result, problems),
        summary=[
            result.first_line,
            "Items passed on a simulated belt; each picture is the one that decided the "
            "verdict. A lane holds what its flap took, whatever the station "
            "thought.",
            *([PLUMBING] if drawn else []),
        ],
    )


def _headline(result: BeltResult, problems: Sequence[str]) -> Headline:
    marks = Counter(mark_of(fate, result.lanes[fate.lane]) for fate in result.fates)
    counts = (
        f"{marks[Mark.OK]} of {len(result.fates)} items lie in the right lane, "
        f"{marks[Mark.WRONG]} in a wrong one, and {marks[Mark.REJECT]} were rejected or missed "
        "their flap."
    )
    if problems:
        return Headline(Mark.WRONG, "It did not sort well", (counts, *problems))
    return Headline(Mark.OK, "It sorted well", (counts,))


def _accuracies(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for kind in ("float", "int8")
        for name, value in (
            (f"accuracy_{kind}", figures[kind]["accuracy"]),
            (f"accuracy_{kind}_interval", figures[kind]["accuracy_interval"]),
        )
    } | {"test_pictures": figures["int8"]["images"]}


def _say(folder: Path, belt: Sorted, result: BeltResult, stages: Stages) -> None:
    _log.info("")
    _log.info(result.first_line)
    for name, lane in result.lanes.items():
        inside = sum(lane.found.values())
        if not lane.labels:
            _log.info(f"  {name:<14} {inside:>4}")
            continue
        empty = "   EMPTY" if name in result.empty else ""
        _log.info(
            f"  {name:<14} {inside:>4}   purity {lane.purity}   recovery {lane.recovery}{empty}"
        )
    for line in told(result.fates, result.accept, result.labels):
        _log.info(f"not in its lane: {line}")
    _log.info(f"{len(belt.rows)} verdicts; {belt.dropped} of {belt.frames} frames lost")
    times = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in stages.seconds.items())
    _log.info(f"time           {times}: {sum(stages.seconds.values()):.0f} s")
    _log.info(f"training       {folder / RUN}")
    _log.info(f"bundle         {folder / BUNDLE}")
    _log.info(f"ledger         {folder / LEDGER}")
    _log.info(f"what went where  {folder / SHEET}")
    _log.info(f"all figures    {folder / SUMMARY}")


def _judged(belt: Sorted, result: BeltResult, problems: Sequence[str]) -> bool:
    for problem in problems:
        _log.warning(f"not well: {problem}")
    if problems:
        lines = advice(result.fates, result.labels, dropped=belt.dropped, frames=belt.frames)
        for line in lines:
            _log.info(f"what helps: {line}")
        return False
    but = ""
    if result.empty:
        lanes = ", ".join(result.empty)
        but = f"; but nothing fell into {lanes}, for which a single item passed"
    _log.info(
        "demo: every item got exactly one verdict, and it sorted well: "
        f"{result.in_lane.count} of {result.in_lane.total} in their lanes{but}"
    )
    return True
