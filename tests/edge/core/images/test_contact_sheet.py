"""A contact sheet shows every picture, escapes every word and needs nothing but itself."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from edge.core.errors import StorageError
from edge.core.images.contact_sheet import (
    Headline,
    Mark,
    SheetSection,
    Tile,
    thumbnail,
    write_contact_sheet,
)
from edge.core.images.image_file import Image, decode_image


def picture(height: int = 30, width: int = 40, bgr: tuple[int, int, int] = (40, 90, 200)) -> Image:
    return np.full((height, width, 3), bgr, np.uint8)


class Page(HTMLParser):
    """What a browser would find: the texts, and the attributes of each tag."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._hidden = False
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._hidden = tag == "style"

    def handle_data(self, data: str) -> None:
        if data.strip() and not self._hidden:
            self.texts.append(data.strip())

    def values(self, tag: str, name: str) -> list[str]:
        return [value for t, found in self.tags if t == tag and (value := found.get(name))]


def written(folder: Path, *sections: SheetSection, title: str = "Photos", **options: int) -> Page:
    file = folder / "photos.html"
    write_contact_sheet(file, title=title, summary=["a line"], sections=sections, **options)
    return Page(file)


def test_title_summary_sections_and_tiles_stand_on_it(tmp_path: Path) -> None:
    page = written(
        tmp_path,
        SheetSection("can", [Tile(picture(), "1.jpg", "sharp")], note="enough of these"),
        SheetSection("empty", []),
    )
    for text in ("Photos", "a line", "can", "1", "enough of these", "1.jpg", "sharp", "empty", "0"):
        assert text in page.texts


def test_a_picture_is_in_the_page_itself(tmp_path: Path) -> None:
    page = written(tmp_path, SheetSection("can", [Tile(picture(480, 640), "1.jpg")]))
    (source,) = page.values("img", "src")
    head, _, content = source.partition(",")
    assert head == "data:image/jpeg;base64"
    shown = decode_image(base64.b64decode(content))
    assert shown.shape == (180, 240, 3)
    assert np.abs(shown.astype(int) - (40, 90, 200)).max() <= 4, "blue and red in their places"
    assert page.values("img", "alt") == ["1.jpg"]


def test_nothing_is_fetched_and_no_script_runs(tmp_path: Path) -> None:
    page = written(tmp_path, SheetSection("can", [Tile(picture(), "1.jpg", mark=Mark.OK)]))
    assert not {"script", "link", "iframe"} & {tag for tag, _ in page.tags}
    targets = page.values("img", "src") + page.values("use", "href") + page.values("a", "href")
    assert [target for target in targets if not target.startswith(("data:", "#"))] == []
    assert "url(" not in (tmp_path / "photos.html").read_text(encoding="utf-8")
    assert any("default-src 'none'" in policy for policy in page.values("meta", "content"))


@pytest.mark.parametrize(
    "label",
    [
        "<script>alert(1)</script>",
        "Dosen & Gläser",
        '" onload="x',
        "红 色 🍎",
        "زجاج",
        "</style></section>",
    ],
)
def test_any_label_is_shown_as_it_is(tmp_path: Path, label: str) -> None:
    tile = Tile(picture(), label, label, Mark.WRONG)
    page = written(tmp_path, SheetSection(label, [tile], note=label), title=label)
    assert page.texts.count(label) == 6, "both titles, heading, note, caption and detail"
    assert page.values("img", "alt") == [label]
    assert not any("onload" in found or tag == "script" for tag, found in page.tags)


def test_a_name_that_is_no_utf8_is_shown_with_escapes(tmp_path: Path) -> None:
    page = written(tmp_path, SheetSection("can", [Tile(picture(), "caf\udce9.jpg")]))
    assert "caf\\udce9.jpg" in page.texts


def test_marks_have_a_shape_and_a_word_each_and_are_counted(tmp_path: Path) -> None:
    tiles = [
        Tile(picture(), "a", mark=Mark.OK),
        Tile(picture(), "b", mark=Mark.OK),
        Tile(picture(), "c", mark=Mark.REJECT),
        Tile(picture(), "d"),
    ]
    page = written(tmp_path, SheetSection("can", tiles))
    legend_badges = ["#ok", "#reject"]
    assert page.values("use", "href") == [*legend_badges, "#reject", "#ok", "#ok"]
    assert set(page.values("svg", "aria-label")) == {"right", "reject"}
    legend = page.texts[page.texts.index("right") :][:4]
    assert legend == ["right", "2", "reject", "1"]
    symbols = [found["id"] for tag, found in page.tags if tag == "symbol"]
    assert symbols == [mark.value for mark in Mark]


