from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge.core.errors import LedgerMissingError
from edge.events import Event, IncidentEnded, IncidentRaised, Stamps, StationStarted
from edge.ledger.ledger import Ledger
from edge.ledger.reports.open_incidents import OpenIncidents

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def stamps(minutes_ago: float) -> Stamps:
    return Stamps("bin-1", lambda: (NOW - timedelta(minutes=minutes_ago)).timestamp())


def raised(minutes_ago: float, scope: str) -> IncidentRaised:
    at = stamps(minutes_ago).now()
    return IncidentRaised(*at, "jam", scope, "It is stuck.", "Clear it.", "reset")


def ended(minutes_ago: float, incident: IncidentRaised) -> IncidentEnded:
    at = stamps(minutes_ago).now()
    return IncidentEnded(*at, incident.id, incident.name, incident.scope, 1.0)


def started(minutes_ago: float) -> StationStarted:
    return StationStarted(*stamps(minutes_ago).now(), "1", "tiny 1", "0" * 64)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


def write(file: Path, *events: Event) -> None:
    with Ledger(file) as ledger:
        ledger.append(events)


def scopes(found: OpenIncidents, minutes_later: float = 0) -> list[str]:
    return [one.scope for one in found.now(NOW + timedelta(minutes=minutes_later))]


def test_those_that_have_not_ended_are_open_the_oldest_first(file: Path) -> None:
    first, second, third = raised(30, "a"), raised(20, "b"), raised(10, "c")
    write(file, third, first, second, ended(5, second))
    assert scopes(OpenIncidents(file)) == ["a", "c"]
    assert OpenIncidents(file).now(NOW)[0].what_to_do == "Clear it."


def test_what_happens_later_is_read_as_it_comes(file: Path) -> None:
    first = raised(30, "a")
    write(file, first)
    found = OpenIncidents(file)
    assert scopes(found) == ["a"]
    write(file, raised(14, "late"), raised(-1, "b"))
    assert scopes(found, 1) == ["a", "late", "b"]
    write(file, ended(-2, first))
    assert scopes(found, 2) == ["late", "b"]
    assert scopes(found, 60) == ["late", "b"]


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
    assert scopes(found, 1) == []


def test_without_a_ledger_nothing_is_known(file: Path) -> None:
    with pytest.raises(LedgerMissingError):
        OpenIncidents(file).now(NOW)
