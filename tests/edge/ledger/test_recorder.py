from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from edge.errors import LedgerError
from edge.ledger.ledger import Actuation, Entry, Row
from edge.ledger.recorder import Recorder
from tests.edge.ledger.entries import entry


class FlakyLedger:
    """A ledger on a disk that may be full."""

    def __init__(self) -> None:
        self.full = False
        self.items: list[int] = []
        self.refused = threading.Event()

    def append(self, rows: Sequence[Row]) -> None:
        if self.full:
            self.refused.set()
            raise LedgerError("the disk is full")
        self.items += [row.item for row in rows]


class Watched:
    """A recorder with what it showed and said."""

    def __init__(self, *, capacity: int = 1000) -> None:
        self.ledger = FlakyLedger()
        self.shown: list[int] = []
        self.said: list[str] = []
        self.recorder = Recorder(
            self.ledger,
            show=lambda entry: self.shown.append(entry.item),
            say=self.said.append,
            capacity=capacity,
        )

    def end(self) -> None:
        self.recorder.finish()
        self.recorder.run()
        self.recorder.flush()


def test_every_entry_is_written_and_shown_once_in_order() -> None:
    watched = Watched()
    thread = threading.Thread(target=watched.recorder.run)
    thread.start()
    for item in range(250):
        watched.recorder.offer(entry(item))
    watched.recorder.finish()
    thread.join(10)
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
    assert len(watched.said) == 1
    assert "the disk is full. Sorting goes on" in watched.said[0]


def test_rows_that_waited_are_written_when_there_is_room_again() -> None:
    watched = Watched()
    watched.ledger.full = True
    for item in range(150):
        watched.recorder.offer(entry(item))
    thread = threading.Thread(target=watched.recorder.run)
    thread.start()
    assert watched.ledger.refused.wait(10)
    watched.ledger.full = False
    watched.recorder.offer(entry(150))
    watched.recorder.finish()
    thread.join(10)
    assert watched.ledger.items == watched.shown == list(range(151))
    assert watched.recorder.lost == 0
    assert watched.said[1:] == ["the ledger can be written again"]


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

    def broken(entry: Entry) -> None:
        raise BrokenPipeError

    recorder = Recorder(ledger, show=broken, say=print)
    recorder.offer(entry(1))
    with pytest.raises(BrokenPipeError):
        recorder.run()
    recorder.offer(entry(2))
    recorder.flush()
    assert ledger.items == [1, 2]


@pytest.mark.parametrize(
    ("missed", "said"),
    [
        (None, []),
        ("cooling", ["missed     item 7: left did not move: its coil had to cool"]),
        ("overdue", ["missed     item 7: left did not move: this machine was too busy to move it "
                     "in time"]),
    ],
)  # fmt: skip
def test_what_became_of_an_actuation_is_written_and_a_missed_one_said(
    missed: str | None, said: list[str]
) -> None:
    watched = Watched()
    moment = "2026-11-21T23:04:36.123456Z"
    watched.recorder.offer(Actuation("bin-1", moment, 7, "left", moment, missed))
    watched.end()
    assert (watched.ledger.items, watched.shown, watched.said) == ([7], [], said)


def test_an_item_that_comes_too_late_to_its_actuator_is_said() -> None:
    watched = Watched()
    watched.recorder.offer(entry(3, actuation="missed", missed="late"))
    watched.end()
    assert watched.said == [
        "missed     item 3: metal did not move: the item had passed when its verdict was there"
    ]
