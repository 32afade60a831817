"""The time in each state and the stops, from rows that are planted."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from edge.ledger.reports.spans import (
    ParetoLine,
    Span,
    StateRow,
    executing,
    pareto,
    planned,
    spans,
    stops,
    time_in_state,
    unknown,
)


def row(at: int, state: str, reason: str = "", first: str = "", since: int | None = None,
        mode: str = "Production") -> StateRow:  # fmt: skip
    return StateRow(at, at if since is None else since, state, mode, reason, first=first or reason)


def lasted(found: Sequence[Span]) -> list[tuple[str, int]]:
    return [(span.state, span.length) for span in found]


RUN = [row(0, "Starting"), row(5, "Execute"), row(105, "Held", "jam"), row(125, "Execute"),
       row(205, "Stopped")]  # fmt: skip


def test_a_state_lasts_until_the_next_one() -> None:
    found = spans(RUN, lives=[0], end=300)
    assert lasted(found) == [
        ("Starting", 5), ("Execute", 100), ("Held", 20), ("Execute", 80), ("Stopped", 95),
    ]  # fmt: skip
    assert time_in_state(found)["Execute", "Production"] == executing(found) == 180
    assert planned(found) == 205


def test_a_stop_begins_with_its_cause_and_not_when_it_was_written() -> None:
    rows = [row(0, "Starting"), row(5, "Execute"), row(17, "Held", "camera_lost", since=15)]
    assert lasted(spans(rows, lives=[0], end=30)) == [
        ("Starting", 5), ("Execute", 10), ("Held", 15),
    ]  # fmt: skip


def test_a_stop_of_several_states_is_one_and_its_first_reason_counts() -> None:
    rows = [
        row(0, "Starting"), row(5, "Execute"), row(15, "Suspended", "starved"),
        row(25, "Held", "camera_lost", "starved"), row(40, "Execute"),
        row(50, "Aborted", "emergency_stop"), row(60, "Stopped", "", "emergency_stop"),
        row(70, "Idle", "", "emergency_stop"), row(80, "Execute"), row(90, "Held", "jam"),
        row(91, "Execute"), row(91, "Suspended", "starved"), row(95, "Execute"),
    ]  # fmt: skip
    found = list(stops(spans(rows, lives=[0], end=100)))
    assert [(s.begin, s.end, s.reason, s.states) for s in found] == [
        (15, 40, "starved", ("Suspended", "Held")),
        (50, 80, "emergency_stop", ("Aborted", "Stopped", "Idle")),
        (90, 91, "jam", ("Held",)),
        (91, 95, "starved", ("Suspended",)),
    ]
    assert pareto(found) == [
        ParetoLine("emergency_stop", 1, 30), ParetoLine("starved", 2, 29), ParetoLine("jam", 1, 1),
    ]  # fmt: skip
    assert planned(spans(rows, lives=[0], end=100)) == 100


def test_time_in_other_modes_is_no_production_and_no_stop() -> None:
    rows = [
        row(0, "Starting"), row(5, "Execute"), row(20, "Held", "jam"),
        row(30, "Stopped", "", "jam"), row(35, "Stopped", mode="Maintenance"),
        row(50, "Aborted", "emergency_stop", mode="Maintenance"),
        row(60, "Stopped", "", "emergency_stop", mode="Maintenance"), row(70, "Stopped"),
        row(72, "Idle"), row(73, "Execute"),
    ]  # fmt: skip
    found = spans(rows, lives=[0], end=100)
    assert [(s.begin, s.end, s.reason) for s in stops(found)] == [(20, 35, "jam")]
    assert time_in_state(found)["Stopped", "Maintenance"] == 25
    assert time_in_state(found)["Aborted", "Maintenance"] == 10
    assert (planned(found), executing(found)) == (5 + 15 + 15 + 27, 15 + 27)


def test_what_was_killed_did_nothing_that_is_known_until_its_next_start() -> None:
    rows = [row(0, "Starting"), row(5, "Execute"), row(100, "Starting"), row(105, "Execute")]
    found = spans(rows, lives=[0, 60], end=120)
    assert lasted(found) == [
        ("Starting", 5), ("Execute", 55), ("unknown", 40), ("Starting", 5), ("Execute", 15),
    ]  # fmt: skip
    assert planned(found) == 80


def test_a_stop_ends_where_the_station_was_killed_in_it() -> None:
    rows = [row(0, "Starting"), row(5, "Execute"), row(9, "Held", "jam"), row(100, "Starting")]
    (stop,) = stops(spans(rows, lives=[0, 60], end=101))
    assert (stop.begin, stop.end) == (9, 60)


def test_what_an_error_ended_stands_until_the_next_start() -> None:
    rows = [row(0, "Starting"), row(5, "Execute"), row(10, "Held", "home_not_found"),
            row(10, "Stopped", "", "home_not_found"), row(100, "Starting")]  # fmt: skip
    found = spans(rows, lives=[0, 0], end=101)
    assert [(s.begin, s.end, s.reason) for s in stops(found)] == [(10, 100, "home_not_found")]
    assert (planned(found), executing(found), unknown(found)) == (101, 5, 0)


def test_a_station_that_was_ended_is_not_planned_to_sort() -> None:
    rows = [*RUN, row(1000, "Starting"), row(1001, "Execute")]
    found = spans(rows, lives=[0, 205], end=1101)
    assert time_in_state(found)["Stopped", "Production"] == 795
    assert planned(found) == 205 + 101


@pytest.mark.parametrize("mode", ["Maintenance", "Manual"])
def test_in_another_mode_it_is_not_planned_to_sort(mode: str) -> None:
    rows = [row(0, "Starting"), row(1, "Execute"), row(5, "Idle", mode=mode)]
    assert planned(spans(rows, lives=[0], end=50)) == 5


def test_a_clock_that_was_set_back_makes_no_time_negative() -> None:
    rows = [row(100, "Starting"), row(105, "Execute"), row(50, "Held", "jam"), row(60, "Execute")]
    found = spans(rows, lives=[0], end=70)
    assert all(span.length >= 0 for span in found)
    assert sum(span.length for span in found) >= 0


def test_of_no_rows_there_are_no_states() -> None:
    assert spans([], lives=[], end=10) == []
    assert list(stops([])) == []
