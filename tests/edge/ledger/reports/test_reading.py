"""Reports of a ledger in which states, items and audits are planted."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from edge.core.errors import LedgerError
from edge.core.model.wilson import wilson
from edge.core.uuid7 import UUID7Source, uuid7_text
from edge.events import (
    KINDS,
    CameraLost,
    Event,
    IncidentEnded,
    ItemAudited,
    PictureContradicted,
    StateChanged,
)
from edge.ledger.ledger import Ledger
from edge.ledger.reports.reading import _BY_THE_STATION, microseconds, state_report, utc
from edge.ledger.upkeep.auditing import drawn_items
from tests.edge.ledger.entries import actuation, correction, entry

_NUMBERS = count()
T0 = microseconds("2026-11-21T08:00:00.000000Z")


def at(seconds: float) -> str:
    return utc(T0 + round(seconds * 1e6))


def _stamp(seconds: float) -> str:
    return uuid7_text(T0 // 1000 + round(seconds * 1000), 0, next(_NUMBERS))


def state(seconds: float, name: str, reason: str = "", **more: Any) -> StateChanged:
    stamp = _stamp(seconds)
    more = {"since": at(seconds), "first": reason} | more
    return StateChanged(
        stamp, at(seconds), "bin-1", state=name, mode="Production", reason=reason, **more
    )


def audited(item: int, lane: str, *, drawn: bool = True, seconds: float = 9000) -> ItemAudited:
    return ItemAudited(
        _stamp(seconds), at(seconds), "bin-1", entry(item).id, "can", lane, "ana", drawn
    )


def items(numbers: Iterator[int] | range, **changes: Any) -> list[Event]:
    return [entry(n, time=at(100 + n), **changes) for n in numbers]


def planted(path: Path, *events: Event) -> Path:
    with Ledger(path) as ledger:
        ledger.append(events)
    return path


PLANTED = [
    state(0, "Starting"), state(10, "Execute"),
    state(1010.5, "Held", "jam", since=at(1010)), state(1110, "Execute"),
    state(2000, "Suspended", "starved"), state(2600, "Execute"),
    state(3000, "Held", "jam"), state(3050, "Execute"), state(3600, "Stopped"),
]  # fmt: skip


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return planted(
        tmp_path / "ledger.sqlite", *PLANTED, *items(range(1, 401)),
        *items(range(401, 421), accepted=False, reject="low_confidence", lane="rest"),
        *items(range(421, 431), accepted=False, reject="not_sorting", lane="rest"),
        *(audited(n, "metal") for n in range(1, 39)), audited(39, "rest"), audited(40, "rest"),
        audited(41, "rest", drawn=False), audited(401, "metal"),
    )  # fmt: skip


def test_time_in_state_stops_and_pareto_are_exact(ledger: Path) -> None:
    found = state_report(ledger, end=at(3600))
    assert found.seconds == {
        ("Execute", "Production"): 1000 + 890 + 400 + 550,
        ("Suspended", "Production"): 600,
        ("Held", "Production"): 150,
        ("Starting", "Production"): 10,
    }
    assert [(s.reason, s.begin - T0, s.length) for s in found.stops] == [
        ("jam", 1010_000_000, 100_000_000), ("starved", 2000_000_000, 600_000_000),
        ("jam", 3000_000_000, 50_000_000),
    ]  # fmt: skip
    assert found.pareto == [("starved", 1, 600_000_000), ("jam", 2, 150_000_000)]


def test_oee_is_exact(ledger: Path) -> None:
    found = state_report(ledger, end=at(3600), ideal_rate=0.5).effectiveness
    assert (found.planned_seconds, found.executing_seconds) == (3600, 2840)
    assert found.availability == 2840 / 3600
    # A reject is not sorted, and one that came while it stood was not its to sort.
    assert found.items == 400
    assert found.performance == 400 / (0.5 * 2840)
    # Those that were chosen as doubtful and the reject tell nothing of the purity.
    assert (found.quality.audited, found.quality.right) == (40, 38)
    assert found.quality.interval == wilson(38 / 40, 40)
    assert found.oee == pytest.approx(2840 / 3600 * 400 / 1420 * 0.95)


def test_a_part_of_the_time(ledger: Path) -> None:
    found = state_report(ledger, at(1060), at(2300))
    assert found.seconds == {
        ("Execute", "Production"): 890, ("Suspended", "Production"): 300,
        ("Held", "Production"): 50,
    }  # fmt: skip
    assert [(s.reason, s.length) for s in found.stops] == [
        ("jam", 50_000_000), ("starved", 300_000_000)
    ]  # fmt: skip


def test_a_station_that_runs_is_in_its_state_until_now(tmp_path: Path) -> None:
    path = planted(tmp_path / "ledger.sqlite", *PLANTED[:3])
    assert state_report(path).seconds["Held", "Production"] == 0.5
    assert state_report(path, now=at(1070)).seconds["Held", "Production"] == 60


def test_one_that_an_error_ended_stands_until_it_is_started_or_until_now(tmp_path: Path) -> None:
    fault = state(100, "Held", "actuator_failed"), state(100, "Stopped", first="actuator_failed")
    path = planted(tmp_path / "ledger.sqlite", *PLANTED[:2], *fault)
    found = state_report(path, dead_until=at(910))
    assert found.pareto == [("actuator_failed", 1, 810_000_000)]
    assert found.effectiveness.availability == 90 / 910
    somebody = planted(tmp_path / "b.sqlite", *PLANTED[:2], state(100, "Stopped"))
    assert state_report(somebody, dead_until=at(910)).effectiveness.planned_seconds == 100


def test_the_time_of_which_nobody_knows_is_told_beside_the_rest(tmp_path: Path) -> None:
    path = planted(tmp_path / "ledger.sqlite", *PLANTED[:2], *items(range(1, 91)))
    found = state_report(path, dead_until=at(1000)).effectiveness
    assert found.planned_seconds + found.unknown_seconds == 1000
    assert found.availability == found.executing_seconds / found.planned_seconds > 0.8
    worst = found.availability * found.share_known
    assert worst == pytest.approx(found.executing_seconds / 1000)
    assert state_report(path).effectiveness.share_known == 1


def test_of_one_that_was_killed_the_last_sign_of_life_counts(tmp_path: Path) -> None:
    path = planted(
        tmp_path / "ledger.sqlite", *PLANTED[:2], entry(1, time=at(200)),
        actuation(1, time=at(200), ended=at(201)), state(900, "Starting"), state(905, "Execute"),
        state(1000, "Stopped"),
    )  # fmt: skip
    assert state_report(path).seconds == {
        ("unknown", "Production"): 699, ("Execute", "Production"): 191 + 95,
        ("Starting", "Production"): 15,
    }  # fmt: skip


@pytest.mark.parametrize("began", [100, 1500], ids=["before", "within"])
def test_where_the_clock_was_set_back_the_runs_are_apart(tmp_path: Path, began: int) -> None:
    def run(begin: int, name: str) -> list[Event]:
        return [
            state(begin, "Starting", run=name), state(begin + 10, "Execute", run=name),
            state(begin + 110, "Held", "jam", run=name), state(begin + 130, "Execute", run=name),
            state(begin + 1000, "Stopped", run=name),
        ]  # fmt: skip

    path = planted(tmp_path / "ledger.sqlite", *run(1000, "a"), *run(began, "b"))
    found = state_report(path)
    assert found.seconds["Execute", "Production"] == 2 * (100 + 870)
    assert found.pareto == [("jam", 2, 40_000_000)]
    assert ("unknown", "Production") not in found.seconds


def after_it(before: Sequence[Event]) -> UUID7Source:
    """The ids of a run that begins after `before`, by a clock that was set back."""
    return UUID7Source(lambda: 0.0, after=max(event.id for event in before))


def test_items_of_a_run_whose_clock_was_ahead_do_not_lengthen_the_last_state(
    tmp_path: Path,
) -> None:
    earlier = [
        state(5000, "Starting", run="a"), state(5001, "Execute", run="a"),
        entry(1, time=at(5009), id=_stamp(5009)), state(5010, "Stopped", run="a"),
    ]  # fmt: skip
    ids = after_it(earlier)
    later = [
        replace(state(100, "Starting", run="b"), id=ids()),
        replace(state(110, "Execute", run="b"), id=ids()),
        CameraLost(ids(), at(150), "bin-1", "cam"),
    ]
    path = planted(tmp_path / "ledger.sqlite", *earlier, *later)
    assert state_report(path).seconds["Execute", "Production"] == 9 + 40


def test_a_killed_run_keeps_its_time_though_the_next_one_begins_earlier(tmp_path: Path) -> None:
    killed = [
        state(5000, "Starting", run="a"), state(5010, "Execute", run="a"),
        entry(1, time=at(5300), id=_stamp(5300)),
    ]  # fmt: skip
    ids = after_it(killed)
    later = [
        replace(state(100, "Starting", run="b"), id=ids()),
        entry(2, time=at(102), id=_stamp(102)),
        replace(state(105, "Stopped", run="b"), id=ids()),
    ]
    path = planted(tmp_path / "ledger.sqlite", *killed, *later)
    assert state_report(path).seconds == {
        ("Execute", "Production"): 290, ("Starting", "Production"): 15,
    }  # fmt: skip


def test_in_a_run_in_which_the_clock_is_set_back_the_states_are_in_order(tmp_path: Path) -> None:
    def row(number: int, seconds: float, name: str, reason: str = "") -> StateChanged:
        return replace(state(seconds, name, reason, run="a"), id=uuid7_text(T0 // 1000, 0, number))

    path = planted(
        tmp_path / "ledger.sqlite", row(1, 0, "Starting"), row(2, 10, "Execute"),
        row(3, 110, "Held", "jam"), row(4, 50, "Execute"), row(5, 210, "Stopped"),
    )  # fmt: skip
    assert [span.state for span in state_report(path).spans] == [
        "Starting", "Execute", "Execute",
    ]  # fmt: skip
    assert state_report(path).seconds["Execute", "Production"] == 200


def contradicted(seconds: float) -> PictureContradicted:
    return PictureContradicted(
        _stamp(seconds), at(seconds), "bin-1", "d", "4006381333931", "can", "cup", None, None,
        None, None,
    )  # fmt: skip


def closed(seconds: float) -> IncidentEnded:
    return IncidentEnded(_stamp(seconds), at(seconds), "bin-1", "i", "jam", "warm", 1.0)


@pytest.mark.parametrize(
    ("event", "alive"),
    [
        (audited(1, "metal", seconds=700), 200),
        (replace(correction(1, "label", "can", "bottle"), time=at(700)), 200),
        (contradicted(700), 200),
        (closed(700), 700),
    ],
    ids=["audit", "correction", "decision at the desk", "incident"],
)
def test_what_somebody_writes_at_a_desk_is_no_sign_of_life(
    tmp_path: Path, event: Event, alive: int
) -> None:
    path = planted(
        tmp_path / "ledger.sqlite", *PLANTED[:2], entry(1, time=at(200)), event,
        state(900, "Starting"),
    )  # fmt: skip
    assert state_report(path).seconds["Execute", "Production"] == alive - 10


def test_the_kinds_that_only_a_station_writes_are_kinds() -> None:
    assert set(_BY_THE_STATION) == {*KINDS} - {
        "item", "actuation", "correction", "item_audited", "picture_contradicted"
    }  # fmt: skip


def test_the_newest_audit_of_an_item_counts_and_one_for_which_nothing_moved_is_not_sorted(
    tmp_path: Path,
) -> None:
    path = planted(
        tmp_path / "ledger.sqlite", *PLANTED, *items(range(1, 4)),
        audited(1, "metal", seconds=9000), audited(1, "rest", seconds=9010),
        audited(2, "metal"), actuation(2, time=at(102), missed="held"), audited(3, "metal"),
        *items(range(4, 6), missed="late"),
    )  # fmt: skip
    found = state_report(path).effectiveness
    assert (found.items, found.quality.audited, found.quality.right) == (2, 2, 1)
    assert [item.row["item"] for item in drawn_items(path, 5)] == []


def test_corrections_alone_tell_no_purity(tmp_path: Path) -> None:
    path = planted(
        tmp_path / "ledger.sqlite", *PLANTED, *items(range(1, 4)),
        correction(1, "label", "can", "bottle"), correction(1, "lane", "metal", "rest", 1),
        correction(2, "quantity", "1", "2"),
    )  # fmt: skip
    found = state_report(path)
    assert found.effectiveness.quality.share is None
    assert found.corrected == 1


def test_a_ledger_without_states_has_no_report_of_any(tmp_path: Path) -> None:
    found = state_report(planted(tmp_path / "ledger.sqlite", entry(1)))
    assert (found.spans, found.stops, found.effectiveness.availability) == ((), (), None)


def test_a_ledger_from_before_there_were_events_has_none(tmp_path: Path) -> None:
    path = planted(tmp_path / "ledger.sqlite", entry(1))
    with closing(sqlite3.connect(path)) as old, old:
        old.execute("DROP TABLE events")
    assert state_report(path).spans == ()
    assert [item.row["item"] for item in drawn_items(path, 5)] == [1]


def test_what_is_no_ledger_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LedgerError):
        state_report(tmp_path / "none.sqlite")
