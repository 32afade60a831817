from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.receiving.codes.meaning import Meaning, meaning_of

GTIN = "04006381333931"


@pytest.mark.parametrize(
    ("text", "symbology", "meaning"),
    [
        ("4006381333931", "]E0", Meaning(gtin=GTIN)),
        ("96385074", "]E4", Meaning(gtin="00000096385074")),
        ("0036000291452", "]E0", Meaning(gtin="00036000291452")),
        # GS1-128, GS1 DataMatrix, GS1 QR: elements, divided by FNC1
        (
            f"01{GTIN}1727033110L7",
            "]C1",
            Meaning(gtin=GTIN, lot="L7", expiry="2027-03-31"),
        ),
        (
            f"01{GTIN}10L7\x1d21S1",
            "]d2",
            Meaning(gtin=GTIN, lot="L7", serial="S1"),
        ),
        ("00106141411928374657", "]C1", Meaning(sscc="106141411928374657")),
        # GS1 Digital Link
        (
            f"https://id.gs1.org/01/{GTIN}/10/ABC/21/9?17=270331",
            "]Q1",
            Meaning(gtin=GTIN, lot="ABC", expiry="2027-03-31", serial="9"),
        ),
        # What has no meaning in GS1 is only a text, whatever it looks like
        ("https://example.com/hello", "]Q1", Meaning()),
        ("4006381333931", "]C0", Meaning()),
        ("106141411928374657", "]C0", Meaning()),
        ("4006381333930", "]E0", Meaning()),
        ("0104006381333930", "]C1", Meaning()),
        ("", "]Q1", Meaning()),
        ("http://", "]Q1", Meaning()),
        ("http://[", "]Q1", Meaning()),
    ],
)
def test_a_code_means_what_its_symbology_promises(
    text: str, symbology: str, meaning: Meaning
) -> None:
    assert meaning_of(text, symbology) == meaning


@given(
    st.one_of(
        st.text(max_size=60),
        st.from_regex(r"https?://[^ ]{0,20}/(01|00|10|17)/[^ ]{0,18}"),
        st.from_regex(r"(01\d{14}|17\d{6}|10[A-Z]{0,9}\x1d|310\d\d{6}){1,3}", fullmatch=True),
    ),
    st.sampled_from(
        ["]E0", "]E4", "]I1", "]C0", "]C1", "]d1", "]d2", "]Q1", "]Q3", "]e0", "", "]X9"]
    ),
)
def test_no_text_that_a_stranger_printed_is_a_fault(text: str, symbology: str) -> None:
    meaning_of(text, symbology)
