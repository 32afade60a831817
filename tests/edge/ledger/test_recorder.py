from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from edge.core.errors import LedgerError, LedgerInUseError, LedgerVersionError
from edge.events import (
    ActuationEnded,
    CameraLost,
    Event,
    ItemSorted,
    LedgerBack,
    LedgerFailed,
    Stamps,
    StateChanged,
    StationStarted,
    of_items,
)
from edge.ledger.recorder import Patience, Recorder
from edge.ledger.spill import Spill
from tests.edge.ledger.entries import actuation, entry
from tests.logged import listen

LOST = CameraLost("9", "2026-11-21T23:04:36.123456Z", "bin-1", "/dev/video0")

STARTED = StationStarted("8", LOST.time, "bin-1", "0.1", "tiny 1", "0" * 64)


class FlakyLedger:
    """A ledger on a disk that may be full, or hang until it is released."""

    def __init__(self) -> None:
        self.full = False
        self.items: list[int] = []
        self.commits: list[int] = []
        self.events: list[Event] = []
        self.refused = threading.Event()
        self.released, self.hanging = threading.Event(), threading.Event()
        self.released.set()

    def append(self, rows: Sequence[Event]) -> None:
        if not self.released.is_set():
            self.hanging.set()
            self.released.wait(60)
        if self.full:
            self.refused.set()
            raise LedgerError("the disk is full")
        for row in rows:
            if isinstance(row, ItemSorted | ActuationEnded) and row.item not in self.items:
                self.items.append(row.item)
        self.commits.append(len(rows))
        self.events += [row for row in rows if row not in self.events]

    def close(self) -> None:
        pass


SOON = Patience(commit=0, hang=0.02, retry=0.02, finish=5)
PATIENT = Patience(commit=0, hang=60, retry=0.02, finish=60)
"""For a ledger that does not hang, on a machine that may be busy."""


class Watched:
    """A recorder with what it showed and said."""

    def __init__(
        self, *, capacity: int = 1000, patience: Patience | None = None, spill: Spill | None = None
    ) -> None:
        self.ledger = FlakyLedger()
        self.shown: list[int] = []
        self.told: list[Event] = []
        self.said: list[str] = []
        self.changed = threading.Condition()
        listen(lambda text: self._note(self.said, text))
        self.recorder = Recorder(
            self.ledger,
            observers=[
                of_items(lambda entry: self._note(self.shown, entry.item)),
                lambda event: self._note(self.told, event),
            ],
            patience=patience or Patience(hang=60, finish=60),
            capacity=capacity,
        )
        if spill is not None:
            self.recorder.add_spill(spill)
        self.thread = threading.Thread(target=self.recorder.run)

    def _note(self, where: list[Any], what: Any) -> None:
        with self.changed:
            where.append(what)
            self.changed.notify_all()

    def wait_for(self, there: Callable[[], bool]) -> None:
        with self.changed:
            assert self.changed.wait_for(there, 60)

    def end(self) -> None:
        self.recorder.finish()
        if self.thread.ident is None:
            self.recorder.run()
        else:
            self.thread.join(60)
        self.recorder.flush()


@pytest.fixture
def spill(tmp_path: Path) -> Spill:
    return Spill(tmp_path / "spill")


def test_every_entry_is_written_and_shown_once_in_order() -> None:
    watched = Watched()
    thread = threading.Thread(target=watched.recorder.run)
    thread.start()
    for item in range(250):
        watched.recorder.offer(entry(item))
    watched.recorder.finish()
    thread.join(60)
    watched.recorder.flush()
    assert watched.ledger.items == watched.shown == list(range(250))
    assert (watched.recorder.lost, watched.said) == (0, [])


