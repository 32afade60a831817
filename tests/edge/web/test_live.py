"""Whether a page can know how old what it shows is."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from edge.core.errors import StatusRefusedError
from edge.ledger.ledger import Ledger
from edge.runtime import supervisor
from edge.telemetry.status import StationState, StatusReading
from edge.web import live as live_module
from edge.web.live import LOOK_SECONDS, SILENT_SECONDS, Beat, Live
from edge.web.plan import WebPlan
from tests.edge.ledger.entries import entry
from tests.edge.telemetry.statuses import SIGNS, status
from tests.edge.web.browsing import Pages, items

LEDGER = Path("ledger.sqlite")
STARTING = status(LEDGER, state=StationState.STARTING, signs=None)


@pytest.mark.parametrize(
    ("reading", "silent"),
    [
        (None, True),
        (StatusReading(status(LEDGER), None), True),
        (StatusReading(status(LEDGER), 0.0), False),
        (StatusReading(status(LEDGER), 1.0), False),
        (StatusReading(status(LEDGER), SILENT_SECONDS), False),
        (StatusReading(status(LEDGER), SILENT_SECONDS + 0.01), True),
        (StatusReading(STARTING, 100.0), False),
        (StatusReading(STARTING, 121.0), True),
    ],
)
def test_a_station_without_a_fresh_sign_of_life_is_silent(
    reading: StatusReading | None, silent: bool
) -> None:
    assert Beat(reading, "", {}).is_silent == silent


def test_a_page_hears_of_the_silence_within_two_seconds() -> None:
    """With a look at the status, and the tenth of a second at which the script looks; half a second
    is left for a busy machine, both here and before a station that is late is called silent."""
    assert SILENT_SECONDS + LOOK_SECONDS + 0.1 <= 1.5
    assert SILENT_SECONDS >= supervisor._TELL_SECONDS + 0.5


def test_one_look_serves_all_who_ask_at_the_same_time(pages: Pages) -> None:
    looks: list[Path] = []
    now = [0.0]

    def read(station: str, ledger: Path) -> None:
        looks.append(ledger)

    live = Live(pages.plan, read=read, clock=lambda: now[0])
    live.beat()
    live.beat()
    assert len(looks) == 1
    now[0] = LOOK_SECONDS
    live.beat()
    assert len(looks) == 2


def test_a_status_that_may_not_be_read_is_none_and_says_why(pages: Pages) -> None:
    def read(station: str, ledger: Path) -> None:
        raise StatusRefusedError("ask as root")

    beat = Live(pages.plan, read=read).beat()
    assert beat.reading is None
    assert beat.is_silent
    assert beat.refused == "ask as root"


def test_marks_change_with_what_they_stand_for_and_only_then(pages: Pages) -> None:
    live = pages.site.live
    before = live.beat().marks
    assert live.beat().marks == before
    pages.write(items(1))
    after = live.beat().marks
    assert {kind for kind in before if before[kind] != after[kind]} == {"ledger"}
    assert pages.reading is not None
    later = replace(pages.reading.status, monotonic=101.0)
    pages.reading = StatusReading(later, 0.1)
    newest = live.beat().marks
    assert {kind for kind in after if after[kind] != newest[kind]} == {"status"}
    pages.reading = StatusReading(replace(later, signs=replace(SIGNS, camera_lost=True)), 0.1)
    assert live.beat().marks["state"] != newest["state"]


def test_a_disk_that_hangs_does_not_hide_the_status(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging, freed = threading.Event(), threading.Event()

    def hang(path: Path) -> str:
        hanging.set()
        freed.wait()
        return "x"

    monkeypatch.setattr("edge.web.live._DISK_SECONDS", 0.0)
    monkeypatch.setattr("edge.web.live._mark_of_file", hang)
    live = pages.site.live
    beat = live.beat()
    hanging.wait()
    assert beat.reading is not None
    assert not beat.is_silent
    assert live.beat().marks["ledger"] == ""
    freed.set()


def test_a_stream_tells_the_age_and_the_marks(pages: Pages) -> None:
    live = Live(pages.plan, read=lambda station, ledger: pages.reading, clock=lambda: 50.0)

    async def first() -> list[str]:
        stream = live.stream()
        found = [await anext(stream), await anext(stream)]
        await stream.aclose()
        return found

    begin, told = asyncio.run(first())
    assert begin == "retry: 500\n\n"
    said = json.loads(told.removeprefix("data: "))
    assert said == {
        "age": 0.4, "silent": False, "marks": live.beat().marks, "mismatches": [],
    }  # fmt: skip
    assert told.endswith("\n\n")
    assert not live.is_full


def test_an_age_is_that_of_the_moment_it_is_told(pages: Pages) -> None:
    now = [50.0]
    live = Live(pages.plan, read=lambda station, ledger: pages.reading, clock=lambda: now[0])
    beat = live.beat()
    now[0] += 0.25
    assert live._age(beat) == pytest.approx(0.65)


def test_there_is_a_bound_to_what_is_streamed(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.web.live.MOST_STREAMS", 0)
    answer = pages.browser().get("/events")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"


def test_a_plan_without_a_deliveries_file_has_marks_too(tmp_path: Path) -> None:
    plan = WebPlan(
        station="a", ledger=tmp_path / "a", deliveries=tmp_path / "b", photographs=tmp_path / "c",
        accounts=tmp_path / "d", lanes={},
    )  # fmt: skip
    assert set(Live(plan).beat().marks) == {"ledger", "deliveries", "status", "state"}


def test_a_stream_ends_with_the_session_of_who_reads_it(pages: Pages) -> None:
    """A stream that was begun goes on for as long as it is read, so it asks, now and then."""
    now = [50.0]
    welcome = [True]
    live = Live(pages.plan, read=lambda station, ledger: pages.reading, clock=lambda: now[0])

    async def told() -> list[str]:
        found = []
        async for one in live.stream(lambda: welcome[0]):
            found.append(one)
            now[0] += live_module._WELCOME_SECONDS
            welcome[0] = len(found) < 4
        return found

    assert len(asyncio.run(told())) == 4
    assert live._streams == 0


def test_a_mark_changes_once_more_when_a_transaction_is_to_be_seen(pages: Pages) -> None:
    """A log is on the disk before readers see what is in it: who looked in between looks again."""
    with Ledger(pages.plan.ledger) as ledger:
        ledger.append(items(1))
        before = live_module._mark_of_file(pages.plan.ledger)
        index = pages.plan.ledger.with_name("ledger.sqlite-shm")
        seen = index.read_bytes()
        ledger.append([entry(2)])
        after = live_module._mark_of_file(pages.plan.ledger)
        assert before != after
        log = pages.plan.ledger.with_name("ledger.sqlite-wal").stat()
        assert log.st_size
        assert seen[:48] != index.read_bytes()[:48]
        assert live_module._index_header(pages.plan.ledger) == index.read_bytes()[:48].hex()
    assert live_module._index_header(pages.plan.ledger.with_name("nothing")) == ""


def test_mismatches_are_read_once_a_second_while_a_delivery_changes_and_none_is_missed(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, reads, mark = [50.0], list[float](), ["a"]

    def read(path: Path) -> tuple[str, ...]:
        reads.append(now[0])
        return (mark[0],)

    monkeypatch.setattr("edge.web.live.open_mismatches", read)
    monkeypatch.setattr("edge.web.live._mark_of_file", lambda path: mark[0])
    monkeypatch.setattr("edge.web.live._DISK_SECONDS", None)  # all of the look is waited for
    live = Live(pages.plan, read=lambda station, ledger: pages.reading, clock=lambda: now[0])
    seen = []
    for number in range(9):
        now[0] = 50.0 + number * 0.25
        mark[0] = f"{min(number, 6)}"
        seen.append(live.beat().mismatches)
    assert reads == [50.0, 51.0, 52.0]
    assert seen[-1] == ("6",)
