"""What a delivery has in the ledger alone: items and scans that were written there, and not
counted, when the station was killed. The ledger is only read."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from heapq import merge
from pathlib import Path
from typing import Any

from edge.core.uuid7 import uuid7_seconds
from edge.events import ItemSorted, utc_text
from edge.receiving.code import Code, read_code, shown
from edge.receiving.pieces.answers import Cause, HandScan, SeenItem

_FIRST = "SELECT min(id) FROM items WHERE delivery_id = ? AND time >= ?"
_COLUMNS = (
    "uuid, time, station, item, source, label, accepted, reject, lane, bundle, bundle_digest, "
    "latency_ms, quantity, photograph, scores"
)
_ITEMS = (
    f"SELECT {_COLUMNS} FROM items "
    "WHERE delivery_id = ? AND id >= ? AND uuid IS NOT NULL ORDER BY uuid"
)
_ITEMS_WITH_IDS = (
    f"SELECT {_COLUMNS} FROM items "
    "WHERE delivery_id = ? AND time >= ? AND uuid IN (SELECT value FROM json_each(?))"
)
_BEFORE = timedelta(days=1)
"""How long before its id was made an item's picture may have been taken, at the very most."""
_FIRST_ID = (
    "SELECT min("
    "coalesce((SELECT id FROM events WHERE time >= ? ORDER BY id LIMIT 1), 'none'), "
    "coalesce((SELECT min(uuid) FROM items WHERE delivery_id = ? AND id >= ?), 'none'))"
)
_CODES = (
    "SELECT id, time, kind, details FROM events WHERE kind IN ('code_read', 'code_scanned') "
    "AND id >= ? ORDER BY id"
)


def causes_of(ledger: Path, delivery: str, since: str) -> Iterator[Cause]:
    """The items and scans of a delivery in the ledger, in the order in which they came.

    Its name may have been that of another delivery, in a file of deliveries that is not there any
    more: what was written before the first row of `since` is of that one. What was written after
    it counts, whatever its time is: the clock may have been set back.

    Args:
        ledger: the path of the ledger's file.
        since: the time of the first that may be one, as `Event.time`.

    Raises:
        sqlite3.Error: the ledger cannot be read; its own process says what is wrong with it.
    """
    if not ledger.is_file():
        return
    uri = f"{ledger.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        try:
            ((first,),) = connection.execute(_FIRST, (delivery, since)).fetchall()
            ((first_id,),) = connection.execute(_FIRST_ID, (since, delivery, first)).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):  # it is being made
                return
            raise
        codes: defaultdict[str, list[Code]] = defaultdict(list)
        scans: list[Cause] = []
        for event_id, time, kind, text in connection.execute(_CODES, (first_id,)):
            details = json.loads(text)
            if kind == "code_read":
                codes[details["item_id"]].append(code_of(details))
            elif details.get("delivery_id") == delivery:
                scans.append(HandScan(event_id, time, delivery, read_code(details["text"])))
        items: Iterator[Cause] = (
            SeenItem(_item(row, delivery), tuple(codes.get(row[0], ())))
            for row in connection.execute(_ITEMS, (delivery, first))
        )
        yield from merge(scans, items, key=lambda cause: cause.id)


def items_with_ids(
    ledger: sqlite3.Connection, delivery: str, ids: Sequence[str]
) -> list[ItemSorted]:
    """Those items of a delivery that have one of `ids`, in no order.

    Raises:
        sqlite3.Error: the ledger cannot be read.
    """
    made = datetime.fromtimestamp(uuid7_seconds(min(ids)), UTC)
    since = utc_text((made - _BEFORE).timestamp())
    rows = ledger.execute(_ITEMS_WITH_IDS, (delivery, since, json.dumps(list(ids))))
    return [_item(row, delivery) for row in rows]


def code_of(details: dict[str, Any]) -> Code:
    """The code of a `CodeRead`.

    Args:
        details: its values by their names.
    """
    return Code(
        shown(details["text"]),
        *(details[name] for name in ("gtin", "sscc", "serial", "lot", "expiry")),
    )


def _item(row: tuple[Any, ...], delivery: str) -> ItemSorted:
    return ItemSorted(
        id=row[0],
        time=row[1],
        station=row[2],
        item=row[3],
        source=row[4],
        label=row[5],
        confidence=None,
        scores=None if row[14] is None else json.loads(row[14]),
        accepted=bool(row[6]),
        reject=row[7],
        lane=row[8],
        bundle=row[9],
        bundle_digest=row[10],
        latency_ms=row[11],
        frames=None,
        delivery_id=delivery,
        quantity=row[12],
        photograph=row[13],
    )
