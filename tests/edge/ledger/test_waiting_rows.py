from __future__ import annotations

from edge.events import ActuationEnded, Event, ItemSorted
from edge.ledger.losses import Losses
from edge.ledger.waiting_rows import WaitingRows
from edge.runtime.clock import SYSTEM_CLOCK
from tests.edge.ledger.entries import actuation, entry


def waiting(*rows: Event, capacity: int = 100) -> tuple[WaitingRows, Losses]:
    losses = Losses(clock=SYSTEM_CLOCK.now)
    found = WaitingRows(SYSTEM_CLOCK.condition(), capacity, losses)
    for row in rows:
        found.offer(row)
    return found, losses


def test_rows_come_out_in_the_order_they_were_offered_in() -> None:
    rows, _ = waiting(entry(1), entry(2))
    rows.take()
    rows.offer(entry(3))
    assert (list(rows.taken), rows.offered, len(rows)) == ([entry(1), entry(2)], True, 3)
    rows.take()
    assert rows.first(2) == [entry(1), entry(2)]
    assert rows.drop(2) == [entry(1), entry(2)]
    assert (list(rows.taken), rows.offered, len(rows)) == ([entry(3)], False, 1)


def test_both_those_that_were_taken_and_those_that_were_not_count() -> None:
    rows, _ = waiting(entry(1), actuation(1))
    rows.take()
    rows.offer(entry(2))
    assert [rows.count(kind) for kind in (ItemSorted, ActuationEnded, Event)] == [2, 1, 3]


def test_what_finds_no_room_is_lost_and_what_was_there_stays() -> None:
    rows, losses = waiting(entry(1), entry(2), actuation(2), entry(3), capacity=2)
    rows.take()
    rows.offer(entry(4))
    assert list(rows.taken) == [entry(1), entry(2)]
    assert (losses.items, losses.actuations) == (2, 1)


def test_more_than_half_of_the_room_is_a_crowd() -> None:
    rows, _ = waiting(entry(1), entry(2), capacity=4)
    rows.take()
    assert not rows.is_crowded
    rows.offer(entry(3))
    assert not rows.is_crowded
    rows.take()
    assert rows.is_crowded


def test_observers_are_told_of_each_row_once() -> None:
    rows, _ = waiting(entry(1), entry(2))
    rows.take()
    assert rows.tell_all() == [entry(1), entry(2)]
    rows.offer(entry(3))
    rows.take()
    assert rows.drop(1) == []
    assert rows.tell_all() == [entry(3)]
    rows.offer(entry(4))
    rows.take()
    assert rows.drop(3) == [entry(4)]
