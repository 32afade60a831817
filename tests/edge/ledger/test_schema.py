"""Each kind of event has its rows, which nobody can change."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from edge.events import (
    KINDS,
    ActuationEnded,
    CameraBack,
    CameraLost,
    CodeRead,
    CodeScanned,
    ExitSeen,
    IncidentEnded,
    IncidentRaised,
    ItemAudited,
    ItemCorrected,
    ItemSorted,
    LaneMoved,
    LedgerBack,
    LedgerFailed,
    ModelChanged,
    PictureContradicted,
    StateChanged,
    StationStarted,
    StationStopped,
    kind_of,
)
from edge.ledger.ledger import Ledger
from tests.edge.ledger.entries import actuation, entry

EVENTS = [
    StationStarted("01", "2026-11-21T23:04:36.000000Z", "bin-1", "1.2", "tiny 1", "0" * 64),
    CameraLost("02", "2026-11-21T23:05:36.000000Z", "bin-1", "/dev/video0"),
    CameraBack("03", "2026-11-21T23:05:38.000000Z", "bin-1", "/dev/video0", 2.5),
    LedgerFailed("031", "2026-11-21T23:05:39.000000Z", "bin-1", "the disk is full"),
    LedgerBack("032", "2026-11-21T23:05:49.000000Z", "bin-1", 10.0),
    ModelChanged("04", "2026-11-21T23:06:36.000000Z", "bin-1", "tiny 2", "1" * 64),
    StateChanged(
        "042",
        "2026-11-21T23:06:36.500000Z",
        "bin-1",
        "Held",
        "Production",
        "2026-11-21T23:06:36.000000Z",
        "jam",
        "warm",
        "camera_lost",
        "02",
        "ana",
    ),
    IncidentRaised(
        "043",
        "2026-11-21T23:06:36.600000Z",
        "bin-1",
        "jam",
        "warm",
        "It is stuck.",
        "Look.",
        "reset",
    ),
    IncidentEnded("044", "2026-11-21T23:06:36.700000Z", "bin-1", "043", "jam", "warm", 0.1, "ana"),
    LaneMoved("0440", "2026-11-21T23:06:36.750000Z", "bin-1", "warm", 0.4, "ana"),
    ExitSeen("0441", "2026-11-21T23:06:36.800000Z", "bin-1", "warm", 12.5),
    ItemAudited("0442", "2026-11-21T23:06:36.900000Z", "bin-1", "0", "can", "metal", "ana", True),
    CodeRead(
        "045",
        "2026-11-21T23:06:37.000000Z",
        "bin-1",
        1,
        "0",
        "4006381333931",
        "ean13",
        "04006381333931",
        None,
        None,
        None,
        None,
        "turned 45",
        12.5,
    ),
    CodeScanned("046", "2026-11-21T23:06:38.000000Z", "bin-1", "SKU-7"),
    PictureContradicted(
        "047",
        "2026-11-21T23:06:39.000000Z",
        "bin-1",
        "D1",
        "4006381333931",
        "can",
        "jar",
        1,
        "0",
        "rest",
        True,
    ),
    StationStopped("05", "2026-11-21T23:07:36.000000Z", "bin-1", 7, "SIGTERM"),
]


def test_what_happened_to_the_station_is_in_one_table(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    with Ledger(file) as ledger:
        ledger.append([*EVENTS[2:], entry(1)])
        ledger.append([*EVENTS, actuation(1)])  # twice is once
        assert list(ledger.happenings()) == EVENTS
        assert list(ledger.entries()) == [entry(1)]
    with closing(sqlite3.connect(file)) as reader, reader:
        kinds = reader.execute("SELECT kind, details FROM events ORDER BY id").fetchall()
        assert [kind for kind, _ in kinds] == [kind_of(event) for event in EVENTS]
        assert json.loads(kinds[2][1]) == {"camera": "/dev/video0", "lost_seconds": 2.5}
        found = reader.execute(
            "SELECT a.lane FROM items i JOIN actuations a ON a.item_uuid = i.uuid"
        ).fetchall()
        assert found == [("metal",)]
        reader.execute("DROP TRIGGER never_events_update")
        reader.execute("UPDATE events SET kind = 'of a newer pilah' WHERE id = '02'")
    reader.close()
    with Ledger(file) as ledger:
        assert list(ledger.happenings()) == [EVENTS[0], *EVENTS[2:]]


def test_every_kind_of_event_has_a_row_of_its_own_name() -> None:
    assert len(set(KINDS.values())) == len(KINDS)
    own_tables = {ItemSorted, ActuationEnded, ItemCorrected}
    assert {type(event) for event in EVENTS} | own_tables == {*KINDS.values()}


CORRECTION = ItemCorrected(
    "06", "2026-11-21T23:08:36.000000Z", "bin-1", entry(1).id, "Ana", "label", "can", "bottle",
    "it was the green one",
)  # fmt: skip


def test_a_correction_is_a_row_of_its_own(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger.append([entry(1), CORRECTION])
        ledger.append([CORRECTION])  # twice is once
        assert list(ledger.corrections()) == [CORRECTION]
        assert list(ledger.entries()) == [entry(1)]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE items SET label = 'bottle'",
        "UPDATE items SET uuid = NULL",
        "UPDATE items SET frames = 4",
        "UPDATE items SET quantity = 2",
        "DELETE FROM items",
        "UPDATE actuations SET missed = NULL",
        "DELETE FROM actuations",
        "UPDATE events SET details = '{}'",
        "DELETE FROM events",
        "UPDATE corrections SET new = 'can'",
        "DELETE FROM corrections",
    ],
)
def test_no_program_can_change_a_row(tmp_path: Path, change: str) -> None:
    file = tmp_path / "ledger.sqlite"
    with Ledger(file) as ledger:
        ledger.append([entry(1), actuation(1), EVENTS[0], CORRECTION])
    connection = sqlite3.connect(file)
    with pytest.raises(sqlite3.IntegrityError, match="never changed: add a correction"):
        connection.execute(change)
    connection.close()
