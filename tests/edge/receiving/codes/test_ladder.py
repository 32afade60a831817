"""Codes drawn by zxing-cpp's own writer are read on the rung that they need, and none is invented.

`tests/benchmarks/codes.py` measures how many.
"""

from __future__ import annotations

from typing import get_args

import cv2
import numpy as np
import pytest
import zxingcpp
from zxingcpp import BarcodeFormat

from edge.config.codes import CodeFormat
from edge.core.images.image_file import Image
from edge.core.images.preprocess import Box
from edge.receiving.codes import ladder
from edge.receiving.codes.bars import BarProfile
from edge.receiving.codes.ladder import CodeLadder, Grey, Rung, part_with_item
from edge.vision.sharpness import sharpness
from tests.benchmarks.code_scenes import make_scene

TEXTS = {
    "ean13": "4006381333931",
    "ean8": "96385074",
    "upca": "0036000291452",
    "code128": "LOT-7",
    "qr": "https://id.gs1.org/01/04006381333931/10/L7",
    "data_matrix": "S-1",
}
WRITERS = {**ladder.RETAIL, **ladder.LINEAR, **ladder.MATRIX}


def drawn(name: str, *, scale: int = 4) -> Grey:
    """A code with white around it."""
    text = TEXTS[name][-12:] if name == "upca" else TEXTS[name]
    picture = np.array(zxingcpp.create_barcode(text, WRITERS[name]).to_image(scale=scale))
    return np.pad(picture, 60, constant_values=255)


def test_the_formats_of_a_station_file_are_those_that_are_read() -> None:
    assert set(get_args(CodeFormat)) == set(WRITERS) == set(TEXTS)


@pytest.mark.parametrize("name", TEXTS)
def test_each_format_is_read_and_no_other_is_looked_for(name: str) -> None:
    reading = CodeLadder([name]).read(drawn(name))
    assert [(code.format, code.text) for code in reading.codes] == [(name, TEXTS[name])]
    assert reading.rung == "plain"
    others = [other for other in TEXTS if other != name and {other, name} != {"ean13", "upca"}]
    assert CodeLadder(others).read(drawn(name)).codes == ()


@pytest.mark.parametrize(
    ("degrees", "rung"), [(0, "plain"), (90, "plain"), (45, "turned 45"), (67, "plain")]
)
def test_the_ladder_ends_at_the_first_rung_that_reads(degrees: float, rung: str) -> None:
    turned = ladder._View(drawn("code128", scale=3), Rung(degrees)).picture
    beats: list[int] = []
    reading = CodeLadder(["code128"]).read(turned, lambda: beats.append(1))
    assert (reading.rung, len(reading.milliseconds)) == (rung, len(beats))


def test_without_the_ladder_a_code_at_45_degrees_is_not_read() -> None:
    turned = ladder._View(drawn("ean13"), Rung(45)).picture
    assert CodeLadder(["ean13"], rungs=(ladder.PLAIN,)).read(turned).codes == ()
    assert len(CodeLadder(["ean13"]).read(turned).codes) == 1


def test_codes_of_squares_are_not_looked_for_in_turned_copies() -> None:
    empty = np.full((200, 300), 200, np.uint8)
    assert len(CodeLadder(["qr"]).read(empty).milliseconds) == 2
    assert len(CodeLadder(["qr", "ean13"]).read(empty).milliseconds) == len(ladder.LADDER)


def test_two_codes_in_one_picture_are_both_told() -> None:
    both = np.vstack([np.pad(drawn(name), ((0, 0), (0, 900)), constant_values=255)[:, :900]
                      for name in ("ean13", "qr")])  # fmt: skip
    found = CodeLadder(["ean13", "qr"]).read(both).codes
    assert {code.format for code in found} == {"ean13", "qr"}
    assert [code.meaning.gtin for code in found] == ["04006381333931"] * 2


@pytest.mark.parametrize("number", [15, 18])
def test_a_small_blurred_code_that_rows_alone_misread_is_read_rightly(number: int) -> None:
    """In these scenes zxing-cpp by itself reads other digits, with a right check digit."""
    scene = make_scene("ean13", np.random.default_rng([777, 0, number]))
    found = CodeLadder(["ean13"]).read(part_with_item(scene.image, None)).codes
    assert [code.text for code in found] == [scene.text]


def test_noise_has_no_codes() -> None:
    noise = np.random.default_rng(5).integers(0, 256, (240, 320), np.uint8)
    assert CodeLadder(TEXTS).read(noise).codes == ()


def picture(width: int = 300, height: int = 200) -> Image:
    """A picture whose levels tell where each pixel was."""
    rows, columns = np.mgrid[:height, :width]
    return np.dstack([rows, rows, columns % 256]).astype(np.uint8)


@pytest.mark.parametrize(
    ("box", "shape"),
    [
        (None, (200, 300)),
        (Box(100, 50, 60, 40), (52, 72)),
        (Box(0, 0, 60, 40), (46, 66)),
        (Box(240, 160, 60, 40), (46, 66)),
    ],
)
def test_an_item_is_cut_out_with_a_margin_that_ends_at_the_picture(
    box: Box | None, shape: tuple[int, int]
) -> None:
    assert part_with_item(picture(), box).shape == shape


def test_of_two_frames_the_one_that_is_in_focus_is_sharper() -> None:
    scene = make_scene("qr", np.random.default_rng(3))
    blurred = np.asarray(cv2.GaussianBlur(scene.image, (0, 0), 2.0), np.uint8)
    box = Box(10, 10, 400, 300)
    assert sharpness(scene.image, box) > 2 * sharpness(blurred, box)
    assert sharpness(scene.image, None) > 2 * sharpness(blurred, None)


def test_the_names_of_formats_are_not_swapped() -> None:
    assert WRITERS["ean8"] == BarcodeFormat.EAN8
    assert WRITERS["upca"] == BarcodeFormat.UPCA


def test_a_code_whose_place_cannot_be_found_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*_: object) -> BarProfile:
        raise ValueError("too little was read")

    monkeypatch.setattr(ladder, "BarProfile", nowhere)
    assert CodeLadder(["ean13"]).read(drawn("ean13")).codes == ()


def test_a_code_whose_bars_are_of_other_digits_and_cannot_be_read_again_is_not_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(BarProfile, "shows", lambda bars, digits: False)
    monkeypatch.setattr(BarProfile, "picture", np.full((40, 300), 255, np.uint8))
    assert CodeLadder(["ean13"]).read(drawn("ean13")).codes == ()
