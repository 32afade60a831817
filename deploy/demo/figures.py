"""How well it sorted: purity and recovery of every lane, and whether that is good enough. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edge.model.metrics import Share


@dataclass(frozen=True, slots=True)
class LaneFigures:
    """What is in one lane."""

    labels: tuple[str, ...]
    """What belongs into it; none: rejects."""
    found: Mapping[str, int]
    """What is in it, by true label."""
    purity: Share
    """Of what is in it, what belongs there."""
    recovery: Share
    """Of what belongs there, what is in it."""

    def to_json(self) -> dict[str, Any]:
        """The lane's object in `summary.json`; of a lane for rejects the shares are null."""
        return {
            "labels": list(self.labels),
            "items": sum(self.found.values()),
            "found": dict(self.found),
            "purity": self.purity.value,
            "purity_interval": self.purity.interval,
            "recovery": self.recovery.value,
            "recovery_interval": self.recovery.interval,
        }


def lane_figures(
    fates: Sequence[tuple[str, str]], labels: Mapping[str, Sequence[str]]
) -> dict[str, LaneFigures]:
    """The figures of every lane.

    Args:
        fates: (true label, lane it fell into) of every item.
        labels: the labels of each lane, by its name.
    """
    figures = {}
    for lane, wanted in labels.items():
        found = Counter(label for label, fell_into in fates if fell_into == lane)
        right = sum(found[label] for label in wanted)
        belongs = sum(label in wanted for label, _ in fates)
        # Rejects belong nowhere: their lane is neither pure nor impure.
        figures[lane] = LaneFigures(
            labels=tuple(wanted),
            found=dict(sorted(found.items())),
            purity=Share(right, sum(found.values()) if wanted else 0),
            recovery=Share(right, belongs),
        )
    return figures


def shortcomings(lanes: Mapping[str, LaneFigures], *, least: float) -> list[str]:
    """A line for each lane whose purity or recovery is below `least`, 0..1."""
    lines = []
    for name, lane in lanes.items():
        if not lane.labels:
            continue
        for what, share in (("purity", lane.purity), ("recovery", lane.recovery)):
            if share.value is None:
                lines.append(f"lane {name}: no item, so no {what}")
            elif share.value < least:
                lines.append(f"lane {name}: {what} {share}, below {least:.0%}")
    return lines


def is_below(one: Share, other: Share) -> bool:
    """Whether `one` is significantly below `other`, at 95 % confidence.

    The two shares' difference is tested one-sided by Newcombe's interval without continuity
    correction (Interval estimation for the difference between independent proportions, Statistics
    in Medicine 17, 1998, method 10). The same pictures stand behind both here, which the test does
    not know: it finds a difference less easily.
    """
    if one.value is None or other.value is None or one.interval is None or other.interval is None:
        return False
    drop = other.value - one.value
    below, above = other.value - other.interval[0], one.interval[1] - one.value
    return bool(drop - (below**2 + above**2) ** 0.5 > 0)
