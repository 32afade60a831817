"""Finds the rows that follow from answers in the file of deliveries and are missing in the ledger.

A row is missing if the station was killed after it wrote the one file and before it wrote the
other, or if a person answered with `delivery scan`. The ledger is only read.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Sequence
from contextlib import closing
from pathlib import Path

from edge.core.uuid7 import uuid7_seconds, uuid7_text
from edge.events import Event, ItemSorted, PictureContradicted
from edge.receiving.events import PictureDisagreed
from edge.receiving.pieces.consequences import AnswerGiven, consequences
from edge.receiving.pieces.unanswered import items_with_ids
from edge.receiving.store import Deliveries

_ANSWERS = 1000
"""The number of latest events that are checked after the file was opened: more than a station
writes between two commits of the ledger."""
_STOPPED = 200
"""The number of earlier events of stopped pieces that are checked as well: people may have written
them while no station was running."""
_SOON_MILLISECONDS = 300_000
"""Earlier releases gave each incident a random id, which was made right after that of its answer.
"""
_INCIDENT = "SELECT 1 FROM events WHERE id = ?"
_INCIDENT_OF_BEFORE = (
    "SELECT 1 FROM events WHERE id > ? AND id < ? AND kind = 'picture_contradicted' "
    "AND json_extract(details, '$.item_id') = ?"
)
_CORRECTION = (
    "SELECT 1 FROM corrections WHERE item_id = ? "
    "AND (id = ? OR (field = 'quantity' AND who = ? AND new = ?))"
)


class MissingRows:
    """Finds the rows that are missing in a ledger; used by one thread."""

    def __init__(self, ledger: Path, station: str) -> None:
        """Checks nothing yet.

        Args:
            ledger: the path of the ledger's file.
            station: the name of its station. Several stations may count in one file of deliveries;
                each writes the rows that follow from its own answers.
        """
        self._ledger, self._station = ledger, station
        self._after: int | None = None

    def start_over(self) -> None:
        """Makes the next call of `find` check the latest answers again, as the first call does."""
        self._after = None

    def find(self, file: Deliveries, told: Collection[str] = ()) -> list[Event]:
        """The missing rows that follow from the answers since the last call.

        The first call checks the latest answers. If there is no ledger yet, nothing is missing, and
        the next call checks the same answers.

        Args:
            told: the ids of rows that are on their way to the ledger.

        Raises:
            DeliveryFileError: the file of deliveries cannot be read.
            sqlite3.Error: the ledger cannot be read; the next call checks the same answers.
        """
        if not self._ledger.is_file():
            return []
        last = file.last_seq()
        if self._after is None:
            given = file.answers(max(0, last - _ANSWERS), stopped_before=_STOPPED)
        else:
            given = file.answers(self._after)
        own = [one for one in given if one.event.station == self._station]
        found = self._missing(own, file, told) if own else []
        self._after = last
        return found

    def _missing(
        self, given: Sequence[AnswerGiven], file: Deliveries, told: Collection[str]
    ) -> list[Event]:
        uri = f"{self._ledger.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as ledger:
            left = [(one, ids) for one in given if (ids := _missing_ids(ledger, one) - {*told})]
            items = _items(ledger, [one for one, _ in left])
        found: list[Event] = []
        for one, ids in left:
            state = file.state(one.event.delivery)
            lines = () if state is None else state.lines
            for line in (line for line in lines if line.number == one.event.line):
                rows = consequences(one, line, items.get(one.item_id or ""))
                found += [row for row in rows if row.id in ids]
        return found


def is_by_a_person(row: Event) -> bool:
    """Whether a row is an incident that a person found, and needs no item of the station."""
    return isinstance(row, PictureContradicted) and row.item_id is None


def _missing_ids(ledger: sqlite3.Connection, given: AnswerGiven) -> set[str]:
    """The ids of the rows that may follow from an answer and are not in the ledger."""
    event, item_id = given.event, given.item_id
    missing = set()
    if (incident := given.incident_id) is not None:
        there = _has(ledger, _INCIDENT, incident)
        if not there and item_id is not None:
            soon = round(1000 * uuid7_seconds(event.id)) + _SOON_MILLISECONDS
            until = uuid7_text(soon, 0, 0)
            there = _has(ledger, _INCIDENT_OF_BEFORE, event.id, until, item_id)
        if not there:
            missing.add(incident)
    pieces = 0 if isinstance(event, PictureDisagreed) else event.pieces
    is_usual = given.before is None and pieces == 1  # as the item's row says
    if is_usual or item_id is None or (correction := given.correction_id) is None:
        return missing
    if not _has(ledger, _CORRECTION, item_id, correction, event.by, str(pieces)):
        missing.add(correction)
    return missing


def _has(ledger: sqlite3.Connection, query: str, *values: str) -> bool:
    return ledger.execute(query, values).fetchone() is not None


def _items(ledger: sqlite3.Connection, given: Sequence[AnswerGiven]) -> dict[str, ItemSorted]:
    """The rows of the items that the answers belong to, by their ids."""
    wanted: defaultdict[str, list[str]] = defaultdict(list)
    for one in given:
        if one.item_id is not None:
            wanted[one.event.delivery].append(one.item_id)
    return {
        item.id: item
        for delivery, ids in wanted.items()
        for item in items_with_ids(ledger, delivery, ids)
    }
