"""Incidents and corrections that are not in the ledger are written, and none twice."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edge.events import Event, ItemCorrected, ItemSorted, PictureContradicted
from edge.ledger.ledger import Ledger
from edge.receiving.code import read_code
from edge.receiving.desk import Desk
from edge.receiving.pieces import missing_rows as module
from edge.receiving.pieces.missing_rows import MissingRows
from edge.receiving.scan import Scan
from tests.edge.receiving.goods_lists import PACK_OF_SHOES, SHOE
from tests.edge.receiving.test_counting import STAMPS, at, code_on, counting_at, door, item

__all__ = ["door"]
pytestmark = pytest.mark.usefixtures("ledger_within")

SCORES = {"adidas": 0.1, "nike": 0.9}


def write(folder: Path, *rows: Event) -> None:
    with Ledger(folder / "ledger.sqlite") as ledger:
        ledger.append(rows)


def rows_at(folder: Path) -> list[Event]:
    """The incidents and corrections in the ledger."""
    with Ledger(folder / "ledger.sqlite") as ledger:
        found = [row for row in ledger.happenings() if isinstance(row, PictureContradicted)]
        return [*ledger.corrections(), *found]


def run(folder: Path, *passing: ItemSorted, meanwhile: Callable[[], object] = int) -> list[Event]:
    """What a station publishes that sorts `passing`, each with the code of a shoe."""
    told: list[Event] = []
    counting = counting_at(folder)
    counting.start(told.append)
    for each in passing:
        counting.expect(each.id)
        counting.count(each)
        counting.codes_read(each.id, [code_on(each, SHOE)])
    meanwhile()
    counting.close()
    return told


def nike(number: int = 1, **values: object) -> ItemSorted:
    """An item in the lane of Nike shoes, whose code is found out later."""
    return item(number, "nike", scores=SCORES, delivery_id="D1", **values)


def at_the_desk(folder: Path, **scan: object) -> None:
    with at(folder) as file:
        force = bool(scan.pop("force", False))
        values = {"code": read_code(SHOE), **scan}
        Desk(file, STAMPS, "ana").scan(None, Scan(**values), force=force)  # type: ignore[arg-type]


def test_what_a_killed_station_had_not_written_is_written_at_the_next_start(door: Path) -> None:
    seen = nike()
    write(door, seen, code_on(seen, SHOE))
    lost = run(door, seen)
    assert [type(row) for row in lost] == [ItemCorrected, PictureContradicted]
    again = run(door)
    assert again == lost
    write(door, again[0])
    assert run(door) == lost[1:]
    write(door, *run(door))
    assert run(door) == []
    assert rows_at(door) == lost


def test_what_is_on_its_way_to_the_ledger_is_not_published_twice(door: Path) -> None:
    write(door)
    told = run(door, nike(), meanwhile=lambda: at_the_desk(door, seen="nike"))
    assert [type(row) for row in told].count(PictureContradicted) == 2
    assert len({row.id for row in told}) == len(told) == 3


def test_a_running_station_writes_what_a_person_finds_at_the_desk(door: Path) -> None:
    write(door)
    (incident,) = run(door, meanwhile=lambda: at_the_desk(door, seen="nike"))
    assert isinstance(incident, PictureContradicted)
    assert (incident.code, incident.expected, incident.seen) == (SHOE, "adidas", "nike")
    assert (incident.delivery_id, incident.item, incident.item_id) == ("D1", None, None)
    write(door, incident)
    assert run(door) == []


def test_what_a_person_decides_gives_the_item_its_pieces_back(door: Path) -> None:
    seen = nike()
    write(door, seen, code_on(seen, SHOE))
    write(door, *run(door, seen))
    (corrected,) = run(door, meanwhile=lambda: at_the_desk(door, force=True))
    assert isinstance(corrected, ItemCorrected)
    assert (corrected.item_id, corrected.old, corrected.new) == (seen.id, "0", "1")
    assert run(door) == [corrected]  # it was killed before that was in the ledger
    write(door, corrected)
    assert run(door) == []


def test_a_pack_whose_correction_was_lost_is_corrected(door: Path) -> None:
    seen = item(1, delivery_id="D1")
    write(door, seen, code_on(seen, PACK_OF_SHOES))
    run(door)
    (corrected,) = run(door)
    assert isinstance(corrected, ItemCorrected)
    assert (corrected.old, corrected.new) == ("1", "6")


def test_incidents_that_an_earlier_release_wrote_are_known(door: Path) -> None:
    seen = nike()
    write(door, seen, code_on(seen, SHOE))
    rows = [replace(row, id=STAMPS.now().id) for row in run(door, seen)]
    write(door, *rows)
    assert run(door) == []


def test_an_incident_whose_item_is_lost_is_written_with_what_is_known(door: Path) -> None:
    write(door)
    seen = nike()
    run(door, seen)
    (incident,) = run(door)
    assert isinstance(incident, PictureContradicted)
    assert (incident.item_id, incident.item, incident.lane) == (seen.id, None, None)


def test_while_rows_wait_outside_of_the_ledger_nothing_is_taken_for_missing(door: Path) -> None:
    seen = nike()
    write(door, seen, code_on(seen, SHOE))
    run(door, seen)
    told: list[Event] = []
    waiting = [True]
    counting = counting_at(door)
    counting.start(told.append, behind=lambda: waiting[0])
    assert told == []
    waiting[0] = False
    counting.close()
    assert len(told) == 2


def test_without_a_ledger_there_is_nothing_to_compare_with(door: Path) -> None:
    at_the_desk(door, seen="nike")
    missing = MissingRows(door / "ledger.sqlite", "door")
    with at(door) as file:
        assert missing.find(file) == []
        write(door)
        assert len(missing.find(file)) == 1
        assert missing.find(file) == []


def test_what_another_station_answered_in_the_same_file_is_its_own_to_write(door: Path) -> None:
    write(door)
    at_the_desk(door, seen="nike")
    with at(door) as file:
        assert MissingRows(door / "ledger.sqlite", "other").find(file) == []
        assert len(MissingRows(door / "ledger.sqlite", "door").find(file)) == 1


def test_a_ledger_that_cannot_be_read_is_looked_at_again(door: Path) -> None:
    at_the_desk(door, seen="nike")
    path = door / "ledger.sqlite"
    path.write_bytes(b"damaged" * 1000)
    missing = MissingRows(path, "door")
    with at(door) as file:
        with pytest.raises(sqlite3.Error):
            missing.find(file)
        path.unlink()
        write(door)
        assert len(missing.find(file)) == 1


def test_the_end_of_a_long_file_is_looked_at_and_all_that_was_stopped(
    door: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(door)
    at_the_desk(door, seen="nike")
    for _ in range(4):
        at_the_desk(door, line=1, code=read_code(""))
    at_the_desk(door, seen="reebok", code=read_code(PACK_OF_SHOES))
    monkeypatch.setattr(module, "_ANSWERS", 2)
    for most, found in ((200, ["nike", "reebok"]), (0, ["reebok"])):
        monkeypatch.setattr(module, "_STOPPED", most)
        with at(door) as file:
            rows = MissingRows(door / "ledger.sqlite", "door").find(file)
        assert [getattr(row, "seen", None) for row in rows] == found
