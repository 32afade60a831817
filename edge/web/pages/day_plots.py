"""The plots of the pages History and Health: counts by day, and how long verdicts took."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from statistics import median
from typing import NamedTuple, Protocol

from edge.ledger.reports.oee import AuditedPurity
from edge.web.language.languages import Language, local
from edge.web.plots import Plot, PlotMark, plot

GROUPS = 12
"""Groups of items whose latency is drawn, from the oldest to the newest."""


class Day(Protocol):
    """What came of one day."""

    @property
    def day(self) -> date:
        """The day."""
        ...

    @property
    def items(self) -> int:
        """All items."""
        ...

    @property
    def rejected(self) -> int:
        """Those of them that were rejected."""
        ...

    @property
    def purity(self) -> AuditedPurity:
        """What audits found."""
        ...


class LatencyGroup(NamedTuple):
    """Some items that followed each other, and the milliseconds from picture to verdict."""

    end: str
    """When the last of them was sorted."""
    items: int
    fastest: float
    median: float
    slowest: float


def count_plot(days: Sequence[Day], language: Language) -> Plot | None:
    """Items by day, the oldest first, rejected ones on top; None: there are none."""
    oldest_first = days[::-1]
    most = max((day.items for day in days), default=0)
    if not most:
        return None
    return plot(
        [PlotMark(day.items - day.rejected, day.items, day.items) for day in oldest_first],
        [language.short_day(day.day) for day in oldest_first],
        least=0, most=most, smallest_step=1, written=language.number,
    )  # fmt: skip


def purity_plot(days: Sequence[Day], language: Language) -> Plot | None:
    """The purity of days with audits, with its 95 % interval; None: nothing was audited."""
    oldest_first = days[::-1]
    marks = [_purity_mark(day.purity) for day in oldest_first]
    lows = [mark.low for mark in marks if mark is not None]
    if not lows:
        return None
    return plot(
        marks, [language.short_day(day.day) for day in oldest_first],
        least=min(lows), most=1.0, hangs=True,
        written=lambda share, digits: language.percent(share, max(0, digits - 2)),
    )  # fmt: skip


def latency_groups(found: Sequence[tuple[str, float]]) -> list[LatencyGroup]:
    """The items in GROUPS groups of one size, the oldest first.

    Args:
        found: time and milliseconds of items, the newest first.
    """
    size = max(1, -(-len(found) // GROUPS))
    groups = [found[begin : begin + size] for begin in range(0, len(found), size)]
    return [
        LatencyGroup(
            group[0][0], len(group), min(ms for _, ms in group), median(ms for _, ms in group),
            max(ms for _, ms in group),
        )
        for group in reversed(groups)
    ]  # fmt: skip


def latency_plot(groups: Sequence[LatencyGroup], language: Language) -> Plot | None:
    """The median of each group, from its fastest to its slowest item; None: there is no item."""
    if not groups:
        return None
    return plot(
        [PlotMark(one.fastest, one.median, one.slowest) for one in groups],
        _ends(groups, language),
        least=0, most=max(one.slowest for one in groups) or 1.0, written=language.number,
    )  # fmt: skip


def _purity_mark(purity: AuditedPurity) -> PlotMark | None:
    share, interval = purity.share, purity.interval
    if share is None or interval is None:
        return None
    return PlotMark(interval[0], share, interval[1])


def _ends(groups: Sequence[LatencyGroup], language: Language) -> list[str]:
    """When groups end: the time of the day, or the day where they are of several."""
    moments = [local(one.end) for one in groups]
    days = {moment.date() for moment in moments if moment is not None}
    if len(days) < 2:
        return [language.clock(one.end) for one in groups]
    return ["–" if one is None else language.short_day(one.date()) for one in moments]
