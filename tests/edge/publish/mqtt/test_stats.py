"""Today's items are counted, each once, as the ledger grows."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from edge.ledger.ledger import Ledger
from edge.publish.mqtt.stats import DayStats
from tests.edge.ledger.entries import entry


class Day:
    """A day that a test changes."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def write(file: Path, *numbers: int, day: str = "2026-11-21", **changes: object) -> None:
    with Ledger(file) as ledger:
        ledger.append(
            [entry(number, time=f"{day}T01:00:00.{number:06}Z", **changes) for number in numbers]
        )


def test_items_are_counted_as_they_come(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    stats = DayStats(file, now=Day())
    assert stats.look() is None  # no ledger yet
    write(file, 1, 2)
    write(file, 3, lane="rest", accepted=False, reject="unsure")
    write(file, 4, day="2026-11-20")
    found = stats.look()
    assert found == {
        "day": "2026-11-21", "items": 3, "accepted": 2, "rejected": 1,
        "lanes": {"metal": 2, "rest": 1}, "last": "2026-11-21T01:00:00.000003Z",
    }  # fmt: skip
    assert stats.look() == found
    write(file, 5)
    more = stats.look()
    assert more is not None
    assert (more["items"], more["lanes"]["metal"]) == (4, 3)


def test_the_last_item_is_that_written_last_though_the_clock_was_set_back(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    stats = DayStats(file, now=Day())
    for number, lane in ((9, "metal"), (5, "rest"), (2, "metal")):
        write(file, number, lane=lane)
    found = stats.look()
    assert found is not None
    assert found["last"] == "2026-11-21T01:00:00.000002Z"


def test_a_new_day_begins_at_nothing(tmp_path: Path) -> None:
    file, day = tmp_path / "ledger.sqlite", Day()
    stats = DayStats(file, now=day)
    write(file, 1)
    stats.look()
    day.now = datetime(2026, 11, 22, 0, 1, tzinfo=UTC)
    write(file, 2, day="2026-11-22")
    found = stats.look()
    assert found is not None
    assert (found["day"], found["items"], found["lanes"]) == ("2026-11-22", 1, {"metal": 1})


def test_a_ledger_that_was_begun_anew_is_counted_anew(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    stats = DayStats(file, now=Day())
    write(file, 1, 2, 3)
    stats.look()
    for one in tmp_path.glob("ledger.sqlite*"):
        one.unlink()
    write(file, 1, 2, 3, 4)
    found = stats.look()
    assert found is not None
    assert found["items"] == 4
