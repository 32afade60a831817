"""The items of which a photograph was kept, as a review wants them: found by an index, without
reading the items' own rows."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection
from pathlib import Path
from typing import NamedTuple

from edge.ledger.sqlite_file import ledger_error, open_to_read

_WANTED = (
    "SELECT id, uuid, label FROM items WHERE photograph IS NOT NULL AND accepted = ? "
    "AND time >= ? AND uuid IS NOT NULL AND uuid NOT IN (SELECT value FROM json_each(?)) "
    "ORDER BY coalesce(confidence, 0), time DESC LIMIT ? OFFSET ?"
)
# NOT INDEXED: by their numbers, which no index but the table itself has.
_NEW = (
    "SELECT uuid FROM items NOT INDEXED WHERE id > ? AND accepted "
    "AND photograph IS NOT NULL AND time >= ? AND uuid IS NOT NULL"
)
_ALL = (
    "SELECT uuid FROM items WHERE id > ? AND accepted = 1 "
    "AND photograph IS NOT NULL AND time >= ? AND uuid IS NOT NULL"
)


class PhotographedItem(NamedTuple):
    """An item of which a photograph was kept, whether it is still there or not."""

    row: int
    """The number of its row."""
    id: str
    label: str | None
    """What the station took it for."""
    accepted: bool


def unsure_items(
    path: Path,
    since: str,
    besides: Collection[str],
    is_wanted: Callable[[PhotographedItem], bool],
    limit: int,
) -> list[PhotographedItem]:
    """The items of which the station was least sure: first those that it rejected, then those with
    the least confidence.

    Args:
        path: the ledger.
        since: items from this time on, as the ledger writes it.
        besides: the ids of items that are left out.
        is_wanted: whether an item is to be among them.
        limit: how many at most.

    Raises:
        LedgerError: there is no ledger at `path`, or it cannot be read.
    """
    found: list[PhotographedItem] = []
    left_out = json.dumps(list(besides))
    with open_to_read(path) as connection:
        try:
            if not _has_photographs(connection):
                return []
            # Mostly the first ones are enough; where their files are gone, all others are read.
            for accepted, most, skipped in ((0, limit, 0), (0, -1, limit), (1, limit, 0),
                                            (1, -1, limit)):  # fmt: skip
                values = (accepted, since, left_out, most, skipped)
                for row, item_id, label in connection.execute(_WANTED, values):
                    one = PhotographedItem(row, item_id, label, bool(accepted))
                    if is_wanted(one):
                        found.append(one)
                        if len(found) >= limit:
                            return found
        except sqlite3.Error as error:
            raise ledger_error("read", path, error) from error
    return found


def new_accepted_items(path: Path, since: str, after: int) -> tuple[list[str], int]:
    """The ids of accepted items whose rows were added after the row `after`, and the number of the
    newest row. Only new rows are read.

    Args:
        path: the ledger.
        since: items from this time on, as the ledger writes it.
        after: the number of a row; 0: all rows are new.

    Raises:
        LedgerError: there is no ledger at `path`, or it cannot be read.
    """
    with open_to_read(path) as connection:
        try:
            (newest,) = connection.execute("SELECT coalesce(max(id), 0) FROM items").fetchone()
            if newest == after or not _has_photographs(connection):
                return [], newest
            found = connection.execute(_NEW if after else _ALL, (after, since)).fetchall()
        except sqlite3.Error as error:
            raise ledger_error("read", path, error) from error
    return [str(item_id) for (item_id,) in found], newest


def _has_photographs(connection: sqlite3.Connection) -> bool:
    """Whether the ledger has the columns; one of an older pilah may have none."""
    there = {str(row[1]) for row in connection.execute("PRAGMA table_info(items)")}
    return {"photograph", "uuid"} <= there
