"""Each item and each scan by hand gets one answer, and each piece counts once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.receiving.code import is_same_code
from edge.receiving.delivery import Line
from edge.receiving.events import (
    CountCorrected,
    CountUndone,
    DeliveryEvent,
    PictureDisagreed,
    PieceCounted,
    PutAside,
    cause_of,
)
from edge.receiving.pieces.answers import HandScan, SeenItem
from edge.receiving.state import undone_ids
from tests.edge.receiving.goods_lists import BOX
from tests.edge.receiving.pieces.bench import (
    ADIDAS,
    LINES,
    NIKE,
    PACK_OF_NIKE,
    PHONE,
    TRAINED,
    Bench,
)
from tests.edge.receiving.test_state import plainly

UNKNOWN_CODE = "96385074"


@pytest.mark.parametrize(
    ("label", "codes", "values", "answer", "counts"),
    [
        ("adidas", (), {}, "counted", [1, 0, 0]),
        ("adidas", (ADIDAS,), {}, "counted", [1, 0, 0]),
        ("nike", (PACK_OF_NIKE,), {"quantity": 6}, "counted as a pack", [0, 6, 0]),
        ("nike", (ADIDAS,), {}, "picture says otherwise", [0, 0, 0]),
        ("nike", (ADIDAS,), {"accepted": False, "reject": "contradicted"},
         "picture says otherwise", [0, 0, 0]),
        ("adidas", (UNKNOWN_CODE,), {}, "not on this delivery", [0, 0, 0]),
        ("adidas", (UNKNOWN_CODE, ADIDAS), {}, "counted", [1, 0, 0]),
        ("adidas", (ADIDAS, NIKE), {}, "not on this delivery", [0, 0, 0]),
        # The model knows no phones: what it takes one for says nothing.
        ("nike", (PHONE,), {}, "counted", [0, 0, 1]),
        ("nike", (PHONE,), {"accepted": False, "reject": "unknown"}, "counted", [0, 0, 1]),
        ("adidas", (ADIDAS,), {"accepted": False, "reject": "unknown"},
         "not on this delivery", [0, 0, 0]),
        ("adidas", (), {"accepted": False, "reject": "late"}, "not on this delivery", [0, 0, 0]),
        ("glove", (), {}, "not on this delivery", [0, 0, 0]),
        # It went where contradicted items go, and what was announced has changed since.
        ("adidas", (ADIDAS,), {"accepted": False, "reject": "contradicted"},
         "not on this delivery", [0, 0, 0]),
        ("adidas", (BOX, ADIDAS), {}, "not on this delivery", [0, 0, 0]),
    ],
)  # fmt: skip
def test_an_item_is_answered(
    label: str, codes: tuple[str, ...], values: dict[str, object], answer: str, counts: list[int]
) -> None:
    bench = Bench()
    assert bench.see(label, *codes, **values) == answer
    assert bench.counts == counts


def test_where_codes_count_an_item_without_one_does_not() -> None:
    bench = Bench(by_label=False)
    assert bench.see("adidas") == "nothing"
    assert bench.see("adidas", ADIDAS) == "counted"
    assert bench.counts == [1, 0, 0]


@pytest.mark.parametrize("camera", [(), (ADIDAS,)], ids=["no code in the picture", "both"])
@pytest.mark.parametrize("scan_is_first", [True, False])
@pytest.mark.parametrize("by_label", [True, False])
def test_a_piece_that_is_seen_and_scanned_counts_once(
    camera: tuple[str, ...], scan_is_first: bool, by_label: bool
) -> None:
    bench = Bench(by_label=by_label)
    for _ in range(3):
        if scan_is_first:
            bench.scan(ADIDAS)
            bench.seconds += 1
            bench.see("adidas", *camera)
        else:
            bench.see("adidas", *camera)
            bench.seconds += 1
            bench.scan(ADIDAS)
        bench.seconds += 5
    assert bench.counts == [3, 0, 0]
    assert bench.state.count(1).seen == 3


@pytest.mark.parametrize("scan_is_first", [True, False])
def test_a_scan_that_the_picture_contradicts_counts_nothing(scan_is_first: bool) -> None:
    bench = Bench()
    if scan_is_first:
        assert bench.scan(ADIDAS) == "counted"
        assert bench.see("nike") == "picture says otherwise"
    else:
        assert bench.see("nike") == "counted"
        assert bench.scan(ADIDAS) == "picture says otherwise"
    assert bench.counts == [0, 0, 0]
    assert len(bench.state.disagreements) == 1


@pytest.mark.parametrize("scan_is_first", [True, False])
def test_the_code_of_a_container_is_of_no_piece_beside_it(scan_is_first: bool) -> None:
    bench = Bench(lines=[replace(LINES[0], container=BOX), *LINES[1:]])
    steps: list[Callable[[], str]] = [
        lambda: bench.scan(f"(00){BOX}"),
        lambda: bench.see("adidas"),
    ]
    for step in steps if scan_is_first else steps[::-1]:
        step()
    assert bench.counts == [1, 0, 0]
    assert bench.state.container == BOX


def test_far_apart_or_of_another_code_they_are_two_pieces() -> None:
    bench = Bench()
    bench.see("adidas", ADIDAS)
    bench.seconds += 2.1
    bench.scan(ADIDAS)
    bench.scan(NIKE)
    bench.see("adidas", ADIDAS)  # goes with the one scan that nothing goes with yet
    assert bench.counts == [2, 1, 0]
    apart = Bench(pair_seconds=0)
    apart.see("adidas", ADIDAS)
    apart.scan(ADIDAS)
    assert apart.counts == [2, 0, 0]


def test_a_scan_that_has_its_item_goes_with_no_other_where_codes_count() -> None:
    bench = Bench(by_label=False)
    assert bench.see("adidas") == "nothing"
    assert bench.scan(ADIDAS) == "counted"
    assert bench.see("nike") == "nothing"  # the next box
    bench.restart()
    assert bench.scan(NIKE) == "counted"
    assert bench.counts == [1, 1, 0]


def test_an_item_that_has_its_scan_goes_with_no_other_after_a_restart() -> None:
    bench = Bench(by_label=False)
    bench.see("adidas")
    bench.scan(ADIDAS)
    bench.scan(ADIDAS)
    before = list(bench.events)
    bench.restart()
    assert bench.events == before


@pytest.mark.parametrize("back", [40.0, 3600.0])
def test_pieces_are_told_apart_after_the_clock_was_set_back(back: float) -> None:
    bench = Bench()
    bench.see("adidas")
    bench.seconds -= back  # the ids stay at the latest millisecond from here on
    bench.scan(ADIDAS)
    bench.seconds += 10
    bench.see("adidas")
    assert bench.counts == [3, 0, 0]
    bench.seconds += 1
    bench.scan(ADIDAS)  # the same box
    assert bench.counts == [3, 0, 0]


def test_the_scan_of_a_rejected_item_counts_it_and_takes_it_off_the_list() -> None:
    bench = Bench()
    bench.see("adidas", ADIDAS, accepted=False, reject="low_confidence")
    bench.seconds += 600
    assert [aside.reason for aside in bench.state.asides] == [
        "the station rejected it (low_confidence): scan its code by hand"
    ]
    assert bench.scan(ADIDAS) == "counted"
    assert (bench.counts, bench.state.asides) == ([1, 0, 0], ())


def test_a_stopped_item_stays_stopped_however_often_it_is_scanned() -> None:
    bench = Bench()
    bench.see("nike", ADIDAS)
    for _ in range(2):
        bench.seconds += 600
        assert bench.scan(ADIDAS) == "picture says otherwise"
    assert (bench.counts, len(bench.state.disagreements)) == ([0, 0, 0], 1)
    assert bench.scan(NIKE) == "counted"


def test_a_code_of_several_lines_is_put_aside_until_somebody_chooses() -> None:
    lines = [Line(number=n, sku=f"A{n}", gtin=ADIDAS.zfill(14), expected=1) for n in (1, 2)]
    bench = Bench(lines=lines)
    assert bench.scan(ADIDAS) == "not on this delivery"
    assert bench.state.asides[0].reason == "lines 1, 2 have its code: choose one"


# Whatever order things come in

CODES = (ADIDAS, NIKE, PACK_OF_NIKE, PHONE, UNKNOWN_CODE)
STEPS = st.one_of(
    st.tuples(
        st.just("item"),
        st.tuples(
            st.sampled_from(TRAINED),
            st.sampled_from([(), *((code,) for code in CODES)]),
            st.booleans(),
        ),
    ),
    st.tuples(st.just("late item"), st.sampled_from(TRAINED)),
    st.tuples(st.just("scan"), st.sampled_from(CODES)),
    st.tuples(st.just("wait"), st.sampled_from([0.5, 1.5, 4.0])),
    st.tuples(st.just("correct"), st.integers(0, 4)),
    st.tuples(st.just("undo"), st.integers(0, 30)),
    st.tuples(st.just("restart"), st.just(0)),
)


def carry_out(bench: Bench, what: str, value: object, late: list[SeenItem]) -> None:
    """One step; `late` has the items whose code is not known yet."""
    if what == "item":
        label, codes, accepted = value  # type: ignore[misc]
        reject = None if accepted else "unknown"
        bench.answer(bench.item(label, *codes, accepted=accepted, reject=reject))
    elif what == "late item":
        late.append(bench.item(str(value), ADIDAS))
    elif what == "scan":
        bench.scan(str(value))
    elif what == "wait":
        bench.seconds += value  # type: ignore[operator]
        while late:
            bench.answer(late.pop())
    elif what == "restart":
        late.clear()
        bench.restart()
    elif what == "correct":
        was = bench.state.count(1).counted
        event = CountCorrected(
            *bench.stamp(), "D1", "clerk", line=1, figure="counted", was=was, now=value, why="x"
        )  # type: ignore[arg-type]
        bench.events.append(event)
    else:
        gone = undone_ids(bench.events)
        live = [event for event in bench.events[2:] if event.id not in gone]
        if live:
            undone = live[value % len(live)].id  # type: ignore[operator]
            bench.events.append(CountUndone(*bench.stamp(), "D1", "clerk", undone=undone))


@settings(max_examples=150)
@given(st.booleans(), st.lists(STEPS, max_size=25))
def test_whatever_comes_in_whatever_order_the_counts_are_those_of_the_rows(
    by_label: bool, steps: Sequence[tuple[str, object]]
) -> None:
    bench, late = Bench(by_label=by_label), list[SeenItem]()
    for what, value in steps:
        carry_out(bench, what, value, late)
    bench.restart()
    before = list(bench.events)
    bench.restart()
    assert bench.events == before  # all is answered, and once

    reckoned = plainly(bench.events)
    assert bench.counts == [reckoned[line.number][0] for line in LINES]

    causes = {cause.id: cause for cause in bench.causes}
    answers = [event for event in bench.events if cause_of(event) is not None]
    assert len({cause_of(event) for event in answers}) == len(answers)
    uncounted = {
        key for key, one in causes.items()
        if isinstance(one, SeenItem) and not one.codes and not by_label
    }  # fmt: skip
    assert causes.keys() - {cause_of(event) for event in answers} <= uncounted

    gone = undone_ids(bench.events)
    by_person = {
        event.undone for event in bench.events
        if isinstance(event, CountUndone) and event.by != "station"
    }  # fmt: skip
    for event in answers:
        check_picture(event, causes)
        if isinstance(event, PieceCounted) and event.id not in gone:
            assert event.pieces == (6 if event.packs else 1)
    if not by_person:
        check_pairs(bench, answers, gone)


def check_picture(event: DeliveryEvent, causes: dict[str, SeenItem | HandScan]) -> None:
    """What the picture contradicts is counted by no event."""
    item_id = getattr(event, "item_id", None)
    if isinstance(event, PieceCounted) and item_id is not None:
        seen = causes[item_id]
        assert isinstance(seen, SeenItem)
        line = LINES[event.line - 1]
        assert not (seen.item.accepted and line.label in TRAINED and seen.item.label != line.label)


def check_pairs(bench: Bench, answers: Sequence[DeliveryEvent], gone: object) -> None:
    """Each item and each scan is of one event that counts: of one item at most, and of one scan,
    or of several where the station stopped the item or put it aside."""
    assert isinstance(gone, set | frozenset)
    causes = {cause.id: cause for cause in bench.causes}
    by_id = {event.id: event for event in bench.events}
    live = [event for event in answers if event.id not in gone]
    assert all(isinstance(event, PieceCounted | PutAside | PictureDisagreed) for event in live)
    told: list[str] = []
    for event in live:
        chain = [event]
        while (replaced := getattr(chain[-1], "replaces", None)) is not None:
            chain.append(by_id[replaced])
        keys = {cause_of(one) for one in chain} | {getattr(one, "item_id", None) for one in chain}
        members = [causes[key] for key in keys if key is not None]
        told += [one.id for one in members]
        items = [one for one in members if isinstance(one, SeenItem)]
        scans = [one for one in members if isinstance(one, HandScan)]
        assert len(items) <= 1
        for seen in items:
            assert not seen.codes or all(
                any(is_same_code(code, hand.code) for code in seen.codes) for hand in scans
            )
        if len(scans) > 1:
            assert any(isinstance(one, PutAside | PictureDisagreed) for one in chain[1:])
    assert len(told) == len(set(told))
