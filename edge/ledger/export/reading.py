"""Reads the items of a ledger for an export, in order of their time, while a station may write it.

Rows are read in pages, each in a transaction of its own, so that the station's log does not grow
while an export of a million rows runs. Rows never change and none is deleted, so that the pages
together are the ledger as it was when the export began.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from edge.core.errors import UsageError
from edge.events import ItemCorrected, utc_text
from edge.ledger.rows import id_of_old_item
from edge.ledger.sqlite_file import open_to_read

_PAGE = 500
_BOOLEANS = ("accepted", "clock_synchronised")

COLUMNS = (
    "time", "station", "item", "delivery_id", "label", "lane", "quantity", "confidence",
    "accepted", "reject", "barcode", "actuation", "missed", "due", "moved", "source", "photograph",
    "photograph_gone", "bundle", "bundle_digest", "frames", "latency_ms", "monotonic", "boot_id",
    "clock_synchronised", "exposure_microseconds", "gain", "white_balance",
)  # fmt: skip
"""What is exported of an item beside its `id`, its scores and its corrections. `actuation`,
`missed` and `moved` tell how the actuation ended, as in the view `outcomes`. `photograph_gone`: the
file that `photograph` names is not there, because it was deleted or could not be written; None
where it names none, or nobody looked."""


class Selection(NamedTuple):
    """Which items are exported."""

    begin: str = ""
    """Items from this time on, as `utc_bound` gives it; empty: from the first."""
    end: str = "~"
    """Items before this time; ~, which sorts after every time: to the last."""
    delivery: str | None = None
    """Items of this delivery; None: of every one, and of none."""
    label: str | None = None
    """Items that the station gave this label; None: any."""
    lane: str | None = None
    """Items that went to this lane; None: any."""
    accepted: bool | None = None
    """Only accepted items, or only rejected ones; None: both."""
    reject: str | None = None
    """Items that were rejected for this reason; None: whatever became of them."""
    photographed: bool = False
    """Only items of which a photograph was kept, whether it is still there or not."""


class Place(NamedTuple):
    """Where an item is among those of a ledger, in order of their time."""

    time: str
    number: int
    """Of the row; it tells items of one time apart."""


class _Order(NamedTuple):
    """The order in which pages of items are read."""

    rest: str
    """What is left to read after the item with `time` and `id`."""
    by: str


_OLDEST_FIRST = _Order(
    "i.time >= :time AND (i.time > :time OR i.id > :id) AND i.id <= :last_id", "i.time, i.id"
)
_NEWEST_FIRST = _Order(
    "i.time >= :begin AND i.time <= :time AND (i.time < :time OR i.id < :id)",
    "i.time DESC, i.id DESC",
)
_BY_ROW = _Order("i.id IN (SELECT value FROM json_each(:rows))", "i.id")


@dataclass(frozen=True)
class ExportedItem:
    """An item's row, with what was corrected in it."""

    row: Mapping[str, Any]
    """`id`, and the values of COLUMNS as they were written. A quantity is always a number."""
    raw_scores: str | None
    corrections: Sequence[ItemCorrected] = ()
    """Oldest first."""

    @property
    def scores(self) -> dict[str, float] | None:
        """The scores by label; None where the picture could not be read."""
        if self.raw_scores is None:
            return None
        scores: dict[str, float] | None = json.loads(self.raw_scores)
        return scores

    @cached_property
    def corrected(self) -> Mapping[str, str | int]:
        """The newest value of each field that was corrected."""
        return {
            found.field: int(found.new) if found.field == "quantity" else found.new
            for found in self.corrections
        }


def utc_bound(text: str, *, end: bool = False) -> str:
    """A time as the ledger writes it, from a day or a time that a person typed.

    Args:
        text: ISO 8601, such as 2026-11-21 or 2026-11-21T23:04+01:00; without an offset it is UTC.
        end: a day stands for its end, which is the beginning of the next one.

    Raises:
        UsageError: it is no time.
    """
    try:
        try:
            day = date.fromisoformat(text) + timedelta(days=int(end))
            moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
        except ValueError:
            moment = datetime.fromisoformat(text)
            moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"{text!r} is no time: write a day (2026-11-21) or a time of ISO 8601 "
            "(2026-11-21T23:04:36Z)"
        ) from error
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


