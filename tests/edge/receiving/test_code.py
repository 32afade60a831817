"""What the digits of codes say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.receiving.code import (
    Code,
    check_digit,
    expiry_of,
    gtin_14,
    is_left_unread,
    is_pack_of,
    read_code,
    sscc_18,
)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("4006381333931", Code("4006381333931", gtin="04006381333931")),
        (" 96385074\r\n", Code("96385074", gtin="00000096385074")),
        ("036000291452", Code("036000291452", gtin="00036000291452")),
        ("4006381333932", Code("4006381333932")),  # a wrong check digit
        ("340123450000000000", Code("340123450000000000", sscc="340123450000000000")),
        ("00340123450000000000", Code("00340123450000000000", sscc="340123450000000000")),
        ("SH-42", Code("SH-42")),
        ("٤٠٠٦٣٨١٣٣٣٩٣١", Code("٤٠٠٦٣٨١٣٣٣٩٣١")),  # digits, but none of a code
        (
            "(01)04006381333931(17)270331(10)L7(21)S1",
            Code(
                "(01)04006381333931(17)270331(10)L7(21)S1",
                gtin="04006381333931",
                lot="L7",
                expiry="2027-03-31",
                serial="S1",
            ),
        ),
        ("(01)04006381333931 left", Code("(01)04006381333931 left")),
    ],
)
def test_a_code_says(text: str, code: Code) -> None:
    assert read_code(text) == code


GTIN = "04006381333931"
RAW = (
    # As scanners send GS1-128 and GS1 DataMatrix: FNC1 as 0x1D, with an identifier or without.
    (f"01{GTIN}10L7\x1d17270331", "L7", "2027-03-31", None),
    (f"]C101{GTIN}10L7\x1d17270331\r", "L7", "2027-03-31", None),
    (f"]d201{GTIN}21S1", None, None, "S1"),
    (f"\x1d01{GTIN}", None, None, None),
    (f"HTTPS://id.gs1.org/01/{GTIN}/10/L7", "L7", None, None),
    (f"https://brand.example/shoes/01/{GTIN}/21/S1?17=270331", None, "2027-03-31", "S1"),
)


@pytest.mark.parametrize(("text", "lot", "expiry", "serial"), RAW)
def test_what_scanners_send_raw_is_read_as_the_camera_reads_it(
    text: str, lot: str | None, expiry: str | None, serial: str | None
) -> None:
    code = read_code(text)
    assert (code.gtin, code.lot, code.expiry, code.serial) == (GTIN, lot, expiry, serial)
    assert code.text.isprintable()


@pytest.mark.parametrize(
    "text",
    ["10ABC", "21S1", "0104006381333930", "01ABC", "https://example.com/01/7", "\x1dSKU",
     f"01{GTIN}ZZ"],
)  # fmt: skip
def test_what_only_looks_like_elements_is_a_text(text: str) -> None:
    code = read_code(text)
    assert (code.gtin, code.sscc, code.lot, code.serial) == (None, None, None, None)
    assert code.text == text.strip()


def test_an_identifier_is_no_part_of_a_code() -> None:
    assert read_code("]E04006381333931") == read_code("4006381333931")
    assert read_code("]C0SH-42") == Code("SH-42")


@pytest.mark.parametrize("text", [raw for raw, *_ in RAW])
def test_without_biip_raw_elements_are_a_text_that_is_told(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.receiving.code.can_read_elements", lambda: False)
    assert read_code(text).gtin is None
    assert is_left_unread(text)
    assert not is_left_unread("4006381333931")
    assert not is_left_unread("SH-42")


@given(st.text(max_size=60))
def test_no_text_that_somebody_scans_is_a_fault(text: str) -> None:
    read_code(text)
    is_left_unread(text)


def test_the_last_day_of_a_month_is_written_as_day_0() -> None:
    assert expiry_of("271200") == "2027-12-31"
    assert expiry_of("270230") is None


@given(st.text("0123456789", min_size=7, max_size=17))
def test_one_wrong_digit_is_always_found(digits: str) -> None:
    whole = digits + check_digit(digits)
    read = {8: gtin_14, 12: gtin_14, 13: gtin_14, 14: gtin_14, 18: sscc_18}.get(len(whole))
    if read is None:
        return
    assert read(whole) == whole.zfill(14)
    for place, digit in enumerate(whole):
        other = str((int(digit) + 1) % 10)
        assert read(whole[:place] + other + whole[place + 1 :]) is None


@pytest.mark.parametrize(
    ("pack", "piece", "is_one"),
    [
        ("14006381333938", "04006381333931", True),
        ("04006381333931", "04006381333931", False),
        ("94006381333934", "04006381333931", False),  # 9 is for goods of variable measure
        ("15901234123454", "04006381333931", False),
    ],
)
def test_a_pack_has_an_indicator_and_the_digits_of_its_pieces(
    pack: str, piece: str, is_one: bool
) -> None:
    assert is_pack_of(pack, piece) is is_one
