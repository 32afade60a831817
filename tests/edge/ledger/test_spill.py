from __future__ import annotations

import os
import zlib
from pathlib import Path

import pytest

from edge.core.errors import StorageError
from edge.events import ActuationEnded, Event, ItemSorted
from edge.ledger.rows import id_of_old_item
from edge.ledger.spill import Spill, default_spill, spilled_rows
from tests.edge.ledger.entries import actuation, entry

ROWS: list[Event] = [
    entry(1, source="größe/\n猫.jpg", confidence=0.1 + 0.2),
    entry(2, label=None, confidence=None, scores=None, accepted=False, reject="unreadable"),
    actuation(1, missed="cooling"),
    entry(3),
]


def all_of(spill: Spill) -> tuple[list[Event], int]:
    rows, damaged, offset = [], 0, 0
    while offset < spill.size:
        chunk = spill.read(offset)
        rows, damaged, offset = rows + chunk.rows, damaged + chunk.damaged, chunk.end
    return rows, damaged


def test_rows_come_back_as_they_went_in_also_after_the_process_was_killed(tmp_path: Path) -> None:
    spill = Spill(tmp_path / "spill")
    spill.append(ROWS[:3])
    spill.append(ROWS[3:])
    assert (all_of(spill), spill.items) == ((ROWS, 0), 3)
    os.close(spill._file)  # as the kernel does
    after = Spill(tmp_path / "spill")
    assert (all_of(after), after.items) == ((ROWS, 0), 3)
    assert spilled_rows(tmp_path / "spill") == 4
    after.clear()
    after.close()
    after.close()
    assert not (tmp_path / "spill").exists()
    assert spilled_rows(tmp_path / "spill") == 0


def test_more_rows_than_are_read_at_once_come_back_in_order(tmp_path: Path) -> None:
    spill = Spill(tmp_path / "spill")
    rows = [entry(item, source="x" * (200_000 if item == 7 else 900)) for item in range(400)]
    spill.append(rows)
    assert all_of(spill) == (rows, 0)
    assert spill.items == 400
    spill.close()
    after = Spill(tmp_path / "spill")
    assert after.items == 400


@pytest.mark.parametrize("cut", [1, 40, 200])
def test_the_half_row_of_a_killed_process_is_counted_and_the_others_are_whole(
    tmp_path: Path, cut: int
) -> None:
    file = tmp_path / "spill"
    spill = Spill(file)
    spill.append(ROWS)
    spill.close()
    os.truncate(file, file.stat().st_size - cut)
    after = Spill(file)
    after.append([entry(4)])
    whole = ROWS if cut == 1 else ROWS[:-1]
    assert all_of(after) == ([*whole, entry(4)], int(cut > 1))


def test_a_changed_byte_costs_one_row(tmp_path: Path) -> None:
    file = tmp_path / "spill"
    spill = Spill(file)
    spill.append(ROWS)
    spill.close()
    file.write_bytes(file.read_bytes().replace(b'"cooling"', b'"coolish"'))
    assert all_of(Spill(file)) == ([ROWS[0], ROWS[1], ROWS[3]], 1)


def test_a_spill_is_bounded_and_takes_all_rows_or_none(tmp_path: Path) -> None:
    spill = Spill(tmp_path / "spill", limit=1500)
    spill.append(ROWS[:2])
    with pytest.raises(StorageError, match="has its 1,500 bytes: it is full"):
        spill.append(ROWS)
    assert all_of(spill) == (ROWS[:2], 0)


def test_a_disk_that_fills_up_half_way_leaves_whole_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spill, write, left = Spill(tmp_path / "spill"), os.write, [100]
    spill.append(ROWS[:1])

    def filling(file: int, raw: bytes) -> int:
        taken = raw[: left[0]]
        left[0] -= len(taken)
        if not taken:
            raise OSError(28, "No space left on device")
        return write(file, taken)

    monkeypatch.setattr("edge.ledger.spill.os.write", filling)
    with pytest.raises(StorageError, match="the disk is full"):
        spill.append(ROWS[1:])
    monkeypatch.undo()
    spill.append(ROWS[3:])
    assert all_of(spill) == ([ROWS[0], ROWS[3]], 0)


