"""The end of a demo: what it comes to, written down and said."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.demo.explain import advice, astray, told
from deploy.demo.figures import (
    CHANCE,
    LaneFigures,
    Stated,
    fewest_of,
    is_below,
    lane_figures,
    shortcomings,
)
from deploy.demo.folder import BUNDLE, LEDGER, RUN, SHEET, SUMMARY
from deploy.demo.passage import Verdicts
from deploy.demo.report import Fate, fates_of, mark_of, write_sheet
from deploy.demo.sorting import Sorted
from deploy.demo.stages import Stages
from edge.cli import say
from edge.contact_sheet import Headline, Mark
from edge.files import write_file
from edge.model.bundle import read_bundle
from edge.model.metrics import Share
from trainer.run import tool_versions

PLUMBING = (
    "Drawn items prove the plumbing, not the eye: how well your own things can be told apart, "
    "only your own photographs show."
)
_MOST = 0.5
"""Share of the photographs that a machine which sorts puts into their lanes; with less it does
little but reject."""


@dataclass(frozen=True, slots=True, eq=False)
class BeltFigures:
    """What the station thought of the items, by its ledger."""

    accuracy: Share
    """Items whose best label is right."""
    accepted: Share
    purity: Share
    """Right ones among the accepted."""

    @property
    def right(self) -> Share:
        """Items accepted as what they are, of all."""
        return Share(self.purity.count, self.accuracy.total)

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
    evaluation: Mapping[str, Any],
    expected: float,
) -> bool:
    """Whether the demo on drawn items went well; writes and says all of it.

    Args:
        evaluation: what `pilah-edge evaluate --json` says of the test part.
        expected: the share that the model is made to accept as what they are, 0..1.
    """
    passage = _passage(folder, belt)
    on_pictures = _evaluated(evaluation)
    stated = Stated(recovery=on_pictures.right, purity=on_pictures.purity)
    least = fewest_of(expected, stated.recovery.total, CHANCE)
    problems = _verdict_problems(passage.verdicts)
    if stated.recovery.count < least:
        problems.append(
            f"the model itself: it accepts {stated.recovery} of the test part as what they are; "
            f"of a model that comes to {expected:.1%} chance leaves {least} at least, but once in "
            "a thousand runs"
        )
    problems += map(str, shortcomings(passage.lanes, stated))
    facts: dict[str, Any] = {
        "kind": "drawn",
        "note": PLUMBING,
        "seed": seed,
        "evaluate": on_pictures.to_json(),
    }
    _write(folder, facts, belt, passage, problems, stages)
    _say(folder, belt, passage, stages)
    say(f"\n{PLUMBING}\nnext: make demo PHOTOS=folder, with a folder of photographs for each class")
    return _judged(belt, passage, problems)


def close_photographs(
    folder: Path,
    belt: Sorted,
    stages: Stages,
    *,
    seed: int,
    evaluation: Mapping[str, Any],
) -> bool:
    """Whether the demo on photographs went well.

    It did where most items are in their lanes, and neither the lanes nor what was accepted are
    worse than `evaluate` said of the same photographs.

    Args:
        evaluation: what `pilah-edge evaluate --json` says of the photographs that passed.
    """
    passage = _passage(folder, belt)
    fates, on_belt, on_pictures = passage.fates, belt_figures(passage.fates), _evaluated(evaluation)
    problems = _verdict_problems(passage.verdicts)
    if (share := passage.in_lane.value) is None or share < _MOST:
        problems.append(
            f"only {passage.in_lane.count} of {passage.in_lane.total} items are in their lanes, "
            f"{passage.rejected} were rejected: a machine that sorts puts most of them there"
        )
    stated = Stated(recovery=on_pictures.right, purity=on_pictures.purity)
    problems += map(str, shortcomings(passage.lanes, stated))
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
    _write(folder, facts, belt, passage, problems, stages)
    _say(folder, belt, passage, stages)
    say(f"\n{'the same photographs':<22} {'on the belt':<34} evaluate")
    for what in ("accuracy", "accepted", "purity"):
        say(f"{what:<22} {getattr(on_belt, what)!s:<34} {getattr(on_pictures, what)}")
    say(f"{cut} of {len(fates)} were cut out of their background, the others passed as they are")
    return _judged(belt, passage, problems)


def _evaluated(evaluation: Mapping[str, Any]) -> BeltFigures:
    total = int(evaluation["images"])
    accepted = round(evaluation["accepted"] * total)
    return BeltFigures(
        accuracy=Share(round(evaluation["accuracy"] * total), total),
        accepted=Share(accepted, total),
        purity=Share(round((evaluation["purity"] or 0) * accepted), accepted),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Passage:
    """What became of all items of a belt."""

    fates: list[Fate]
    verdicts: Verdicts
    lanes: dict[str, LaneFigures]
    accept: Mapping[str, float]
    """The bundle's accept thresholds."""

    @property
    def labels(self) -> dict[str, tuple[str, ...]]:
        return {name: lane.labels for name, lane in self.lanes.items()}

    @property
    def in_lane(self) -> Share:
        """Items in the lane where they belong."""
        lost = len(astray(self.fates, self.labels))
        return Share(len(self.fates) - lost, len(self.fates))

    @property
    def rejected(self) -> int:
        """Items that the station rejected."""
        return sum(fate.row is not None and not fate.row.entry.accepted for fate in self.fates)


