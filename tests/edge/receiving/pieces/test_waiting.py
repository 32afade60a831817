from __future__ import annotations

from edge.receiving.code import read_code
from edge.receiving.pieces.answers import SeenItem
from edge.receiving.pieces.waiting import WaitingPieces
from edge.runtime.clock import SYSTEM_CLOCK
from tests.edge.receiving.pieces.bench import ADIDAS, Bench

CODES = (read_code(ADIDAS),)


def test_of_codes_that_belong_to_no_delivery_the_latest_are_kept() -> None:
    waiting, bench = WaitingPieces(SYSTEM_CLOCK, 2), Bench()
    items = [bench.item("adidas") for _ in range(5)]
    for item in items:
        waiting.know(item.id, CODES)
    known = [cause for cause in waiting.with_codes(items) if isinstance(cause, SeenItem)]
    assert [cause.codes for cause in known] == [(), (), (), CODES, CODES]


def test_the_oldest_are_left_out_where_there_is_no_room_and_that_is_told_once() -> None:
    waiting, bench = WaitingPieces(SYSTEM_CLOCK, 2), Bench()
    items = [bench.item("adidas") for _ in range(3)]
    for item in items:
        waiting.add(item, urgent=False)
    assert waiting.ready(10) == items[1:]
    assert [waiting.overflowed(), waiting.overflowed()] == [True, False]


def test_an_item_that_is_looked_at_for_codes_is_ready_when_they_are_known() -> None:
    waiting, bench = WaitingPieces(SYSTEM_CLOCK, 2), Bench()
    first, second = bench.item("adidas"), bench.item("adidas")
    waiting.expect(first.id)
    for item in (first, second):
        waiting.add(item, urgent=False)
    assert waiting.ready(10) == [second]
    waiting.know(first.id, CODES)
    assert waiting.ready(10) == [SeenItem(first.item, CODES), second]
    waiting.done({first.id})
    assert waiting.coming() == {second.id}