EVERYTHING = Selection()


def read_items(
    path: Path, selection: Selection = EVERYTHING, *, photographs: Path | None = None
) -> Iterator[ExportedItem]:
    """The items of the ledger `path` that `selection` selects, in order of their time.

    A ledger of an older pilah has no values in the columns that it does not have.

    Args:
        photographs: the folder of photographs; None: it is not looked at whether they are gone.

    Raises:
        LedgerError: there is no ledger at `path`, or it cannot be read.
    """
    with open_to_read(path) as connection:
        connection.row_factory = sqlite3.Row
        query = _query(connection, selection)
        (last_id,) = connection.execute("SELECT coalesce(max(id), 0) FROM items").fetchone()
        has_corrections = _columns(connection, "corrections") != set()
        time, number = selection.begin, -1
        while True:
            page = connection.execute(
                query,
                {
                    **selection._asdict(), "time": time, "id": number, "last_id": last_id,
                    "limit": _PAGE,
                },
            ).fetchall()  # fmt: skip
            yield from _items(connection, page, photographs, corrected=has_corrections)
            if len(page) < _PAGE:
                return
            time, number = page[-1]["time"], page[-1]["id"]


def newest_items(
    path: Path, selection: Selection, *, before: Place | None, limit: int, photographs: Path
) -> tuple[list[ExportedItem], Place | None]:
    """The newest items of the ledger `path` that `selection` selects, the newest first.

    However large the ledger is, no more rows are held in memory than `limit`.

    Args:
        before: where to go on behind an earlier answer; None: with the newest of all.
        limit: how many at most.
        photographs: the folder of photographs.

    Returns:
        The items, and where the next ones begin; None: there are no more.

    Raises:
        LedgerError: there is no ledger at `path`, or it cannot be read.
    """
    place = Place("~", 0) if before is None else before
    with open_to_read(path) as connection:
        connection.row_factory = sqlite3.Row
        query = _query(connection, selection, _NEWEST_FIRST)
        values = {**selection._asdict(), "time": place.time, "id": place.number, "limit": limit + 1}
        page = connection.execute(query, values).fetchall()
        corrected = _columns(connection, "corrections") != set()
        found = list(_items(connection, page[:limit], photographs, corrected=corrected))
    last = page[limit - 1] if len(page) > limit else None
    return found, None if last is None else Place(last["time"], last["id"])


def items_of_rows(path: Path, rows: Sequence[int]) -> list[ExportedItem]:
    """The items of these rows of the ledger `path`, in the order in which they are named.

    Args:
        rows: their numbers, as a `Place` has them; one that there is not is left out.

    Raises:
        LedgerError: there is no ledger at `path`, or it cannot be read.
    """
    with open_to_read(path) as connection:
        connection.row_factory = sqlite3.Row
        query = _query(connection, EVERYTHING, _BY_ROW)
        values = {**EVERYTHING._asdict(), "rows": json.dumps(list(rows)), "limit": len(rows)}
        page = connection.execute(query, values).fetchall()
        corrected = _columns(connection, "corrections") != set()
        found = zip(
            (row["id"] for row in page),
            _items(connection, page, None, corrected=corrected),
            strict=True,
        )
        there = dict(found)
    return [there[row] for row in rows if row in there]


def find_item(path: Path, item_id: str) -> ExportedItem | None:
    """The item with the id `item_id` in the ledger `path`; None: there is none.

    An id begins with the time when it was made, so that only items of that day are looked through.

    Raises:
        UsageError: it is no id.
        LedgerError: see `read_items`.
    """
    try:
        wanted = UUID(item_id)
    except ValueError as error:
        raise UsageError(f"{item_id!r} is no id of an item, which is a UUID") from error
    try:
        made = datetime.fromtimestamp((wanted.int >> 80) / 1000, UTC)
        minute, day = (
            Selection(utc_text((made - span).timestamp()), utc_text((made + span).timestamp()))
            for span in (timedelta(minutes=1), timedelta(days=1))
        )
    except (ValueError, OverflowError):  # the id is of no time that a clock shows
        minute = day = EVERYTHING

    def places() -> Iterator[Selection]:  # each is looked up only where those before have it not
        yield minute
        yield _moment_of(path, str(wanted), day)
        yield day
        yield EVERYTHING  # where somebody wrote a time

    for selected in places():
        for item in read_items(path, selected):
            if item.row["id"] == str(wanted):
                return item
    return None


