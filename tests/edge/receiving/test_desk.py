"""From announced to closed and reopened, and what is refused on the way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edge.core.errors import DeliveryRefusedError, UsageError
from edge.receiving.code import read_code
from edge.receiving.desk import Desk
from edge.receiving.scan import Scan
from edge.receiving.state import Phase
from tests.edge.receiving.goods_lists import LINES, SHOE, UNKNOWN, counting, desk_at, goods

SHOES, PHONES = LINES[0], LINES[3]
TWO_SHOES = replace(SHOES, expected=2)


def count(desk: Desk, *texts: str) -> None:
    for text in texts:
        desk.scan(None, Scan(code=read_code(text)))


def test_the_same_list_twice_changes_nothing(tmp_path: Path) -> None:
    with desk_at(tmp_path) as desk:
        assert desk.import_goods([goods()], "a.csv") == [("D1", "new")]
        assert desk.import_goods([goods()], "b.csv") == [("D1", "unchanged")]
        assert len(desk.deliveries.events("D1")) == 1
        assert desk.import_goods([goods(TWO_SHOES)], "c.csv") == [("D1", "changed")]
        assert desk.known("D1").lines == (TWO_SHOES,)


def test_another_list_for_an_opened_delivery_is_refused_with_what_differs(tmp_path: Path) -> None:
    with counting(tmp_path) as desk:
        with pytest.raises(DeliveryRefusedError) as caught:
            desk.import_goods([goods(delivery="D2"), goods(TWO_SHOES, *LINES[1:3])], "b.csv")
        assert "SH: expected was 8, is 2" in str(caught.value)
        assert "PHONE is missing" in str(caught.value)
        more = replace(SHOES, number=5, sku="HAT")
        with pytest.raises(DeliveryRefusedError) as caught:
            desk.import_goods([goods(*LINES, more, blind=True)], "b.csv")
        assert "HAT is new" in str(caught.value)
        assert "it was not blind" in str(caught.value)
        assert desk.deliveries.names() == ["D1"]  # nothing is half imported


def test_what_differs_of_a_blind_delivery_is_said_without_figures(tmp_path: Path) -> None:
    with counting(tmp_path, SHOES, blind=True) as desk:
        with pytest.raises(DeliveryRefusedError) as caught:
            desk.import_goods([goods(TWO_SHOES, blind=True)], "b.csv")
        assert "SH: expected differs" in str(caught.value)


def test_one_delivery_is_counted_at_a_time_and_can_be_gone_back_to(tmp_path: Path) -> None:
    with counting(tmp_path) as desk:
        desk.import_goods([goods(delivery="D2")], "b.csv")
        desk.open("D2")
        count(desk, SHOE)
        desk.open("D1")
        count(desk, SHOE, SHOE)
        assert [desk.known(name).count(1).counted for name in ("D1", "D2")] == [2, 1]


@pytest.mark.parametrize(
    ("scans", "outcome"),
    [((SHOE, SHOE), "complete"), ((SHOE,), "short"), ((SHOE,) * 3, "over")],
)
def test_it_is_closed_as(tmp_path: Path, scans: tuple[str, ...], outcome: str) -> None:
    with counting(tmp_path, TWO_SHOES) as desk:
        count(desk, *scans)
        state, _ = desk.close(None, as_counted=False, back_order=True)
        assert state.phase is (Phase.CLOSED if outcome == "complete" else Phase.CHECKED)
        if state.phase is Phase.CHECKED:
            state, _ = desk.close(None, as_counted=True, back_order=True)
        assert (state.phase, state.outcome) == (Phase.CLOSED, outcome)
        assert state.back_order == ("D1-B1" if outcome == "short" else None)


def test_what_is_counted_after_the_check_must_be_checked_again(tmp_path: Path) -> None:
    with counting(tmp_path, TWO_SHOES) as desk:
        desk.close(None, as_counted=False, back_order=True)
        count(desk, SHOE)
        assert desk.known("D1").phase is Phase.COUNTING
        desk.close(None, as_counted=False, back_order=True)
        desk.undo(None, None)
        assert desk.known("D1").phase is Phase.COUNTING


@pytest.mark.parametrize("odd", [UNKNOWN, "damaged"])
def test_what_is_complete_and_still_differs_is_not_closed_by_itself(
    tmp_path: Path, odd: str
) -> None:
    with counting(tmp_path, TWO_SHOES) as desk:
        count(desk, SHOE, SHOE)
        if odd == "damaged":
            desk.correct(None, "SH", "damaged", 1, "torn")
        else:
            count(desk, odd)
        assert desk.close(None, as_counted=False, back_order=True)[0].phase is Phase.CHECKED


def test_the_back_order_has_what_is_missing(tmp_path: Path) -> None:
    with counting(tmp_path, SHOES, replace(PHONES, number=2)) as desk:
        count(desk, SHOE, "S2")
        _, rest = desk.close(None, as_counted=True, back_order=True)
        assert rest is not None
        assert (rest.phase, rest.back_order_of) == (Phase.EXPECTED, "D1")
        assert [(one.sku, one.expected, one.serials) for one in rest.lines] == [
            ("SH", 7, ()),
            ("PHONE", 1, ("S1",)),
        ]


def test_without_a_back_order_nothing_is_expected_any_more(tmp_path: Path) -> None:
    with counting(tmp_path, SHOES) as desk:
        state, rest = desk.close(None, as_counted=True, back_order=False)
        assert (state.back_order, rest) == (None, None)
        assert desk.deliveries.names() == ["D1"]


def test_a_closed_delivery_takes_no_more(tmp_path: Path) -> None:
    with counting(tmp_path, SHOES) as desk:
        desk.close(None, as_counted=True, back_order=False)
        with pytest.raises(DeliveryRefusedError, match="no delivery is being counted"):
            count(desk, SHOE)
        with pytest.raises(
            DeliveryRefusedError, match="is closed, so nothing can be counted on it"
        ):
            desk.scan("D1", Scan(code=read_code(SHOE)))
        with pytest.raises(DeliveryRefusedError, match="`delivery reopen D1` counts it again"):
            desk.open("D1")


def test_a_reopened_delivery_is_a_new_receipt_that_counts_on(tmp_path: Path) -> None:
    with counting(tmp_path, SHOES) as desk:
        count(desk, SHOE)
        desk.close(None, as_counted=True, back_order=True)
        old_events = list(desk.deliveries.events("D1"))
        new = desk.reopen("D1", "another box came")
        assert (new.delivery, new.reopens, new.phase) == ("D1-R1", "D1", Phase.COUNTING)
        assert new.count(1).counted == 1
        assert desk.known("D1-B1").phase is Phase.WITHDRAWN  # or its pieces were expected twice
        assert list(desk.deliveries.events("D1"))[:-1] == old_events
        count(desk, SHOE)
        assert desk.known("D1-R1").count(1).counted == 2
        assert desk.known("D1").count(1).counted == 1
        with pytest.raises(DeliveryRefusedError, match="was reopened as D1-R1: count there"):
            desk.reopen("D1", "once more")


def test_it_is_not_reopened_once_its_back_order_is_counted(tmp_path: Path) -> None:
    with counting(tmp_path, SHOES) as desk:
        desk.close(None, as_counted=True, back_order=True)
        desk.open("D1-B1")
        with pytest.raises(
            DeliveryRefusedError, match="are received as D1-B1, which is being counted"
        ):
            desk.reopen("D1", "another box came")


def test_what_is_not_closed_is_not_reopened(tmp_path: Path) -> None:
    not_closed = pytest.raises(DeliveryRefusedError, match="D1 is being counted, not closed")
    with counting(tmp_path) as desk, not_closed:
        desk.reopen("D1", "another box came")


def test_figures_that_cannot_be_are_refused_and_change_nothing(tmp_path: Path) -> None:
    with counting(tmp_path, SHOES) as desk:
        count(desk, SHOE)
        desk.correct(None, 1, "counted", 0, "it was another shoe")
        scanned = desk.deliveries.events("D1")[2]
        with pytest.raises(DeliveryRefusedError, match="SH would have -1 pieces"):
            desk.undo(None, scanned.id)
        with pytest.raises(DeliveryRefusedError, match="SH would have 1 damaged of 0 pieces"):
            desk.correct(None, 1, "damaged", 1, "torn")
        assert len(desk.deliveries.events("D1")) == 4


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("SO", "has no line 'SO'. Did you mean SO-"),
        ("9", "has no line '9'"),
        ("SO-7", "several lines have the SKU SO-7: give a number, one of 2, 3"),
    ],
)
def test_a_line_that_is_not_there_is_named(tmp_path: Path, line: str, said: str) -> None:
    same = replace(LINES[2], sku="SO-7")
    with counting(tmp_path, *LINES[:2], same) as desk, pytest.raises(UsageError) as caught:
        desk.correct(None, line, "counted", 1, "why")
    assert said in str(caught.value)


def test_an_unknown_delivery_is_named(tmp_path: Path) -> None:
    with counting(tmp_path) as desk, pytest.raises(UsageError, match=r"'D11'\. Did you mean D1\?"):
        desk.open("D11")


def test_nothing_to_undo_is_said(tmp_path: Path) -> None:
    with counting(tmp_path) as desk:
        with pytest.raises(
            DeliveryRefusedError, match="nothing that can be undone was counted on D1"
        ):
            desk.undo(None, None)
        with pytest.raises(UsageError, match="no event that counts ends in 'abc'"):
            desk.undo(None, "abc")