def test_a_spill_belongs_to_one_process(tmp_path: Path) -> None:
    first = Spill(tmp_path / "spill")
    with pytest.raises(StorageError, match="another process holds it"):
        Spill(tmp_path / "spill")
    first.close()
    Spill(tmp_path / "spill").close()


@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
def test_what_another_put_in_its_place_is_not_written(tmp_path: Path, kind: str) -> None:
    place, other = tmp_path / "spill", tmp_path / "other"
    other.write_text("mine")
    if kind == "link":
        place.symlink_to(other)
    elif kind == "folder":
        place.mkdir()
    else:
        os.mkfifo(place)
    with pytest.raises(StorageError, match="spill"):
        Spill(place)
    assert other.read_text() == "mine"


def test_rows_wait_in_memory_unless_the_file_says_where(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.sqlite"
    own = default_spill("bin-1", ledger, {"RUNTIME_DIRECTORY": f"{tmp_path}:/run/other"})
    assert own is not None
    assert own.parent == tmp_path
    assert own.name.startswith("pilah-bin-1-")
    other = default_spill("bin-1", tmp_path / "2.sqlite", {"RUNTIME_DIRECTORY": str(tmp_path)})
    assert other != own  # two ledgers of one name do not mix
    memory = default_spill("bin-1", ledger, {})
    assert memory is None or memory.parent == Path("/dev/shm")
    assert default_spill("bin-1", ledger, {"RUNTIME_DIRECTORY": "/no/such"}) is None


def line(text: str) -> bytes:
    return b"%08x %s\n" % (zlib.crc32(text.encode()), text.encode())


ITEM_OF_BEFORE = (
    '{"kind": "item", "time": "2026-11-21T23:04:36.123456Z", "station": "bin-1", "item": 7, '
    '"source": "", "label": "can", "confidence": 0.9, "scores": {"can": 0.9}, "accepted": true, '
    '"reject": null, "lane": "metal", "bundle": "b 1", "bundle_digest": "0", "latency_ms": 4.2, '
    '"frames": 3, "actuation": "planned", "due": "later", "missed": null}'
)
ACTUATION_OF_BEFORE = (
    '{"kind": "actuation", "station": "bin-1", "time": "2026-11-21T23:04:36.123456Z", "item": 7, '
    '"lane": "metal", "ended": "2026-11-21T23:04:37.000000Z", "missed": null}'
)


def test_rows_that_a_pilah_without_ids_left_are_read_and_get_the_ids_of_their_rows(
    tmp_path: Path,
) -> None:
    file = tmp_path / "spill"
    file.write_bytes(line(ITEM_OF_BEFORE) + line(ACTUATION_OF_BEFORE))
    (item, actuation), damaged = all_of(Spill(file))
    assert damaged == 0
    assert isinstance(item, ItemSorted)
    assert isinstance(actuation, ActuationEnded)
    assert item.id == actuation.item_id == id_of_old_item(item.time, "bin-1", 7)
    assert actuation.id != item.id
    assert (item.label, actuation.lane) == ("can", "metal")


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (ITEM_OF_BEFORE.replace('"source"', '"colour": "red", "source"'), 1),
        (ITEM_OF_BEFORE.replace('"item", "time"', '"parcel", "time"'), 0),
        (ITEM_OF_BEFORE.replace('"lane": "metal", ', ""), 0),
    ],
    ids=["a value that is new", "a kind that is new", "a value that is gone"],
)
def test_of_a_newer_pilah_s_lines_those_are_read_that_can_be(
    tmp_path: Path, text: str, read: int
) -> None:
    file = tmp_path / "spill"
    file.write_bytes(line(text))
    rows, damaged = all_of(Spill(file))
    assert (len(rows), damaged) == (read, 1 - read)