def _moment_of(path: Path, item_id: str, within: Selection) -> Selection:
    """The moment of an item, found without reading the others; `within` where it is not known."""
    with open_to_read(path) as connection:
        if "uuid" not in _columns(connection, "items"):
            return within
        query = "SELECT time FROM items WHERE uuid = ? AND time >= ? AND time < ?"
        found = connection.execute(query, (item_id, within.begin, within.end)).fetchone()
    return within if found is None else Selection(str(found[0]), f"{found[0]}~")


def _query(
    connection: sqlite3.Connection, selection: Selection, order: _Order = _OLDEST_FIRST
) -> str:
    """The query for a page of items. Its values are those of `selection` and of `order`."""
    there = _columns(connection, "items")
    wanted = dict.fromkeys((*COLUMNS, "scores", "uuid"))
    for name in wanted:
        wanted[name] = f"i.{name}" if name in there else f"NULL AS {name}"
    joined = ""
    if _columns(connection, "actuations"):
        joined = "LEFT JOIN actuations a USING (station, time, item)"
        wanted["moved"] = "CASE WHEN a.missed IS NULL THEN a.ended END AS moved"
        if "missed" in there:
            wanted["missed"] = "coalesce(a.missed, i.missed) AS missed"
            wanted["actuation"] = (
                "CASE WHEN a.item IS NULL THEN i.actuation WHEN a.missed IS NULL THEN 'moved' "
                "ELSE 'missed' END AS actuation"
            )
    columns = {
        "delivery": "delivery_id", "label": "label", "lane": "lane", "accepted": "accepted",
        "reject": "reject",
    }  # fmt: skip
    chosen = "".join(
        f" AND i.{column} = :{name}" if column in there else " AND 0"
        for name, column in columns.items()
        if getattr(selection, name) is not None
    )
    if selection.photographed:
        chosen += " AND i.photograph IS NOT NULL" if "photograph" in there else " AND 0"
    return (
        f"SELECT i.id, {', '.join(str(value) for value in wanted.values())} FROM items i {joined} "
        f"WHERE {order.rest} AND i.time < :end{chosen} ORDER BY {order.by} LIMIT :limit"
    )


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    """The names of the columns of a table; none where there is no such table."""
    return {str(row[1]) for row in connection.execute(f"PRAGMA table_info({table})")}


def _items(
    connection: sqlite3.Connection,
    page: Sequence[sqlite3.Row],
    photographs: Path | None,
    *,
    corrected: bool,
) -> Iterator[ExportedItem]:
    """The items of some rows; `corrected`: there is a table of corrections."""
    uuids = [row["uuid"] for row in page if row["uuid"] is not None]
    corrections = _corrections(connection, uuids) if corrected else {}
    for row in page:
        yield _item(row, corrections, photographs)


def _corrections(
    connection: sqlite3.Connection, uuids: Sequence[str]
) -> Mapping[str, list[ItemCorrected]]:
    found: dict[str, list[ItemCorrected]] = {}
    rows = connection.execute(
        "SELECT id, time, station, item_id, who, field, old, new, why FROM corrections "
        "WHERE item_id IN (SELECT value FROM json_each(?)) ORDER BY id",
        (json.dumps(uuids),),
    )
    for row in rows:
        correction = ItemCorrected(**dict(row))
        found.setdefault(correction.item_id, []).append(correction)
    return found


def _item(
    row: sqlite3.Row, corrections: Mapping[str, list[ItemCorrected]], photographs: Path | None
) -> ExportedItem:
    item_id = row["uuid"] or id_of_old_item(row["time"], row["station"], row["item"])
    values: dict[str, Any] = {"id": item_id, **{name: row[name] for name in COLUMNS}}
    for name in _BOOLEANS:
        values[name] = None if values[name] is None else bool(values[name])
    if values["photograph"] is not None and photographs is not None:
        values["photograph_gone"] = not (photographs / values["photograph"]).is_file()
    if values["quantity"] is None:
        values["quantity"] = 1
    return ExportedItem(values, row["scores"], corrections.get(item_id, ()))
