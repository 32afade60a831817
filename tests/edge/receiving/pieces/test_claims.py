"""Scan, then put the piece in: which scan by hand is of which item, where that is certain."""

from __future__ import annotations

import pytest

from edge.events import utc_text
from edge.receiving.code import read_code
from edge.receiving.pieces.answers import HandScan
from edge.receiving.pieces.claims import ScanClaims
from tests.edge.receiving.goods_lists import BOX
from tests.edge.receiving.pieces.bench import ADIDAS, NIKE

NOON = 1_795_953_600.0


class Table:
    """Scans and items at seconds after noon; what each item is given."""

    def __init__(self, pair_seconds: float = 2.0) -> None:
        self.claims = ScanClaims(pair_seconds)
        self.scans = 0

    def scan(self, at: float, text: str = ADIDAS) -> None:
        self.scans += 1
        code = read_code(text)
        self.claims.scanned(HandScan(f"scan {self.scans}", utc_text(NOON + at), "D1", code))

    def see(self, item: str, at: float, *, alone: bool = True, codes: tuple[str, ...] = ()) -> None:
        self.claims.saw(item, NOON + at, alone=alone)
        self.claims.read(item, [read_code(code) for code in codes])

    def claim(self, item: str) -> str | None:
        code = self.claims.claim(item)
        return None if code is None else code.text

    def put_in(self, item: str, at: float) -> str | None:
        """An item that is alone in view, and asks for its code at once."""
        self.see(item, at)
        return self.claim(item)


def test_the_item_that_follows_a_scan_has_its_code_once() -> None:
    table = Table()
    assert not table.claims.waits
    table.scan(0)
    assert table.claims.waits
    assert table.put_in("a", 1.0) == ADIDAS
    assert not table.claims.waits
    assert (table.claim("a"), table.put_in("b", 1.5)) == (None, None)


def test_one_scan_after_the_other_is_of_one_item_after_the_other() -> None:
    table = Table()
    for number in range(5):
        code = (ADIDAS, NIKE)[number % 2]
        table.scan(number * 1.2, code)
        assert table.put_in(f"item {number}", number * 1.2 + 1) == code


@pytest.mark.parametrize(("at", "code"), [(2.0, ADIDAS), (2.1, None), (-2.0, ADIDAS), (-2.1, None)])
def test_it_must_come_within_the_time_for_a_pair(at: float, code: str | None) -> None:
    table = Table()
    table.scan(0)
    assert table.put_in("a", at) == code


def test_of_two_scans_before_an_item_neither_is_taken_for_its() -> None:
    table = Table()
    table.scan(0)
    table.scan(0.5, NIKE)
    assert table.put_in("a", 1.0) is None


def test_of_two_items_after_a_scan_neither_has_its_code() -> None:
    table = Table()
    table.scan(0)
    table.see("a", 1.0)
    table.see("b", 1.0)
    assert (table.claim("a"), table.claim("b")) == (None, None)


def test_an_item_beside_another_that_has_no_verdict_yet_does_not_have_it() -> None:
    table = Table()
    table.scan(0)
    table.see("a", 1.0, alone=False)
    assert table.claim("a") is None
    assert table.put_in("b", 1.2) is None


def test_an_item_that_lay_there_before_without_a_code_may_be_the_one_that_was_scanned() -> None:
    table = Table()
    table.see("before", -1.0)
    table.scan(0)
    assert table.put_in("a", 1.0) is None


def test_an_item_whose_own_code_was_read_is_no_rival_and_takes_no_other_scan() -> None:
    table = Table()
    table.see("before", -1.0, codes=(NIKE,))
    table.scan(0)
    assert table.claim("before") is None
    assert table.put_in("a", 1.0) == ADIDAS


def test_a_scan_of_the_code_that_was_read_on_the_item_is_of_that_item() -> None:
    table = Table()
    table.scan(0)
    table.see("a", 0.5, codes=(ADIDAS,))
    assert table.put_in("b", 1.0) is None


def test_the_code_of_a_container_is_of_no_piece() -> None:
    table = Table()
    table.scan(0, f"(00){BOX}")
    assert not table.claims.waits
    assert table.put_in("a", 1.0) is None
    table.scan(1.5)
    assert table.put_in("b", 4.0) is None  # too late
    table.scan(10)
    assert table.put_in("c", 11) == ADIDAS


def test_after_the_clock_was_set_back_nothing_of_before_is_near() -> None:
    table = Table()
    table.see("before", 3600.0)
    table.scan(0)
    assert table.put_in("a", 1.0) == ADIDAS


def test_without_a_time_for_pairs_none_belong_together() -> None:
    table = Table(0.0)
    table.scan(0)
    assert table.put_in("a", 0.0) is None


def test_an_item_that_is_not_known_has_no_code() -> None:
    table = Table()
    table.scan(0)
    table.claims.read("a", [read_code(ADIDAS)])
    assert table.claim("a") is None