def test_failures_come_first_then_rejects(tmp_path: Path) -> None:
    marks = [Mark.OK, None, Mark.REJECT, Mark.WRONG, Mark.OK, Mark.WRONG]
    tiles = [Tile(picture(), str(number), mark=mark) for number, mark in enumerate(marks)]
    page = written(tmp_path, SheetSection("can", tiles), limit_per_section=5)
    assert page.values("img", "alt") == ["3", "5", "2", "0", "1"]


def test_what_it_comes_to_and_the_contents_stand_before_the_pictures(tmp_path: Path) -> None:
    file = tmp_path / "photos.html"
    sections = [
        SheetSection("can", [Tile(picture(), "1.jpg")]),
        SheetSection("<jar>", [], count=1200),
    ]
    headline = Headline(Mark.WRONG, "It did not sort well", ("lane can: 3 of 9", "<b>"))
    write_contact_sheet(file, title="Photos", headline=headline, sections=sections)
    page = Page(file)
    for text in ("It did not sort well", "lane can: 3 of 9", "<b>"):
        assert page.texts.index("Photos") < page.texts.index(text) < page.texts.index("<jar>")
    assert page.values("a", "href") == ["#s1", "#s2"]
    assert page.values("section", "id") == ["s1", "s2"]
    order = [tag for tag, _ in page.tags if tag in ("nav", "main", "img")]
    assert order == ["nav", "main", "img"]


def test_a_white_picture_on_a_white_page_has_an_edge_over_it(tmp_path: Path) -> None:
    written(tmp_path, SheetSection("can", [Tile(picture(bgr=(255, 255, 255)), "1.jpg")]))
    style = (tmp_path / "photos.html").read_text(encoding="utf-8").partition("</style>")[0]
    rule = re.search(r"\.picture::after \{([^}]*)\}", style)
    assert rule is not None
    assert "border: 1px solid var(--edge)" in rule[1]


def test_a_long_section_is_cut_and_says_by_how_much(tmp_path: Path) -> None:
    tiles = [Tile(picture(), f"{number}.jpg") for number in range(5)]
    page = written(tmp_path, SheetSection("can", tiles), limit_per_section=3)
    assert page.values("img", "alt") == ["0.jpg", "1.jpg", "2.jpg"]
    assert {"5", "and 2 more"} <= set(page.texts)


def test_a_section_of_the_latest_only_says_how_many_there_are(tmp_path: Path) -> None:
    page = written(tmp_path, SheetSection("can", [Tile(picture(), "9.jpg")], count=1200))
    assert {"1,200", "and 1,199 more"} <= set(page.texts)


@pytest.mark.parametrize(
    ("height", "width", "small"),
    [
        (480, 640, (180, 240)),
        (640, 480, (240, 180)),
        (30, 40, (30, 40)),
        (1000, 10, (240, 8)),
        (1, 5000, (8, 240)),
    ],
)
def test_a_thumbnail_keeps_the_form_and_is_never_enlarged(
    height: int, width: int, small: tuple[int, int]
) -> None:
    assert thumbnail(picture(height, width)).shape == (*small, 3)


def test_every_class_that_is_used_has_a_style(tmp_path: Path) -> None:
    tiles = [Tile(picture(), "a", "b", mark) for mark in Mark]
    page = written(tmp_path, SheetSection("can", tiles, note="n", count=9))
    style = (tmp_path / "photos.html").read_text(encoding="utf-8").partition("</style>")[0]
    used = {name for tag, found in page.tags if (name := found.get("class"))}
    assert {name for name in used if not re.search(rf"\.{name}\b", style)} - {"ok"} == set()


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="does not exist"):
        write_contact_sheet(tmp_path / "no" / "x.html", title="x", sections=[])


def test_a_section_may_have_a_table_and_no_pictures(tmp_path: Path) -> None:
    table = SheetSection("Figures", (), content="<table><tr><td>17</td></tr></table>")
    write_contact_sheet(
        tmp_path / "sheet.html", title="t", sections=[table, SheetSection("Nothing", ())]
    )
    text = (tmp_path / "sheet.html").read_text("utf-8")
    assert '<h2><span dir="auto">Figures</span></h2>\n<table><tr><td>17</td></tr></table>' in text
    assert '<h2><span dir="auto">Nothing</span> <small>0</small></h2>' in text
