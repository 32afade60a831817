"""The station at a glance: its state, what is to be done, counters, and the last items."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from starlette.responses import Response

from edge.core.errors import LedgerError, LedgerMissingError
from edge.ledger.export.reading import EVERYTHING, ExportedItem, newest_items
from edge.web.concerns import concerns
from edge.web.visit import Visit

_HOURS = 8
"""Hours that the counters go back, with the one that has not ended."""
_ITEMS = 12
"""Items that are shown, the newest."""


def show(visit: Visit) -> Response:
    """The page."""
    site = visit.site
    now = datetime.fromtimestamp(site.wall()).astimezone()
    spans = list(_hours(now))
    problem = None
    counted: Sequence[Counter[str]] = [Counter()] * len(spans)
    items: list[ExportedItem] = []
    try:
        counted = site.lane_counts.counts(spans, now)
        items, _ = newest_items(
            site.plan.ledger, EVERYTHING, before=None, limit=_ITEMS,
            photographs=site.plan.photographs,
        )  # fmt: skip
    except LedgerMissingError:
        pass  # nothing was sorted yet
    except LedgerError as error:
        problem = str(error)
    lanes = dict.fromkeys([*site.plan.lanes, *(lane for found in counted for lane in found)])
    shown, midnight = counted[: -_HOURS - 1 : -1], _midnight(now)  # the newest first
    today: Counter[str] = Counter()
    for (begin, _), found in zip(spans, counted, strict=True):
        today += found if begin >= midnight else Counter()
    return visit.page(
        "station.html",
        concerns=concerns(site.live.beat(), visit.language.gettext),
        hours=[begin for begin, _ in spans[: -_HOURS - 1 : -1]],
        lanes=[(lane, today[lane], [found[lane] for found in shown]) for lane in lanes],
        totals=[found.total() for found in shown],
        today=today.total(),
        items=items,
        problem=problem,
    )


def _hours(now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The hours of the clock since midnight, and at least the last _HOURS, the oldest first."""
    last = now.replace(minute=0, second=0, microsecond=0)
    for ago in range(max(now.hour, _HOURS - 1), -1, -1):
        begin = last - timedelta(hours=ago)
        yield begin, begin + timedelta(hours=1)


def _midnight(now: datetime) -> datetime:
    """When the day began, in whatever offset counted then."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None).astimezone()
