"""What was sorted: filtered, page by page, counted by day, and exported."""

from __future__ import annotations

import ctypes
import gc
import io
import os
import select
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.responses import PlainTextResponse, Response, StreamingResponse

from edge.core.errors import LedgerMissingError
from edge.core.verdict import RejectReason
from edge.events import utc_text
from edge.ledger.export.formats import FORMATS
from edge.ledger.export.reading import (
    ExportedItem,
    Place,
    Selection,
    newest_items,
    read_items,
)
from edge.ledger.reports.oee import AuditedPurity
from edge.ledger.reports.reading import audited_items
from edge.web.language.languages import local
from edge.web.pages.day_plots import count_plot, purity_plot
from edge.web.visit import Visit

_ITEMS = 50
"""Items of a page."""
_DAYS = 7
"""Days that are shown, unless others are asked for."""
_MOST_DAYS = 31
"""Days that are counted on a page, the newest."""
_TEXTS = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/jsonl",
    "epcis": "application/json",
}
"""The formats that are exported from a page, and what each is. Parquet needs a file of its own."""
_BLOCK = 64 * 1024
_PATIENCE_SECONDS = 60.0
"""How long an export waits for who takes nothing of it."""
_MOST_EXPORTS = 2
_exports: set[object] = set()
"""Those that run. Each takes a processor for as long as it lasts, which the station needs more."""


@dataclass(frozen=True, slots=True)
class _Filter:
    """What a person wants to see."""

    begin: date
    end: date
    """The last day."""
    label: str
    lane: str
    verdict: str
    """`accepted`, `rejected`, a RejectReason, or empty: all."""

    @property
    def selection(self) -> Selection:
        """The same, as the ledger reads it."""
        rejected = self.verdict in list(RejectReason)
        return Selection(
            _midnight(self.begin),
            _midnight(self.end + timedelta(days=1)),
            label=self.label or None,
            lane=self.lane or None,
            accepted={"accepted": True, "rejected": False}.get(self.verdict),
            reject=self.verdict if rejected else None,
        )

    @property
    def query(self) -> dict[str, str]:
        """The same, as an address has it."""
        found = {
            "from": self.begin.isoformat(), "to": self.end.isoformat(), "label": self.label,
            "lane": self.lane, "verdict": self.verdict,
        }  # fmt: skip
        return {name: value for name, value in found.items() if value}


@dataclass(frozen=True, slots=True)
class _Day:
    """What came of one day."""

    day: date
    items: int
    rejected: int
    purity: AuditedPurity


def show(visit: Visit) -> Response:
    """The page."""
    site, plan = visit.site, visit.site.plan
    now = datetime.fromtimestamp(site.wall()).astimezone()
    wanted, mistake = _wanted(visit.query, now.date())
    before = _place(visit.query)
    items: list[ExportedItem] = []
    rest: Place | None = None
    days: list[_Day] = []
    with suppress(LedgerMissingError):  # nothing was sorted yet
        items, rest = newest_items(
            plan.ledger, wanted.selection, before=before, limit=_ITEMS,
            photographs=plan.photographs,
        )  # fmt: skip
        days = _days(visit, wanted, now) if before is None else []
    following = {"before": rest.time, "row": str(rest.number)} if rest is not None else {}
    return visit.page(
        "history.html",
        wanted=wanted,
        mistake=mistake,
        items=items,
        days=days,
        counted=count_plot(days, visit.language),
        purity=purity_plot(days, visit.language),
        cut=(wanted.end - wanted.begin).days >= _MOST_DAYS,
        first=before is None,
        first_page=f"/history?{urlencode(wanted.query)}",
        next_page=f"/history?{urlencode(wanted.query | following)}" if following else None,
        export={
            kind: f"/history/export?{urlencode(wanted.query | {'format': kind})}" for kind in _TEXTS
        },
        labels=plan.labels,
        lanes=list(plan.lanes),
        reasons=list(RejectReason),
    )


def export(visit: Visit) -> Response:
    """The items that are wanted, in a format for other programs, as they are read."""
    now = datetime.fromtimestamp(visit.site.wall()).astimezone()
    wanted, mistake = _wanted(visit.query, now.date())
    kind = visit.query.get("format", "csv")
    if mistake or kind not in _TEXTS:
        return PlainTextResponse("the format or the days are none that are known\n", 400)
    if not visit.site.plan.ledger.exists():
        return PlainTextResponse("nothing was sorted yet\n", 404)
    if len(_exports) >= _MOST_EXPORTS:
        return PlainTextResponse(
            "two exports are running: try again\n", 503, headers={"Retry-After": "30"}
        )
    file = f"{visit.site.plan.station}-{wanted.begin}-{wanted.end}.{kind.replace('epcis', 'json')}"
    return StreamingResponse(
        _exported(visit, wanted.selection, kind),
        media_type=_TEXTS[kind],
        headers={"Content-Disposition": f'attachment; filename="{file}"'},
    )