def test_a_full_disk_is_said_once_and_its_rows_are_counted_as_lost() -> None:
    watched = Watched()
    watched.ledger.full = True
    for item in range(3):
        watched.recorder.offer(entry(item))
    watched.end()
    assert watched.shown == [0, 1, 2]
    assert watched.recorder.lost == 3
    assert len(watched.said) == 2
    assert "the disk is full. Sorting goes on; rows wait in memory" in watched.said[0]
    assert watched.said[1] == "LOST       3 rows so far: there was no room for them"


def test_rows_that_waited_are_written_when_there_is_room_again() -> None:
    watched = Watched()
    watched.ledger.full = True
    for item in range(150):
        watched.recorder.offer(entry(item))
    thread = threading.Thread(target=watched.recorder.run)
    thread.start()
    assert watched.ledger.refused.wait(60)
    watched.ledger.full = False
    watched.recorder.offer(entry(150))
    watched.recorder.finish()
    thread.join(60)
    assert watched.ledger.items == watched.shown == list(range(151))
    assert watched.recorder.lost == 0
    assert watched.said[1:] == [
        "ledger     it can be written again: the rows that waited are added"
    ]


def test_what_finds_no_room_is_lost_at_once_and_nobody_waits() -> None:
    watched = Watched(capacity=2)
    watched.ledger.full = True
    for item in range(5):
        watched.recorder.offer(entry(item))
    watched.ledger.full = False
    watched.end()
    assert watched.ledger.items == [0, 1]
    assert watched.recorder.lost == 3


def test_what_was_left_by_a_thread_that_failed_is_still_written() -> None:
    ledger = FlakyLedger()

    class Broken(Recorder):
        def _step(self, *, show: bool) -> None:
            if show:
                raise ZeroDivisionError("a bug")
            super()._step(show=show)

    recorder = Broken(ledger, observers=[])
    recorder.offer(entry(1))
    with pytest.raises(ZeroDivisionError):
        recorder.run()
    assert ledger.items == [1]


def test_every_observer_is_told_of_every_event_once_its_row_is_written() -> None:
    ledger, first, second = FlakyLedger(), list[Event](), list[Event]()

    def note(event: Event) -> None:
        assert ledger.items  # the row is there before anybody is told
        first.append(event)

    recorder = Recorder(ledger, observers=[note, second.append])
    events = [entry(1), actuation(1), LOST, entry(2)]
    for event in events:
        recorder.offer(event)
    recorder.finish()
    recorder.run()
    assert first == second == events


def test_an_observer_that_fails_keeps_nobody_from_being_told_and_is_said_once() -> None:
    ledger, told, said = FlakyLedger(), list[Event](), list[str]()

    def broken(event: Event) -> None:
        raise ValueError("no such page at rtsp://user:secret@host/")

    listen(said.append)
    recorder = Recorder(ledger, observers=[broken, told.append])
    for item in range(3):
        recorder.offer(entry(item))
    recorder.finish()
    recorder.run()
    assert ledger.items == [0, 1, 2]
    assert told == [entry(item) for item in range(3)]
    (line,) = said
    assert "broken failed when it was told of an event (ValueError: no such page at" in line
    assert "secret" not in line


def test_of_every_kind_of_event_those_that_are_lost_are_counted() -> None:
    watched = Watched(capacity=3)
    watched.ledger.full = True
    for event in (entry(1), actuation(1), LOST, entry(2), LOST):
        watched.recorder.offer(event)
    recorder = watched.recorder
    assert (recorder.lost, recorder.lost_actuations, recorder.lost_others) == (1, 0, 1)
    assert (recorder.waiting, recorder.waiting_actuations, recorder.waiting_others) == (1, 1, 1)
    watched.end()
    assert (recorder.lost, recorder.lost_actuations, recorder.lost_others) == (2, 1, 2)
    assert watched.said[-1] == "LOST       5 rows so far: there was no room for them"


