"""What a delivery has in the ledger alone: items and scans that were written there, and not
counted, when the station was killed. The ledger is only read."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections import defaultdict
from contextlib import closing
from pathlib import Path
from typing import Any

from edge.events import ItemSorted
from edge.receiving.code import Code, read_code, shown
from edge.receiving.pieces.answers import Cause, HandScan, SeenItem

_log = logging.getLogger(__name__)

_ITEMS = (
    "SELECT uuid, time, station, item, source, label, accepted, reject, lane, bundle, "
    "bundle_digest, latency_ms, quantity, photograph, scores FROM items "
    "WHERE time >= ? AND delivery_id = ? AND uuid IS NOT NULL ORDER BY id"
)
_CODES = (
    "SELECT id, kind, details FROM events WHERE kind IN ('code_read', 'code_scanned') "
    "AND time >= ? ORDER BY id"
)


def causes_of(ledger: Path, delivery: str, since: str) -> list[Cause]:
    """The items and scans of a delivery in the ledger, in the order in which they came.

    None where it cannot be read: the ledger's own process says what is wrong with it.

    Args:
        ledger: the path of the ledger's file.
        since: the time of the first that may be one, as `Event.time`.
    """
    if not ledger.is_file():
        return []
    try:
        uri = f"{ledger.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            items = connection.execute(_ITEMS, (since, delivery)).fetchall()
            events = connection.execute(_CODES, (since,)).fetchall()
    except sqlite3.Error as error:
        if "no such table" in str(error):  # it is being made
            return []
        _log.warning(f"warning    items of {delivery} in the ledger cannot be read: {error}")
        return []
    codes: defaultdict[str, list[Code]] = defaultdict(list)
    found: list[Cause] = []
    for event_id, kind, text in events:
        details = json.loads(text)
        if kind == "code_read":
            codes[details["item_id"]].append(code_of(details))
        elif details.get("delivery_id") == delivery:
            found.append(HandScan(event_id, delivery, read_code(details["text"])))
    found += [SeenItem(_item(row, delivery), tuple(codes[row[0]])) for row in items]
    return sorted(found, key=lambda cause: cause.id)


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
