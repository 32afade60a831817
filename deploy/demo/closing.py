"""The end of a demo: what it comes to, written down and said."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.demo.figures import LaneFigures, is_below, lane_figures, shortcomings
from deploy.demo.folder import BUNDLE, LEDGER, RUN, SHEET, SUMMARY
from deploy.demo.passage import Verdicts
from deploy.demo.report import Fate, fates_of, write_sheet
from deploy.demo.sorting import Sorted
from deploy.demo.stages import Stages
from edge.cli import say
from edge.files import write_file
from edge.model.bundle import read_bundle
from edge.model.metrics import Share
from trainer.run import tool_versions

PLUMBING = (
    "Drawn items prove the plumbing, not the eye: how well your own things can be told apart, "
    "only your own photographs show."
)


@dataclass(frozen=True, slots=True, eq=False)
class BeltFigures:
    """What the station thought of the items, by its ledger."""

    accuracy: Share
    """Items whose best label is right."""
    accepted: Share
    purity: Share
    """Right ones among the accepted."""

    def to_json(self) -> dict[str, Any]:
        """Its object in `summary.json`."""
        return {
            name: value
            for what in ("accuracy", "accepted", "purity")
            for name, value in (
                (what, getattr(self, what).value),
                (f"{what}_interval", getattr(self, what).interval),
            )
        }


def belt_figures(fates: Sequence[Fate]) -> BeltFigures:
    """The figures of all items that have a verdict."""
    judged = [(fate.truth.label, fate.row.entry) for fate in fates if fate.row is not None]
    right = [label == entry.label for label, entry in judged]
    taken = [entry.accepted for _, entry in judged]
    return BeltFigures(
        accuracy=Share(sum(right), len(judged)),
        accepted=Share(sum(taken), len(judged)),
        purity=Share(sum(r and t for r, t in zip(right, taken, strict=True)), sum(taken)),
    )


def close_drawn(
    folder: Path,
    belt: Sorted,
    stages: Stages,
    *,
    seed: int,
    flap_after_seconds: float,
    least: float,
) -> bool:
    """Whether the demo on drawn items went well; writes and says all of it.

    Args:
        least: purity and recovery that every lane must reach.
    """
    fates, verdicts = fates_of(belt, flap_after_seconds=flap_after_seconds)
    lanes = _lanes(belt, fates)
    problems = [*_verdict_problems(verdicts), *shortcomings(lanes, least=least)]
    facts: dict[str, Any] = {"kind": "drawn", "note": PLUMBING, "seed": seed}
    _write(folder, facts, belt, fates, verdicts, lanes, problems, stages)
    _say(folder, belt, fates, lanes, stages)
    say(f"\n{PLUMBING}\nnext: make demo PHOTOS=folder, with a folder of photographs for each class")
    return _judged(problems)


def close_photographs(
    folder: Path,
    belt: Sorted,
    stages: Stages,
    *,
    seed: int,
    flap_after_seconds: float,
    evaluation: Mapping[str, Any],
) -> bool:
    """Whether the demo on photographs went well: as pure on the belt as `evaluate` said.

    Args:
        evaluation: what `pilah-edge evaluate --json` says of the photographs that passed.
    """
    fates, verdicts = fates_of(belt, flap_after_seconds=flap_after_seconds)
    lanes = _lanes(belt, fates)
    problems = _verdict_problems(verdicts)
    on_belt, on_pictures = belt_figures(fates), _evaluated(evaluation)
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
    _write(folder, facts, belt, fates, verdicts, lanes, problems, stages)
    _say(folder, belt, fates, lanes, stages)
    say(f"\n{'the same photographs':<22} {'on the belt':<34} evaluate")
    for what in ("accuracy", "accepted", "purity"):
        say(f"{what:<22} {getattr(on_belt, what)!s:<34} {getattr(on_pictures, what)}")
    say(f"{cut} of {len(fates)} were cut out of their background, the others passed as they are")
    return _judged(problems)


def _evaluated(evaluation: Mapping[str, Any]) -> BeltFigures:
    total = int(evaluation["images"])
    accepted = round(evaluation["accepted"] * total)
    return BeltFigures(
        accuracy=Share(round(evaluation["accuracy"] * total), total),
        accepted=Share(accepted, total),
        purity=Share(round((evaluation["purity"] or 0) * accepted), accepted),
    )


def _lanes(belt: Sorted, fates: Sequence[Fate]) -> dict[str, LaneFigures]:
    labels = {name: lane.labels for name, lane in belt.config.lanes.items()}
    return lane_figures([(fate.truth.label, fate.lane) for fate in fates], labels)


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
    fates: Sequence[Fate],
    verdicts: Verdicts,
    lanes: Mapping[str, LaneFigures],
    problems: Sequence[str],
    stages: Stages,
) -> None:
    figures = read_bundle(folder / BUNDLE).manifest.figures
    summary = {
        **facts,
        "passed": not problems,
        "problems": list(problems),
        "items": len(fates),
        "verdicts": len(belt.rows),
        "one_verdict_each": verdicts.one_each,
        "lanes": {name: lane.to_json() for name, lane in lanes.items()},
        "belt": belt_figures(fates).to_json(),
        **_accuracies(figures),
        "stages": stages.seconds,
        "seconds": round(sum(stages.seconds.values()), 1),
        "latency_ms": {
            "p50": round(belt.latencies_ms[0], 1),
            "p95": round(belt.latencies_ms[1], 1),
        },
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
        summary=[
            f"{len(fates)} items passed on a simulated belt; each picture is what the station's "
            "camera saw when the verdict was reached. A lane holds what its flap took, whatever "
            "the station thought.",
            *([PLUMBING] if drawn else []),
        ],
    )


def _accuracies(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for kind in ("float", "int8")
        for name, value in (
            (f"accuracy_{kind}", figures[kind]["accuracy"]),
            (f"accuracy_{kind}_interval", figures[kind]["accuracy_interval"]),
        )
    } | {"test_pictures": figures["int8"]["images"]}


def _say(
    folder: Path,
    belt: Sorted,
    fates: Sequence[Fate],
    lanes: Mapping[str, LaneFigures],
    stages: Stages,
) -> None:
    say("")
    say(f"{len(fates)} items, {len(belt.rows)} verdicts")
    for name, lane in lanes.items():
        inside = sum(lane.found.values())
        if lane.labels:
            say(f"  {name:<14} {inside:>4}   purity {lane.purity}   recovery {lane.recovery}")
        else:
            say(f"  {name:<14} {inside:>4}")
    times = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in stages.seconds.items())
    say(f"time           {times}: {sum(stages.seconds.values()):.0f} s")
    say(f"training       {folder / RUN}")
    say(f"bundle         {folder / BUNDLE}")
    say(f"ledger         {folder / LEDGER}")
    say(f"what went where  {folder / SHEET}")
    say(f"all figures    {folder / SUMMARY}")


def _judged(problems: Sequence[str]) -> bool:
    for problem in problems:
        say(f"not well: {problem}")
    if not problems:
        say("demo: every item got exactly one verdict, and it sorted well")
    return not problems