@pytest.mark.parametrize(
    ("missed", "said"),
    [
        (None, []),
        ("cooling", ["missed     item 7: left did not move: the actuator's coil had to cool"]),
        ("overdue", ["missed     item 7: left did not move: this machine was too busy to move "
                     "the actuator in time"]),
    ],
)  # fmt: skip
def test_what_became_of_an_actuation_is_written_and_a_missed_one_said(
    missed: str | None, said: list[str]
) -> None:
    watched = Watched()
    watched.recorder.offer(actuation(7, lane="left", missed=missed))
    watched.end()
    assert (watched.ledger.items, watched.shown, watched.said) == ([7], [], said)


def test_an_item_that_comes_too_late_to_its_actuator_is_said() -> None:
    watched = Watched()
    watched.recorder.offer(entry(3, actuation="missed", missed="late"))
    watched.end()
    assert watched.said == [
        "missed     item 3: metal did not move: the verdict came after the item had passed"
    ]


def test_rows_that_come_fast_are_written_together_and_the_first_at_once() -> None:
    watched = Watched(patience=Patience(commit=50))
    watched.thread.start()
    watched.recorder.offer(entry(0))
    watched.wait_for(lambda: watched.shown == [0])
    for item in range(1, 5):
        watched.recorder.offer(entry(item))
    watched.end()
    assert watched.ledger.commits == [1, 4]
    assert watched.shown == [0, 1, 2, 3, 4]


def test_the_first_item_does_not_wait_because_the_start_was_written_just_before() -> None:
    watched = Watched(patience=Patience(commit=50))
    watched.recorder.open()
    watched.thread.start()
    watched.recorder.offer(STARTED)
    watched.wait_for(lambda: watched.told == [STARTED])
    watched.recorder.offer(entry(0))
    watched.wait_for(lambda: watched.shown == [0])
    watched.recorder.offer(entry(1))
    watched.end()
    assert watched.ledger.commits == [0, 1, 1, 1]


def test_a_change_of_the_state_waits_for_nothing_and_takes_the_rows_before_it_along() -> None:
    watched = Watched(patience=Patience(commit=50))
    watched.thread.start()
    watched.recorder.offer(entry(0))
    watched.wait_for(lambda: watched.shown == [0])
    changed = StateChanged(*Stamps("a", lambda: 0.0).now(), "Stopped", "Maintenance", "")
    for event in (entry(1), changed, entry(2)):
        watched.recorder.offer(event)
    watched.wait_for(lambda: changed in watched.told)
    watched.recorder.offer(entry(3))
    watched.end()
    first, second, *_ = watched.ledger.commits
    assert (first, second >= 2, sum(watched.ledger.commits)) == (1, True, 5)
    assert watched.shown == [0, 1, 2, 3]


def a_state() -> StateChanged:
    return StateChanged(*Stamps("a", lambda: 0.0).now(), "Stopped", "Maintenance", "")


def test_whoever_waits_for_a_state_to_be_written_goes_on_once_it_is() -> None:
    watched = Watched(patience=PATIENT)
    assert watched.recorder.keeps_state(0)  # there is none
    watched.recorder.offer(a_state())
    assert not watched.recorder.keeps_state(0)
    watched.thread.start()
    assert watched.recorder.keeps_state(60)
    assert sum(watched.ledger.commits) == 1
    watched.end()


def test_a_state_in_the_spill_is_kept_and_one_in_memory_is_not(spill: Spill) -> None:
    for where, kept in ((spill, True), (None, False)):
        watched = Watched(patience=SOON, spill=where)
        watched.ledger.full = True
        watched.thread.start()
        changed = a_state()
        watched.recorder.offer(changed)
        watched.wait_for(lambda watched=watched, changed=changed: changed in watched.told)
        assert watched.recorder.keeps_state(0) is kept
        watched.end()
        assert watched.recorder.keeps_state(0) is kept


def test_a_state_for_which_there_is_no_room_is_never_kept() -> None:
    watched = Watched(patience=PATIENT, capacity=1)
    for event in (entry(0), a_state()):
        watched.recorder.offer(event)
    watched.thread.start()
    watched.wait_for(lambda: watched.shown == [0])
    assert not watched.recorder.keeps_state(0)
    watched.end()


