"""The confusion matrix is a picture that any browser shows, with every count in its cell."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt
import pytest

from trainer.report.confusion import draw_confusion

SVG = "{http://www.w3.org/2000/svg}"
LABELS = ["glass", "metal & <tin>", "红"]
COUNTS = np.array([[18, 0, 2], [0, 0, 0], [1, 0, 37]])


def drawn(tmp_path: Path, counts: npt.NDArray[np.int64], labels: list[str]) -> ElementTree.Element:
    draw_confusion(counts, labels, "test split: 55 of 58 right", tmp_path / "c.svg")
    return ElementTree.fromstring((tmp_path / "c.svg").read_text(encoding="utf-8"))


def texts(picture: ElementTree.Element) -> list[str]:
    return [element.text or "" for element in picture.iter(f"{SVG}text")]


def test_it_has_the_labels_along_both_sides_and_the_counts_that_are_not_0(tmp_path: Path) -> None:
    found = texts(drawn(tmp_path, COUNTS, LABELS))
    assert [found.count(label) for label in LABELS] == [2, 2, 2]
    assert sorted(text for text in found if text.isdecimal()) == ["1", "18", "2", "37"]
    assert {"test split: 55 of 58 right", "is", "taken for"} <= set(found)


def test_each_cell_says_in_words_what_it_means(tmp_path: Path) -> None:
    says = [element.text for element in drawn(tmp_path, COUNTS, LABELS).iter(f"{SVG}title")]
    assert "2 of 20 glass taken for 红" in says
    assert "0 of 0 metal & <tin> taken for glass" in says
    assert len(says) == 1 + 9


@pytest.mark.parametrize(
    ("count", "shade", "letters"),
    [(0, "#f7fbff", None), (40, "#97aac4", "#000"), (60, None, "#fff"), (100, "#08306b", "#fff")],
)
def test_the_shade_is_the_share_of_the_row_and_the_count_is_legible_on_it(
    tmp_path: Path, count: int, shade: str | None, letters: str | None
) -> None:
    picture = drawn(tmp_path, np.array([[count, 100 - count], [0, 1]]), ["a", "b"])
    cell = picture.findall(f"{SVG}g")[0]
    box, written = cell.find(f"{SVG}rect"), cell.find(f"{SVG}text")
    assert box is not None
    assert shade in (None, box.get("fill"))
    assert (None if written is None else written.get("fill")) == letters


def test_all_that_is_drawn_lies_within_the_picture(tmp_path: Path) -> None:
    picture = drawn(tmp_path, np.eye(7, dtype=np.int64), ["a" * 60, *"bcdefg"])
    width, height = float(picture.get("width", 0)), float(picture.get("height", 0))
    for box in picture.iter(f"{SVG}rect"):
        if "%" not in box.get("width", ""):
            assert 0 <= float(box.get("x", 0)) <= width - float(box.get("width", 0))
            assert 0 <= float(box.get("y", 0)) <= height - float(box.get("height", 0))
    for text in picture.iter(f"{SVG}text"):
        assert 0 < float(text.get("x", 0)) < width
        assert 0 < float(text.get("y", 0)) < height


def test_with_many_labels_the_cells_have_no_numbers(tmp_path: Path) -> None:
    found = texts(drawn(tmp_path, np.eye(41, dtype=np.int64), [f"label {i}" for i in range(41)]))
    assert not any(text.isdecimal() for text in found)
