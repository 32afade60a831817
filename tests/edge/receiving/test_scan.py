"""What each scan is answered, and that it is answered by one thing only."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.core.errors import UsageError
from edge.receiving.code import read_code
from edge.receiving.delivery import Line
from edge.receiving.events import DeliveryImported
from edge.receiving.reports.difference import as_json
from edge.receiving.scan import Answer, Reply, Scan, answer, answer_to_item
from edge.receiving.state import DeliveryState, advance
from tests.edge.receiving.goods_lists import (
    BOX,
    LINES,
    OTHER_BOX,
    PACK_OF_SHOES,
    SHOE,
    SOCK,
    UNKNOWN,
    counting,
)


def announced(*lines: Line) -> DeliveryState:
    """A delivery of which nothing was counted."""
    event = DeliveryImported("id", "time", "door", "D1", "clerk", lines=lines or LINES)
    state = advance(None, [event])
    assert state is not None
    return state


def scanned(text: str, **values: object) -> Answer:
    """The answer to a code, with LINES expected and nothing counted."""
    return answer(announced(), Scan(code=read_code(text), **values))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "reply", "lines", "pieces"),
    [
        (SHOE, Reply.COUNTED, [1], 1),
        ("sh", Reply.COUNTED, [1], 1),
        (PACK_OF_SHOES, Reply.PACK, [1], 6),
        (SOCK, Reply.SEVERAL, [2, 3], 0),
        ("(01)00000096385074(10)L8", Reply.COUNTED, [3], 1),
        ("S2", Reply.COUNTED, [4], 1),
        (UNKNOWN, Reply.NOT_HERE, [], 0),
        ("S3", Reply.NOT_HERE, [], 0),
        (BOX, Reply.NOT_HERE, [], 0),
        ("]C1", Reply.NOT_HERE, [], 0),  # a symbology identifier and nothing behind it
    ],
)
def test_a_code_is_answered(text: str, reply: Reply, lines: list[int], pieces: int) -> None:
    found = scanned(text)
    assert found.reply is reply
    assert [line.number for line in found.lines] == lines
    assert found.pieces == pieces


def test_a_quantity_counts_pieces_or_packs() -> None:
    assert scanned(SHOE, times=3).pieces == 3
    assert scanned(PACK_OF_SHOES, times=3).pieces == 18


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("]C1", "it has no code"),
        (UNKNOWN, f"no line has the GTIN 0{UNKNOWN}"),
        ("S3", "no line has the code S3, which is no GTIN with a right check digit"),
        (BOX, f"the container {BOX} was not announced"),
    ],
)
def test_what_is_put_aside_says_why(text: str, reason: str) -> None:
    assert scanned(text).reason == reason


def test_several_lines_are_told_with_their_numbers() -> None:
    assert scanned(SOCK).words(announced()) == (
        "several lines: choose one of line 2: SO-7, lot L7; line 3: SO-8, lot L8. "
        "Nothing was counted"
    )


def test_a_serial_number_that_was_not_announced_is_put_aside() -> None:
    line = Line(number=1, sku="SH", gtin=f"0{SHOE}", expected=1, serials=("S1",))
    found = answer(announced(line), Scan(code=read_code(f"(01)0{SHOE}(21)S2")))
    assert found.reply is Reply.NOT_HERE
    assert found.reason == "the serial number S2 of SH was not announced"


def test_a_line_that_was_chosen_answers_several_lines() -> None:
    assert scanned(SOCK, line=3).lines == (LINES[2],)
    with pytest.raises(UsageError, match="line 1 has another code than 96385074, which is on line"):
        scanned(SOCK, line=1)
    with pytest.raises(UsageError, match="has no line 9"):
        scanned(SOCK, line=9)


def test_a_pack_whose_size_is_not_known_is_put_aside() -> None:
    line = Line(number=1, sku="A", gtin="04006381333931", expected=1)
    found = answer(announced(line), Scan(code=read_code(PACK_OF_SHOES)))
    assert found.reply is Reply.NOT_HERE
    assert "whose size was not announced" in found.reason


def test_a_pack_may_have_a_code_of_its_own() -> None:
    line = Line(number=1, sku="A", pack_gtin="05901234123457", pack_size=4, expected=8)
    assert answer(announced(line), Scan(code=read_code(UNKNOWN))).pieces == 4


def test_another_thing_on_the_picture_stops() -> None:
    assert scanned(SHOE, seen="adidas").reply is Reply.COUNTED
    found = scanned(SHOE, seen="sock")
    assert found.reply is Reply.STOP
    assert found.words(announced()).startswith(
        "STOP: the code says adidas (SH), but the picture shows sock"
    )


def test_serial_numbers_are_ticked_off_once(tmp_path: Path) -> None:
    with counting(tmp_path) as desk:
        first, state = desk.scan(None, Scan(code=read_code("S1")))
        again, state = desk.scan(None, Scan(code=read_code("S1")))
        assert (first.reply, again.reply) == (Reply.COUNTED, Reply.NOT_HERE)
        assert again.reason == "the serial number S1 was counted before"
        assert state.count(4).counted == 1
        desk.undo(None, None)
        _, state = desk.undo(None, None)
        assert state.count(4).serials == frozenset()
        assert desk.scan(None, Scan(code=read_code("S1")))[0].reply is Reply.COUNTED
        with pytest.raises(UsageError, match="a serial number is one piece"):
            desk.scan(None, Scan(code=read_code("S2"), times=2))


def test_a_container_tells_which_line_its_contents_are_of(tmp_path: Path) -> None:
    lines = [
        Line(number=n, sku="A", gtin="04006381333931", expected=1, container=sscc)
        for n, sscc in ((1, BOX), (2, OTHER_BOX))
    ]
    with counting(tmp_path, *lines) as desk:
        assert desk.scan(None, Scan(code=read_code(SHOE)))[0].reply is Reply.SEVERAL
        found, state = desk.scan(None, Scan(code=read_code(OTHER_BOX)))
        assert found.words(state) == f"container {OTHER_BOX} (1 of 2): scan its contents"
        _, state = desk.scan(None, Scan(code=read_code(SHOE)))
        assert [state.count(n).counted for n in (1, 2)] == [0, 1]


@pytest.mark.parametrize(
    ("seen", "rejected", "reply", "reason"),
    [
        ("adidas", None, Reply.COUNTED, ""),
        ("sock", None, Reply.NOT_HERE, "2 lines have the label sock: scan its code"),
        ("glove", None, Reply.NOT_HERE, "no line has the label glove"),
        ("adidas", "unknown", Reply.NOT_HERE, "the station rejected it (unknown)"),
    ],
)
def test_an_item_that_was_seen_is_answered(
    seen: str, rejected: str | None, reply: Reply, reason: str
) -> None:
    found = answer_to_item(announced(), Scan(seen=seen, item_id="i"), rejected=rejected)
    assert (found.reply, found.reason) == (reply, reason)


def test_the_answer_of_a_blind_delivery_says_no_expected_figure(tmp_path: Path) -> None:
    with counting(tmp_path, blind=True) as desk:
        found, state = desk.scan(None, Scan(code=read_code(SHOE), times=9))
        assert found.words(state) == "counted 9 pieces: SH, 9 now"


def test_the_containers_of_a_blind_delivery_are_not_counted_up(tmp_path: Path) -> None:
    line = Line(number=1, sku="A", expected=1, container=BOX)
    with counting(tmp_path, line, blind=True) as desk:
        assert as_json(desk.known("D1"))["containers_missing"] is None
        found, state = desk.scan(None, Scan(code=read_code(BOX)))
        assert found.words(state) == f"container {BOX}: scan its contents"
