from __future__ import annotations

import numpy as np
import pytest
import zxingcpp
from zxingcpp import BarcodeFormat

from edge.receiving.codes.bars import BarProfile, CodeLine, ean_modules


@pytest.mark.parametrize(
    ("text", "writer"),
    [(f"{first}006381333931"[:12], BarcodeFormat.EAN13) for first in range(10)]
    + [("9638507", BarcodeFormat.EAN8)],
)
def test_the_modules_are_those_that_another_writer_draws(text: str, writer: BarcodeFormat) -> None:
    code = zxingcpp.create_barcode(text, writer)
    row = np.array(code.to_image(scale=1, add_quiet_zones=False))[10]
    assert (ean_modules(code.text) == (row < 128)).all()


@pytest.mark.parametrize("text", ["", "123", "12345678901234", "40063813339x1", "٤٠٠٦٣٨١٣"])
def test_what_is_no_ean_has_no_modules(text: str) -> None:
    with pytest.raises(ValueError, match="8, 12 or 13 digits"):
        ean_modules(text)


def profile(digits: str, read: str, *, noise: float = 0.0) -> BarProfile:
    """The profile of a code of `digits`, two pixels a module, as if `read` had been read there."""
    row = np.repeat(np.pad(215 - 190 * ean_modules(digits), 20, constant_values=215), 2)
    levels = np.tile(row, (60, 1)) + np.random.default_rng(1).normal(0, noise, (60, len(row)))
    grey = np.clip(levels, 0, 255).astype(np.uint8)
    return BarProfile(grey, CodeLine((40.0, 30.0), (len(row) - 40.0, 30.0)), read)


@pytest.mark.parametrize("noise", [0, 40])
def test_bars_are_those_of_their_digits_and_of_no_others(noise: float) -> None:
    bars = profile("9890368385786", "9890368385786", noise=noise)
    assert bars.shows("9890368385786")
    # What zxing-cpp once read there: 8 and 2, 7 and 1 differ by the widths of bars alone.
    assert not bars.shows("9890368325126")


def test_each_wrong_pair_of_digits_with_a_right_check_digit_is_found_out() -> None:
    right = "4006381333931"
    bars = profile(right, right, noise=5)
    weights = [1, 3] * 6 + [1]
    wrong = {
        "".join(map(str, digits))
        for place in range(1, 12)
        for change in range(1, 10)
        for other in range(10)
        if (digits := [int(digit) for digit in right])
        and not digits.__setitem__(place, (digits[place] + change) % 10)
        and not digits.__setitem__(place + 1, other)
        and sum(w * d for w, d in zip(weights, digits, strict=True)) % 10 == 0
    } - {right}
    assert len(wrong) > 50
    assert [text for text in sorted(wrong)[::7] if bars.shows(text)] == []


def test_a_profile_is_a_picture_that_can_be_read_again() -> None:
    bars = profile("4006381333931", "4006381333931", noise=40)
    (found,) = zxingcpp.read_barcodes(bars.picture)
    assert found.text == "4006381333931"


def test_an_evenly_grey_place_shows_nothing() -> None:
    grey = np.full((60, 300), 128, np.uint8)
    assert not BarProfile(grey, CodeLine((40.0, 30.0), (230.0, 30.0)), "4006381333931").shows(
        "4006381333931"
    )


def test_noise_shows_no_digits() -> None:
    grey = np.random.default_rng(1).integers(0, 256, (60, 300), dtype=np.uint8)
    bars = BarProfile(grey, CodeLine((40.0, 30.0), (230.0, 30.0)), "4006381333931")
    assert not bars.shows("4006381333931")


def test_digits_of_no_ean_have_no_place() -> None:
    bars = profile("4006381333931", "4006381333931")
    assert not bars.place("400638")
    assert bars.place("4006381333931")
