from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge.core.errors import LedgerMissingError
from edge.events import Event, IncidentEnded, IncidentRaised, Stamps, StateChanged
from edge.ledger.ledger import Ledger
from edge.ledger.reports.last_run import newest_id
from edge.ledger.reports.open_incidents import OpenIncidents
from edge.ledger.sqlite_file import open_to_read

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def stamps(minutes_ago: float) -> Stamps:
    return Stamps("bin-1", lambda: (NOW - timedelta(minutes=minutes_ago)).timestamp())


def raised(minutes_ago: float, scope: str) -> IncidentRaised:
    at = stamps(minutes_ago).now()
    return IncidentRaised(*at, "jam", scope, "It is stuck.", "Clear it.", "reset")


def ended(minutes_ago: float, incident: IncidentRaised) -> IncidentEnded:
    at = stamps(minutes_ago).now()
    return IncidentEnded(*at, incident.id, incident.name, incident.scope, 1.0)


def started(minutes_ago: float) -> StateChanged:
    stamp = stamps(minutes_ago).now()
    return StateChanged(*stamp, "Starting", "Production", stamp.time, "", "", "", None, "", "a")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


def write(file: Path, *events: Event) -> None:
    with Ledger(file) as ledger:
        ledger.append(events)


def scopes(found: OpenIncidents) -> list[str]:
    return [one.scope for one in found.now()]


def test_those_that_have_not_ended_are_open_the_oldest_first(file: Path) -> None:
    first, second, third = raised(30, "a"), raised(20, "b"), raised(10, "c")
    write(file, third, first, second, ended(5, second))
    assert scopes(OpenIncidents(file)) == ["a", "c"]
    assert OpenIncidents(file).now()[0].what_to_do == "Clear it."


def test_what_happens_later_is_read_as_it_comes(file: Path) -> None:
    first = raised(30, "a")
    write(file, first)
    found = OpenIncidents(file)
    assert scopes(found) == ["a"]
    write(file, raised(14, "late"), raised(-1, "b"))
    assert scopes(found) == ["a", "late", "b"]
    write(file, ended(-2, first))
    assert scopes(found) == ["late", "b"]


def test_an_end_that_is_written_before_its_begin_counts(file: Path) -> None:
    first = raised(3, "a")
    write(file, ended(1, first))
    found = OpenIncidents(file)
    assert scopes(found) == []
    write(file, first)
    assert scopes(found) == []


def test_those_of_an_earlier_start_are_over(file: Path) -> None:
    write(file, raised(30, "a"), started(20), raised(10, "b"))
    found = OpenIncidents(file)
    assert scopes(found) == ["b"]
    write(file, started(-1))
    assert scopes(found) == []


def test_one_from_the_very_start_is_open_until_it_ends(file: Path) -> None:
    write(file, started(60 * 24 * 30), raised(60 * 24 * 30 - 1, "a"), ended(3, raised(4, "b")))
    assert scopes(OpenIncidents(file)) == ["a"]


def test_a_clock_that_was_set_hides_none_and_shows_none_of_before(file: Path) -> None:
    write(file, started(30), raised(20, "of before"))
    early = stamps(60 * 24 * 9).following(newest_id(file))  # the next run begins nine days earlier
    begun = replace(started(0), id=early.new_id())
    write(file, begun, replace(raised(0, "a"), id=early.new_id()))
    found = OpenIncidents(file)
    assert scopes(found) == ["a"]
    write(file, raised(-60 * 24, "b"))  # and the clock is put right
    assert scopes(found) == scopes(OpenIncidents(file)) == ["a", "b"]


def test_a_look_reads_few_rows_again_though_all_ids_lie_in_one_millisecond(file: Path) -> None:
    ahead = stamps(-60 * 24 * 365).now().id  # a clock that was a year ahead, once
    ids = stamps(0).following(ahead)
    begun = replace(started(0), id=ids.new_id())
    many = [replace(raised(0, f"lane {number}"), id=ids.new_id()) for number in range(200)]
    write(file, begun, *many[:150], *many[151:])
    found = OpenIncidents(file)
    assert len(scopes(found)) == 199
    with open_to_read(file) as connection:
        assert len(found._rows(connection)) == 50
    write(file, many[150])  # by a thread that took its id earlier
    assert len(scopes(found)) == 200


def test_without_a_ledger_nothing_is_known(file: Path) -> None:
    with pytest.raises(LedgerMissingError):
        OpenIncidents(file).now()
