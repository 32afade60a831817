"""What became of the items on the belt: physically, and in the ledger. Pure.

The station says where it sent an item. Where the item went is another question: it rides along the
belt, and the first flap that stands out when its centre comes by takes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edge.simulation.account.passage import Interval
from edge.simulation.belt.traffic import GroundTruth


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Which rows of the ledger belong to which items."""

    rows: Mapping[int, tuple[int, ...]]
    """The indices of the rows of each item, by its number."""
    strays: tuple[int, ...]
    """The indices of rows from times when no item was in view."""

    @property
    def missing(self) -> list[int]:
        """Items without a verdict."""
        return [item for item, rows in self.rows.items() if not rows]

    @property
    def repeated(self) -> list[int]:
        """Items with more than one verdict."""
        return [item for item, rows in self.rows.items() if len(rows) > 1]

    @property
    def one_each(self) -> bool:
        """Every item has exactly one verdict, and there is no other."""
        return not (self.missing or self.repeated or self.strays)


def times_out(
    changes: Sequence[tuple[float, float]], *, rest: float, active: float
) -> list[Interval]:
    """When a flap stood out, from the states of its pin.

    A servo's arm counts as out from the middle between its two angles on.

    Args:
        changes: (monotonic seconds, level) in order of time.
        rest: the pin's level at rest.
        active: the pin's level when the flap is out.
    """
    intervals: list[Interval] = []
    since: float | None = None
    for moment, level in changes:
        out = abs(level - active) < abs(level - rest)
        if out and since is None:
            since = moment
        elif not out and since is not None:
            intervals.append((since, moment))
            since = None
    if since is not None:
        intervals.append((since, float("inf")))
    return intervals


def match_rows(truths: Sequence[GroundTruth], times: Sequence[float]) -> Verdicts:
    """Which row is of which item: of those in view when its picture was taken, that nearest the
    middle.

    Args:
        times: when the picture of each row was taken, in monotonic seconds.
    """
    rows: dict[int, list[int]] = {truth.item: [] for truth in truths}
    strays = []
    for index, moment in enumerate(times):
        in_view = [truth for truth in truths if truth.entered <= moment <= truth.left]
        if in_view:
            nearest = min(in_view, key=lambda truth: abs(moment - truth.centred))
            rows[nearest.item].append(index)
        else:
            strays.append(index)
    return Verdicts({item: tuple(found) for item, found in rows.items()}, tuple(strays))
