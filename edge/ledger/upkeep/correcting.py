"""Corrects what a ledger says of an item, by rows beside the item's own, which never changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from edge.core.errors import UsageError
from edge.events import ItemCorrected
from edge.ledger.export.reading import ExportedItem, find_item
from edge.ledger.ledger import Ledger
from edge.ledger.reports.last_run import desk_stamps
from edge.ledger.sqlite_file import open_to_read
from edge.outbox.retention import Keep
from edge.outbox.table import has_entries
from edge.runtime.clock import SYSTEM_CLOCK


def correct(
    path: Path,
    item_id: str,
    changes: Mapping[str, str],
    *,
    who: str,
    why: str,
    keep: Keep | None = None,
    wall: Callable[[], float] = SYSTEM_CLOCK.wall,
) -> list[ItemCorrected]:
    """Adds a correction for each of `changes` to the ledger `path`, all or none.

    A station may be writing the ledger: the rows are one short transaction of their own.

    Args:
        item_id: the id of the item, a UUID.
        changes: the new values by field, a key of CORRECTABLE; a quantity as decimal digits.
        who: the name of the person who corrects.
        why: the reason.
        keep: what the ledger's outbox keeps; None: nothing is written to the outbox.
        wall: seconds since 1970.

    Returns:
        The corrections.

    Raises:
        UsageError: there is no such item, a value is no value of its field, or it counts already.
        LedgerError: the ledger cannot be read or written.
    """
    for name, text in (("who", who), ("why", why), *changes.items()):
        if not text.strip() or not text.isprintable():
            raise UsageError(f"{name} must be one line of text. Received: {text!r}")
    found = find_item(path, item_id)
    if found is None:
        raise UsageError(
            f"{path} has no item with the id {item_id}: `pilah-edge ledger export` shows the ids"
        )
    stamps = desk_stamps(path, found.row["station"], wall)
    corrections = [
        ItemCorrected(
            *stamps.now(), found.row["id"], who, field, *_old_and_new(found, field, value), why
        )
        for field, value in changes.items()
    ]
    with Ledger(path, keep=keep) as ledger:  # an older one gets the table of corrections
        ledger.append(corrections)
    return corrections


def _old_and_new(item: ExportedItem, field: str, value: str) -> tuple[str | None, str]:
    if field == "quantity":
        if not (value.isascii() and value.isdecimal()) or int(value) > 10**9:
            raise UsageError(f"quantity must be a whole number from 0. Received: {value}")
        value = str(int(value))
    now = item.corrected.get(field, item.row[field])
    old = None if now is None else str(now)
    if old == value:
        raise UsageError(f"the {field} of the item is {value} already: nothing was changed")
    return old, value


def keep_as_found(ledger: Path) -> Keep | None:
    """What the outbox of `ledger` keeps, for one who has no station file: all that is in it.

    None where its outbox has no entry: the station does not publish. One that does leaves the last
    entry in it always.

    Raises:
        LedgerError: the ledger cannot be read.
    """
    with open_to_read(ledger) as connection:
        if not has_entries(connection):
            return None
    return Keep(ledger, receivers=(), megabytes=float("inf"), days=float("inf"))
