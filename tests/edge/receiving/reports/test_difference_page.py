"""The difference report, on paper and in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from pathlib import Path

import pytest

from edge.receiving.code import read_code
from edge.receiving.delivery import Line
from edge.receiving.desk import Desk
from edge.receiving.reports.difference import outcome_words
from edge.receiving.reports.difference_csv import COLUMNS, difference_csv
from edge.receiving.reports.difference_page import difference_page
from edge.receiving.scan import RULE, Scan
from edge.receiving.state import DeliveryState
from edge.web.language.languages import read_languages
from edge.web.words.counting import aside_words
from tests.edge.receiving.goods_lists import BOX, SHOE, SOCK, UNKNOWN, counting

EVIL = "=1+1<script>alert('ä')</script>"


class Words(HTMLParser):
    """The text of a page, and the names of its tags."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += f"{data.strip()}\n" if data.strip() else ""


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[DeliveryState]:
    """A closed delivery with one thing of each kind."""
    lines = (
        Line(number=1, sku="SH", gtin="04006381333931", label="adidas", expected=3),
        Line(number=2, sku="SO", gtin="00000096385074", description=EVIL, expected=1, lot="L1"),
        Line(number=3, sku="BOX", expected=1, serials=("S1",), container=BOX),
    )
    with counting(tmp_path, *lines) as desk:
        fill(desk)
        yield desk.close(None, as_counted=True, back_order=True)[0]


def fill(desk: Desk) -> None:
    """Counts the delivery of `closed`: a shoe is short, a sock too many and of another lot."""
    for scan in (
        Scan(code=read_code(SHOE)),
        Scan(code=read_code(f"(01){SOCK.zfill(14)}(10)L9"), times=2),
        Scan(code=read_code(UNKNOWN), photograph="aside.jpg"),
        Scan(code=read_code(SHOE), seen="nike", photograph="gone.jpg"),
    ):
        desk.scan(None, scan)
    damaged = Scan(code=read_code(SHOE), photograph="torn.jpg")
    desk.scan(None, damaged, damaged=True, why="torn")


def page_of(state: DeliveryState) -> str:
    return difference_page(
        state, station="door", photograph=lambda path: None if "gone" in path else b"JPEG"
    )


def test_the_page_says_what_differs(closed: DeliveryState) -> None:
    page = page_of(closed)
    text = Words(page).text
    for said in (
        "closed: short, the rest is expected as D1-B1",
        "serials missing: S1",
        "not as announced: 2 of lot L9",
        f"Containers that were not scanned\n{BOX}",
        "SH: the picture shows nike",
        "1 with the code 5901234123457\nno line has the GTIN 05901234123457",
        "1 of SH\ntorn",
        "The photograph no longer exists: gone.jpg",
        RULE,
    ):
        assert said in text
    assert page.count("data:image/jpeg;base64,") == 2
    assert EVIL in text


def test_the_page_runs_and_fetches_nothing(closed: DeliveryState) -> None:
    found = Words(page_of(closed))
    assert not {"script", "link", "iframe"} & set(found.tags)
    assert found.tags.count("style") == 1


def test_the_csv_has_a_row_for_each_line_and_thing(closed: DeliveryState) -> None:
    text = difference_csv(closed)
    assert text.startswith("\ufeff")  # Excel reads umlauts rightly by it
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert set(rows[0]) == set(COLUMNS)
    assert [row["kind"] for row in rows] == ["line"] * 3 + [
        "put_aside",
        "picture_otherwise",
        "damaged",
    ]
    figures = ("expected", "counted", "over", "short", "damaged")
    assert [tuple(row[name] for name in figures) for row in rows[:3]] == [
        ("3", "2", "0", "1", "1"),
        ("1", "2", "1", "0", "0"),
        ("1", "0", "0", "1", "0"),
    ]
    assert rows[1]["description"] == f"'{EVIL}"  # no formula
    assert rows[3]["photograph"] == "aside.jpg"


def test_a_blind_delivery_that_is_not_closed_shows_no_expected_figure(tmp_path: Path) -> None:
    line = Line(number=1, sku="SH", gtin="04006381333931", expected=7777, serials=())
    with counting(tmp_path, line, blind=True) as desk:
        _, state = desk.scan(None, Scan(code=read_code(SHOE)))
        for content in (page_of(state), difference_csv(state)):
            assert "7777" not in content
            assert "7,777" not in content
            assert "7,776" not in content
        assert "Not closed: these figures may still change." in page_of(state)
        closed, _ = desk.close(None, as_counted=True, back_order=False)
        assert "7,777" in page_of(closed)
        assert "7777" in difference_csv(closed)


def test_a_delivery_that_was_reopened_says_where_its_count_goes_on(tmp_path: Path) -> None:
    with counting(tmp_path) as desk:
        desk.close(None, as_counted=True, back_order=False)
        desk.reopen("D1", "another box came")
        assert outcome_words(desk.known("D1")) == "closed: short, reopened as D1-R1"


def test_the_page_is_in_another_language(closed: DeliveryState) -> None:
    language = read_languages()["id"]
    page = difference_page(
        closed,
        station="door",
        photograph=lambda _: None,
        language=language,
        aside_words=partial(aside_words, gettext=language.gettext),
    )
    assert '<html lang="id">' in page
    text = Words(page).text
    for said in (
        "Kiriman D1",
        "ditutup: kurang, sisanya dinantikan sebagai D1-B1",
        "tidak seperti yang diberitahukan: 2 dari lot L9",
        "tidak ada baris dengan GTIN 05901234123457",
        "SH: gambar menunjukkan nike",
        "Foto sudah tidak ada: gone.jpg",
        "Diterima oleh",
    ):
        assert said in text
    english = Words(page_of(closed)).text.splitlines()
    typed = {"SH", "SO", "BOX", "door", "clerk", "torn", "L1", "GTIN", "station", EVIL, UNKNOWN}
    same = {one for one in english if one in text.splitlines() and one.strip().isalpha()}
    assert same <= typed