def _passage(folder: Path, belt: Sorted) -> _Passage:
    fates, verdicts = fates_of(belt, flap_after_seconds=belt.plan.flap_after_seconds)
    labels = {name: lane.labels for name, lane in belt.config.lanes.items()}
    lanes = lane_figures([(fate.truth.label, fate.lane) for fate in fates], labels)
    return _Passage(fates, verdicts, lanes, read_bundle(folder / BUNDLE).manifest.accept)


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
    passage: _Passage,
    problems: Sequence[str],
    stages: Stages,
) -> None:
    figures = read_bundle(folder / BUNDLE).manifest.figures
    fates, lanes = passage.fates, passage.lanes
    summary = {
        **facts,
        "passed": not problems,
        "problems": list(problems),
        "items": len(fates),
        "verdicts": len(belt.rows),
        "one_verdict_each": passage.verdicts.one_each,
        "in_their_lanes": passage.in_lane.count,
        "rejected": passage.rejected,
        "astray": told(fates, passage.accept, passage.labels),
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
        headline=_headline(fates, lanes, problems),
        summary=[
            _first_line(passage),
            "Items passed on a simulated belt; each picture is the one that decided the "
            "verdict. A lane holds what its flap took, whatever the station "
            "thought.",
            *([PLUMBING] if drawn else []),
        ],
    )


def _headline(
    fates: Sequence[Fate], lanes: Mapping[str, LaneFigures], problems: Sequence[str]
) -> Headline:
    marks = Counter(mark_of(fate, lanes[fate.lane]) for fate in fates)
    counts = (
        f"{marks[Mark.OK]} of {len(fates)} items lie in the right lane, {marks[Mark.WRONG]} in a "
        f"wrong one, and {marks[Mark.REJECT]} were rejected or missed their flap."
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


def _first_line(passage: _Passage) -> str:
    total = len(passage.fates)
    share = passage.rejected / total if total else 0.0
    return (
        f"{total} items: {passage.in_lane.count} in their lanes, {passage.rejected} rejected "
        f"({share:.0%}), {total - passage.in_lane.count - passage.rejected} astray otherwise"
    )


def _say(folder: Path, belt: Sorted, passage: _Passage, stages: Stages) -> None:
    say("")
    say(_first_line(passage))
    for name, lane in passage.lanes.items():
        inside = sum(lane.found.values())
        if not lane.labels:
            say(f"  {name:<14} {inside:>4}")
            continue
        empty = "   EMPTY" if lane.recovery.total and not inside else ""
        say(f"  {name:<14} {inside:>4}   purity {lane.purity}   recovery {lane.recovery}{empty}")
    for line in told(passage.fates, passage.accept, passage.labels):
        say(f"not in its lane: {line}")
    say(f"{len(belt.rows)} verdicts; {belt.dropped} of {belt.frames} frames lost")
    times = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in stages.seconds.items())
    say(f"time           {times}: {sum(stages.seconds.values()):.0f} s")
    say(f"training       {folder / RUN}")
    say(f"bundle         {folder / BUNDLE}")
    say(f"ledger         {folder / LEDGER}")
    say(f"what went where  {folder / SHEET}")
    say(f"all figures    {folder / SUMMARY}")


def _judged(belt: Sorted, passage: _Passage, problems: Sequence[str]) -> bool:
    for problem in problems:
        say(f"not well: {problem}")
    if problems:
        lines = advice(passage.fates, passage.labels, dropped=belt.dropped, frames=belt.frames)
        for line in lines:
            say(f"what helps: {line}")
        return False
    say(
        "demo: every item got exactly one verdict, and it sorted well: "
        f"{passage.in_lane.count} of {passage.in_lane.total} in their lanes"
    )
    return True
