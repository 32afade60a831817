"""Audits: items that somebody looks at, chosen by chance, to know how pure the lanes are."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from edge.core.errors import UsageError
from edge.events import ItemAudited
from edge.ledger.export.reading import EVERYTHING, ExportedItem, Selection, find_item, read_items
from edge.ledger.ledger import Ledger
from edge.ledger.reports.last_run import desk_stamps
from edge.ledger.sqlite_file import has_events, open_to_read
from edge.outbox.retention import Keep
from edge.runtime.clock import SYSTEM_CLOCK

_AUDITED = "SELECT json_extract(details, '$.item_id') FROM events WHERE kind = 'item_audited'"


_FINDINGS = """
    SELECT id, time, station, json_extract(details, '$.item_id') AS item_id,
           json_extract(details, '$.label') AS label, json_extract(details, '$.lane') AS lane,
           json_extract(details, '$.who') AS who, json_extract(details, '$.drawn') AS drawn
    FROM events WHERE kind = 'item_audited' ORDER BY id
"""


def newest_audits(path: Path) -> dict[str, ItemAudited]:
    """The newest audit of each item of the ledger `path` that somebody looked at, by its id.

    Raises:
        LedgerError: the ledger cannot be read.
    """
    with open_to_read(path) as connection:
        rows = connection.execute(_FINDINGS).fetchall() if has_events(connection) else []
    found = (
        ItemAudited(event_id, at, station, item_id, label, lane, who, bool(drawn))
        for event_id, at, station, item_id, label, lane, who, drawn in rows
    )
    return {audit.item_id: audit for audit in found}


def drawn_items(
    path: Path, count: int, selection: Selection = EVERYTHING, *, photographs: Path | None = None
) -> list[ExportedItem]:
    """Sorted items of the ledger `path` that were not audited, chosen by chance.

    Those that were accepted and for which nothing moved are in no lane where they could be wrong.

    An item's chance lies in its id, and not in its score, lane or time; so the same items are drawn
    until they are audited.

    Args:
        count: how many, at most.
        photographs: the folder of photographs; None: it is not looked at whether they are gone.

    Raises:
        LedgerError: the ledger cannot be read.
    """
    with open_to_read(path) as connection:
        rows = connection.execute(_AUDITED).fetchall() if has_events(connection) else []
    done = {str(row[0]) for row in rows}
    open_items = (
        item
        for item in read_items(path, selection, photographs=photographs)
        if item.row["accepted"] and item.row["missed"] is None and item.row["id"] not in done
    )
    return heapq.nsmallest(count, open_items, key=_chance)


class AuditFinding(NamedTuple):
    """What somebody who looked at an item says of it."""

    label: str
    """What it is."""
    lane: str | None
    """Where it belongs; None: not known."""
    who: str
    """The name of who looked."""
    drawn: bool = True
    """Whether the item was chosen by chance."""


def audit(
    path: Path,
    item_id: str,
    finding: AuditFinding,
    *,
    keep: Keep | None = None,
    wall: Callable[[], float] = SYSTEM_CLOCK.wall,
) -> ItemAudited:
    """Writes down what somebody saw that an item is.

    Args:
        item_id: the id of the item, a UUID.
        keep: what the ledger's outbox keeps; None: nothing is written to the outbox.
        wall: seconds since 1970.

    Raises:
        UsageError: there is no such item, or a text is none.
        LedgerError: the ledger cannot be read or written.
    """
    for name, text in (("who", finding.who), ("label", finding.label)):
        if not text.strip() or not text.isprintable():
            raise UsageError(f"{name} must be one line of text. Received: {text!r}")
    found = find_item(path, item_id)
    if found is None:
        raise UsageError(
            f"{path} has no item with the id {item_id}: `pilah-edge ledger draw` shows ids"
        )
    stamps = desk_stamps(path, found.row["station"], wall)
    event = ItemAudited(*stamps.now(), item_id=found.row["id"], **finding._asdict())
    with Ledger(path, keep=keep) as ledger:
        ledger.append([event])
    return event


def _chance(item: ExportedItem) -> bytes:
    return hashlib.blake2b(item.row["id"].encode(), digest_size=8).digest()