def test_a_hundred_rows_do_not_wait_for_their_time() -> None:
    watched = Watched(patience=Patience(commit=50))
    watched.thread.start()
    watched.recorder.offer(entry(0))
    watched.wait_for(lambda: watched.shown == [0])
    for item in range(1, 101):
        watched.recorder.offer(entry(item))
    watched.wait_for(lambda: len(watched.shown) == 101)
    watched.end()
    assert watched.ledger.commits == [1, 100]


def test_rows_wait_in_the_spill_while_the_disk_is_full_and_are_added_after(spill: Spill) -> None:
    watched = Watched(patience=PATIENT, spill=spill)
    watched.ledger.full = True
    watched.thread.start()
    for item in range(5):
        watched.recorder.offer(entry(item))
    watched.wait_for(lambda: len(watched.shown) == 5)
    assert (watched.recorder.waiting, watched.recorder.spilled) == (0, 5)
    watched.recorder.offer(actuation(9))
    watched.ledger.full = False
    watched.wait_for(lambda: "can be written again" in watched.said[-1])
    watched.recorder.offer(entry(5))
    watched.end()
    assert watched.ledger.items == [0, 1, 2, 3, 4, 9, 5]
    assert watched.shown == [0, 1, 2, 3, 4, 5]
    assert (watched.recorder.lost, watched.recorder.spilled) == (0, 0)
    assert "the disk is full. Sorting goes on; rows wait in" in watched.said[0]
    assert len(watched.said) == 2
    assert not spill.path.exists()


@pytest.mark.parametrize("hangs", [False, True])
def test_an_outage_of_the_ledger_is_two_events_in_it_once_it_can_be_written(
    spill: Spill, hangs: bool
) -> None:
    ledger, changed = FlakyLedger(), threading.Condition()
    told: list[Event] = []

    def note(event: Event) -> None:
        with changed:
            told.append(event)
            changed.notify_all()

    recorder = Recorder(
        ledger,
        observers=[note],
        patience=SOON if hangs else PATIENT,
        stamps=Stamps("bin-1", lambda: 1_795_302_276.0),
    )
    recorder.add_spill(spill)
    ledger.full = not hangs
    if hangs:
        ledger.released.clear()
    thread = threading.Thread(target=recorder.run)
    thread.start()
    recorder.offer(entry(1))
    with changed:
        assert changed.wait_for(lambda: LedgerFailed in map(type, told), 60)
    ledger.full = False
    ledger.released.set()
    with changed:
        assert changed.wait_for(lambda: LedgerBack in map(type, told), 60)
    recorder.finish()
    thread.join(60)
    events = [event for event in ledger.events if not isinstance(event, ItemSorted)]
    assert [type(event) for event in events] == [LedgerFailed, LedgerBack]
    failed, back = events
    assert isinstance(failed, LedgerFailed)
    assert failed.reason == ("no answer for 0.02 seconds" if hangs else "the disk is full")
    assert isinstance(back, LedgerBack)
    assert back.failed_seconds > 0
    assert ledger.items == [1]


def test_a_disk_that_hangs_is_said_at_once_and_its_rows_are_safe(spill: Spill) -> None:
    watched = Watched(patience=SOON, spill=spill)
    watched.ledger.released.clear()
    watched.thread.start()
    watched.recorder.offer(entry(0))
    assert watched.ledger.hanging.wait(60)
    watched.recorder.offer(entry(1))
    watched.wait_for(lambda: watched.shown == [0, 1])
    assert "the ledger has not answered for 0.02 seconds" in watched.said[0]
    assert watched.recorder.spilled == 2
    assert watched.recorder.ledger_fails
    watched.ledger.released.set()  # the row under way is written, and is in the spill as well
    watched.wait_for(lambda: "can be written again" in watched.said[-1])
    watched.wait_for(lambda: not watched.recorder.ledger_fails)
    watched.end()
    assert watched.ledger.items == [0, 1]
    assert not spill.path.exists()


