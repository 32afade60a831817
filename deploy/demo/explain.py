"""Why items are not in the lane where they belong, in words, and what helps. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from deploy.demo.report import Fate

_NAMED = 8
"""Items of a lane that are told one by one."""
_UNSURE = ("low_confidence", "disagreement", "unknown")


def astray(fates: Sequence[Fate], labels: Mapping[str, Sequence[str]]) -> list[Fate]:
    """The items that are not in their lane.

    Args:
        labels: the labels of each lane, by its name.
    """
    return [fate for fate in fates if fate.truth.label not in labels.get(fate.lane, ())]


def what_happened(fate: Fate, accept: Mapping[str, float]) -> str:
    """What became of an item, as a clause.

    Args:
        accept: the accept threshold of each label.
    """
    if fate.row is None:
        return f"no verdict, it fell into {fate.lane}"
    entry = fate.row.entry
    taken = f"{entry.label} at {entry.confidence or 0:.0%}"
    if entry.reject == "low_confidence":
        least = accept.get(entry.label or "", 0.0)
        return f"rejected: {taken}, accepted from {least:.0%}"
    if entry.reject is not None:
        words = {
            "unknown": "looks like no class",
            "disagreement": "its frames disagree",
            "late": "its verdict came too late",
            "unreadable": "its picture cannot be read",
        }
        return f"rejected: {words.get(entry.reject, entry.reject)} ({taken})"
    if entry.label != fate.truth.label:
        return f"wrong: taken for {taken}"
    return f"right ({taken}), but it fell into {fate.lane}: its flap was not out in time"


def told(
    fates: Sequence[Fate], accept: Mapping[str, float], labels: Mapping[str, Sequence[str]]
) -> list[str]:
    """A line for each class of which items are astray: which, and what happened to each."""
    lost: dict[str, list[Fate]] = {}
    for fate in astray(fates, labels):
        lost.setdefault(fate.truth.label, []).append(fate)
    lines = []
    for label, mine in sorted(lost.items()):
        each = "; ".join(
            f"item {fate.truth.item} {what_happened(fate, accept)}" for fate in mine[:_NAMED]
        )
        more = f"; and {len(mine) - _NAMED} more" if len(mine) > _NAMED else ""
        lines.append(f"{label}: {each}{more}")
    return lines


def advice(
    fates: Sequence[Fate], labels: Mapping[str, Sequence[str]], *, dropped: int, frames: int
) -> list[str]:
    """What helps against what happened to most of those astray."""
    causes: Counter[str] = Counter()
    for fate in astray(fates, labels):
        entry = fate.row.entry if fate.row else None
        if entry is not None and (
            entry.reject in _UNSURE or (entry.reject is None and entry.label != fate.truth.label)
        ):
            causes["model"] += 1
        else:
            causes["time"] += 1
    lines = []
    if causes["time"]:
        lines.append(
            f"{causes['time']} items came too late or were not followed ({dropped} of {frames} "
            "frames were lost): end other programs that keep this machine busy, and run it again"
        )
    if causes["model"]:
        lines.append(
            f"of {causes['model']} items the model was not sure, or it was wrong: it takes more "
            "photographs, better ones, or a longer training; the training's report shows which"
        )
    return lines
