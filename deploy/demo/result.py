"""What became of all items of a belt, and of the pictures that the model was tested on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.demo.explain import astray
from deploy.demo.figures import Stated
from deploy.demo.folder import BUNDLE
from deploy.demo.passage import Verdicts
from deploy.demo.report import Fate, fates_of
from deploy.demo.sorting import Sorted
from edge.core.model.bundle import read_bundle
from edge.core.model.metrics import Share
from edge.simulation.account.lane_figures import LaneFigures, lane_figures


@dataclass(frozen=True, slots=True, eq=False)
class BeltFigures:
    """What the station thought of the items, by its ledger."""

    accuracy: Share
    """Items whose best label is right."""
    accepted: Share
    purity: Share
    """Right ones among the accepted."""

    @property
    def stated(self) -> Stated:
        """What these figures lead one to expect of the lanes."""
        return Stated(Share(self.purity.count, self.accuracy.total), self.purity)

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


def evaluated(evaluation: Mapping[str, Any]) -> BeltFigures:
    """The figures that `pilah-edge evaluate --json` gives of pictures."""
    total = int(evaluation["images"])
    accepted = round(evaluation["accepted"] * total)
    return BeltFigures(
        accuracy=Share(round(evaluation["accuracy"] * total), total),
        accepted=Share(accepted, total),
        purity=Share(round((evaluation["purity"] or 0) * accepted), accepted),
    )


@dataclass(frozen=True, slots=True, eq=False)
class BeltResult:
    """What became of all items of a belt."""

    fates: Sequence[Fate]
    verdicts: Verdicts
    lanes: Mapping[str, LaneFigures]
    accept: Mapping[str, float]
    """The bundle's accept thresholds."""

    @property
    def labels(self) -> dict[str, tuple[str, ...]]:
        """The labels of each lane, by its name."""
        return {name: lane.labels for name, lane in self.lanes.items()}

    @property
    def in_lane(self) -> Share:
        """Items in the lane where they belong."""
        lost = len(astray(self.fates, self.labels))
        return Share(len(self.fates) - lost, len(self.fates))

    @property
    def empty(self) -> list[str]:
        """The lanes into which nothing fell, though there were items that belong there."""
        return [
            name
            for name, lane in self.lanes.items()
            if lane.recovery.total and not sum(lane.found.values())
        ]

    @property
    def rejected(self) -> int:
        """Items that the station rejected."""
        return sum(map(_is_rejected, self.fates))

    @property
    def first_line(self) -> str:
        """What it comes to, in a line."""
        total, lost = len(self.fates), astray(self.fates, self.labels)
        share = self.rejected / total if total else 0.0
        otherwise = sum(not _is_rejected(fate) for fate in lost)
        return (
            f"{total} items: {self.in_lane.count} in their lanes, {self.rejected} rejected "
            f"({share:.0%}), {otherwise} lost otherwise"
        )


def _is_rejected(fate: Fate) -> bool:
    return fate.row is not None and not fate.row.entry.accepted


def result_of(folder: Path, belt: Sorted) -> BeltResult:
    """What became of the items of `belt`, whose bundle lies in `folder`."""
    fates, verdicts = fates_of(belt, flap_after_seconds=belt.plan.flap_after_seconds)
    labels = {name: lane.labels for name, lane in belt.config.lanes.items()}
    lanes = lane_figures(Counter((fate.truth.label, fate.lane) for fate in fates), labels)
    return BeltResult(fates, verdicts, lanes, read_bundle(folder / BUNDLE).manifest.accept)