class _Pipe(io.RawIOBase):
    """The end of a pipe that an export is written into; it gives up on who takes nothing."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        os.set_blocking(descriptor, False)

    def writable(self) -> bool:
        return True

    def write(self, block: Any) -> int:
        if not select.select([], [self._descriptor], [], _PATIENCE_SECONDS)[1]:
            raise TimeoutError("nobody has taken anything of the export")
        return os.write(self._descriptor, memoryview(block)[:_BLOCK])

    def close(self) -> None:
        if not self.closed:
            os.close(self._descriptor)
        super().close()


def _give_back() -> None:
    """Gives the memory of an export back to the system, which the C library would keep."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc alone
    if trim is not None:
        trim(0)


def _exported(visit: Visit, selection: Selection, kind: str) -> Iterator[bytes]:
    """The export in blocks. A thread writes it into a pipe, which holds it up until it is read, and
    gives the place among the exports back at its end."""
    plan = visit.site.plan
    reading, writing = os.pipe()
    found, failed = os.fdopen(reading, "rb", buffering=0), list[BaseException]()

    def write() -> None:
        try:
            with suppress(BrokenPipeError), io.BufferedWriter(_Pipe(writing), _BLOCK) as out:
                items = read_items(plan.ledger, selection, photographs=plan.photographs)
                FORMATS[kind](items, out)
        except BaseException as error:
            failed.append(error)
        finally:
            _exports.discard(thread)
            _give_back()

    thread = threading.Thread(target=write, name="export", daemon=True)
    _exports.add(thread)
    thread.start()
    return _blocks(found, thread, failed)


def _blocks(
    found: io.FileIO, thread: threading.Thread, failed: Sequence[BaseException]
) -> Iterator[bytes]:
    with found:
        while block := found.read(_BLOCK):
            yield block
    thread.join()
    if failed:  # what was sent must not be taken for the whole: the connection is broken off
        raise failed[0]


def _days(visit: Visit, wanted: _Filter, now: datetime) -> list[_Day]:
    """The days that are wanted, the newest first."""
    site = visit.site
    last = min(wanted.end, now.date())
    first = max(wanted.begin, last - timedelta(days=_MOST_DAYS - 1))
    if first > last:
        return []
    days = [last - timedelta(days=ago) for ago in range((last - first).days + 1)]
    spans = [(_begin(day), _begin(day + timedelta(days=1))) for day in days]
    counted = site.day_counts.counts(spans, now)
    audits: dict[date, Counter[bool]] = {}
    end = _midnight(last + timedelta(days=1))
    for time, right in audited_items(site.plan.ledger, _midnight(first), end):
        if (moment := local(time)) is not None:
            audits.setdefault(moment.date(), Counter())[right] += 1
    return [
        _Day(
            day,
            found.total(),
            sum(count for key, count in found.items() if not key.accepted),
            AuditedPurity(audits[day].total(), audits[day][True]) if day in audits else _NONE,
        )
        for day, found in zip(days, counted, strict=True)
    ]


_NONE = AuditedPurity(0, 0)


def _wanted(query: Mapping[str, Any], today: date) -> tuple[_Filter, bool]:
    """What an address asks for, and whether its days are none."""
    mistake = False
    days = []
    for name, default in (("from", today - timedelta(days=_DAYS - 1)), ("to", today)):
        try:
            day = date.fromisoformat(query[name]) if query.get(name) else default
            _midnight(day), _midnight(day + timedelta(days=1))
        except (ValueError, OverflowError):
            day, mistake = default, True
        days.append(day)
    verdict = query.get("verdict", "")
    known = verdict in ("", "accepted", "rejected", *RejectReason)
    found = _Filter(
        days[0], days[1], query.get("label", "")[:200], query.get("lane", "")[:200],
        verdict if known else "",
    )  # fmt: skip
    return found, mistake or not known


def _place(query: Mapping[str, Any]) -> Place | None:
    """Where the page begins; None: with the newest item."""
    time, row = query.get("before", ""), query.get("row", "")
    whole = row.isascii() and row.isdecimal() and len(row) < 19
    return Place(time[:40], int(row)) if time and whole else None


def _begin(day: date) -> datetime:
    """When a day begins on this machine's clock."""
    return datetime(day.year, day.month, day.day).astimezone()


def _midnight(day: date) -> str:
    """The same, as the ledger writes it."""
    return utc_text(_begin(day).timestamp())