def test_a_station_ends_soon_where_the_disk_hangs_and_the_next_start_has_its_rows(
    spill: Spill,
) -> None:
    watched = Watched(patience=SOON, spill=spill)
    watched.ledger.released.clear()
    watched.thread.start()
    for item in range(3):
        watched.recorder.offer(entry(item))
    watched.end()
    try:
        assert (watched.recorder.lost, watched.recorder.spilled) == (0, 3)
        assert "the rows of 3 items wait in" in watched.said[-1]
        after = Watched(spill=Spill(spill.path))
        after.recorder.offer(entry(3))
        assert "rows of 3 items of an earlier run wait in" in after.said[0]
        after.end()
        assert after.ledger.items == [0, 1, 2, 3]
        assert after.shown == [3]  # the others were shown before
        assert not spill.path.exists()
    finally:
        watched.ledger.released.set()


def test_where_the_spill_is_full_too_rows_wait_in_memory_and_then_are_lost_and_said(
    tmp_path: Path,
) -> None:
    watched = Watched(patience=PATIENT, spill=Spill(tmp_path / "spill", limit=1000), capacity=4)
    watched.ledger.full = True
    watched.thread.start()
    for item in range(12):
        watched.recorder.offer(entry(item))
        kept = watched.recorder
        watched.wait_for(lambda: len(watched.shown) + kept.lost > item)  # noqa: B023
    watched.wait_for(lambda: any("LOST" in said for said in watched.said))
    watched.end()
    recorder = watched.recorder
    assert recorder.spilled > 0
    assert recorder.lost > 0
    assert recorder.spilled + recorder.lost == 12
    assert sum("it is full" in said for said in watched.said) == 1


def test_a_crowd_of_rows_makes_way_for_more_by_going_to_the_spill(spill: Spill) -> None:
    watched = Watched(spill=spill, capacity=10)
    for item in range(10):
        watched.recorder.offer(entry(item))
    watched.ledger.released.clear()
    watched.thread.start()
    watched.wait_for(lambda: len(watched.shown) == 10)
    watched.ledger.released.set()
    watched.end()
    assert watched.ledger.items == list(range(10))


def test_the_recorders_thread_gives_signs_of_life_while_the_disk_hangs() -> None:
    watched = Watched(patience=SOON)
    assert watched.recorder.heartbeat.silent_seconds == 0
    watched.ledger.released.clear()
    watched.thread.start()
    watched.recorder.offer(entry(0))
    watched.wait_for(lambda: watched.shown == [0])
    assert watched.recorder.heartbeat.silent_seconds < 15
    watched.ledger.released.set()
    watched.end()
    assert watched.recorder.heartbeat.silent_seconds == 0


@pytest.mark.parametrize("kind", [LedgerInUseError, LedgerVersionError])
def test_a_ledger_that_a_person_must_see_to_is_refused_at_the_start(
    kind: type[LedgerError], monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched()

    def refusing(rows: Sequence[Event]) -> None:
        raise kind("no")

    monkeypatch.setattr(watched.ledger, "append", refusing)
    with pytest.raises(kind):
        watched.recorder.open()
    watched.recorder.flush()
    assert watched.said == []


def test_a_ledger_that_cannot_be_opened_now_is_no_reason_not_to_sort() -> None:
    watched = Watched(patience=PATIENT)
    watched.ledger.full = True
    watched.recorder.open()
    watched.thread.start()
    watched.wait_for(lambda: len(watched.said) == 1)
    watched.ledger.full = False
    watched.recorder.offer(entry(1))
    watched.end()
    assert watched.ledger.items == [1]
    assert watched.recorder.lost == 0
