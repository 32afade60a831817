"""Purity and recovery of every lane, from what fell into it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edge.core.model.metrics import Share


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
        """The lane as JSON; of a lane for rejects the shares are null."""
        return {
            "labels": list(self.labels),
            "items": sum(self.found.values()),
            "found": dict(self.found),
            **share_json("purity", self.purity),
            **share_json("recovery", self.recovery),
        }


def share_json(name: str, share: Share) -> dict[str, Any]:
    """A share with its 95 % interval, as two keys of a JSON object."""
    return {name: share.value, f"{name}_interval": share.interval}


def lane_figures(
    fallen: Mapping[tuple[str, str], int], labels: Mapping[str, Sequence[str]]
) -> dict[str, LaneFigures]:
    """The figures of every lane.

    Args:
        fallen: the number of items by (true label, the lane that they fell into).
        labels: the labels of each lane, by its name.
    """
    figures = {}
    for lane, wanted in labels.items():
        found = {label: count for (label, into), count in fallen.items() if into == lane}
        right = sum(found.get(label, 0) for label in wanted)
        belongs = sum(count for (label, _), count in fallen.items() if label in wanted)
        # Rejects belong nowhere: their lane is neither pure nor impure.
        figures[lane] = LaneFigures(
            labels=tuple(wanted),
            found=dict(sorted(found.items())),
            purity=Share(right, sum(found.values()) if wanted else 0),
            recovery=Share(right, belongs),
        )
    return figures
