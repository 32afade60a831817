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
