"""Lists of expected goods: what is read, and every mistake with its line."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.errors import GoodsListError, StorageError, UsageError
from edge.receiving.delivery import Expected, Line
from edge.receiving.goods import read_goods, typed_goods
from tests.edge.receiving.goods_lists import BOX

LABELS = ("adidas", "nike")
HEADER = (
    "delivery,SKU,GTIN,description,label,expected,pack size,lot,expiry,serials,container,pack gtin"
)
WHOLE = f"D1,A,4006381333931,Größe 42,nike,2,6,L7,2027-03-31,S1 S2,{BOX},5901234123457"


def read(tmp_path: Path, content: str | bytes, delivery: str | None = None) -> list[Expected]:
    file = tmp_path / "goods.csv"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_goods(file, delivery=delivery, blind=False, labels=LABELS)[0]


EVERYTHING = Line(
    number=1,
    sku="A",
    gtin="04006381333931",
    description="Größe 42",
    label="nike",
    expected=2,
    pack_size=6,
    pack_gtin="05901234123457",
    lot="L7",
    expiry="2027-03-31",
    serials=("S1", "S2"),
    container=BOX,
)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("begin", [b"", b"\xef\xbb\xbf"], ids=["plain", "bom"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_every_column_is_read(tmp_path: Path, separator: str, begin: bytes, end: str) -> None:
    text = f"{HEADER}{end}{WHOLE}{end}{end}".replace(",", separator)
    found = read(tmp_path, begin + text.encode())
    assert found == [Expected(delivery="D1", lines=(EVERYTHING,))]


def test_the_columns_of_openboxes_are_understood(tmp_path: Path) -> None:
    text = (
        "Receipt item id,Shipment item id,Code,Name,Lot/Serial No.,Expiration date,Bin Location,"
        "Recipient,Shipped (each),Received,To receive,Receiving now (each),Comment\n"
        'r1,s1,10001,"Gloves, size 8",L7,2027-03-31,,,12,2,10,0,\n'
    )
    line = Line(
        number=1, sku="10001", description="Gloves, size 8", lot="L7", expiry="2027-03-31",
        expected=10,
    )  # fmt: skip
    assert read(tmp_path, text, "S-1") == [Expected(delivery="S-1", lines=(line,))]


def test_the_columns_of_greaterwms_are_understood(tmp_path: Path) -> None:
    text = (
        "asn_code,supplier,goods_code,goods_desc,goods_qty,goods_actual_qty,sorted_qty,"
        "goods_shortage_qty,goods_more_qty,goods_damage_qty\n"
        "ASN1,S,A,Shoe,4,0,0,0,0,0\nASN2,S,A,Shoe,5,0,0,0,0,0\n"
    )
    assert [(one.delivery, one.lines[0].expected) for one in read(tmp_path, text)] == [
        ("ASN1", 4),
        ("ASN2", 5),
    ]


def test_excel_s_own_line_for_the_separator_is_heeded(tmp_path: Path) -> None:
    assert read(tmp_path, "sep=;\r\nsku;expected\r\nA,1;3\r\n", "D")[0].lines[0].sku == "A,1"


@pytest.mark.parametrize("figure", ["12", "12.0", "12,00"])
def test_a_spreadsheet_s_whole_numbers_are_read(tmp_path: Path, figure: str) -> None:
    assert read(tmp_path, f"sku;expected\nA;{figure}\n", "D")[0].lines[0].expected == 12


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("D1,A,,,,two", "line 2: expected must be a whole number of pieces"),
        ("D1,A,,,,1.5", "line 2: expected must be a whole number of pieces"),
        ("D1,A,,,,-3", "Received: '-3'"),
        ("D1,A,,,,1 000", "without a sign or thousands separator"),
        ("D1,A,,,,", "line 2: expected is empty"),
        ("D1,A,,,,10000001", "expected is more than 10,000,000. Received: '10000001'"),
        ("D1,,,,,3", "line 2: sku is empty"),
        (",A,,,,3", "line 2: delivery is empty"),
        ("-D1,A,,,,3", "line 2: delivery begins with a minus"),
        (f"{'D' * 65},A,,,,3", "line 2: delivery has 65 characters, and may have 64"),
        ("D1,A,4006381333932,,,3", "gtin has a wrong check digit: it must end in 1"),
        ("D1,A,400638133393,,,3", "wrong check digit"),
        ("D1,A,40063,,,3", "gtin must have 8, 12, 13 or 14 digits. Received: '40063'"),
        ("D1,A,4.00638E+12,,,3", "was rounded by a spreadsheet"),
        ("D1,A,,,nik,3", "label is none of the station's: 'nik'. Did you mean nike?"),
        ("D1,A,,\x1b[31m,,3", "description has a control character"),
        ("D1,A,,,nike,3,6", "line 2: has 7 cells, and the header has 6"),
        ("D1,A,,,nike", "line 2: has 5 cells, and the header has 6"),
        ("D1,A,,,,3\nD1,A,,,,4", "line 3: A is on line 2 already, in the same lot"),
        ('D1,A,,"x,,3', "line 2: the quotation marks do not fit"),
        ("", "it names columns and has no line of goods"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, row: str, said: str) -> None:
    with pytest.raises(GoodsListError) as caught:
        read(tmp_path, f"delivery,sku,gtin,description,label,expected\n{row}\n")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("pack size", "0", "pack size must be 1 or more. Received: '0'"),
        ("expiry", "31.03.2027", "expiry must be a date as 2027-03-31. Received: '31.03.2027'"),
        ("expiry", "2027-02-30", "expiry must be a date"),
        ("container", "340123450000000001", "container must be an SSCC"),
        ("serials", "S1 S1", "serials has S1 twice"),
        ("serials", "S1 S2", "has 2 serial numbers and expects 3 pieces: give all or none"),
        ("pack gtin", "123", "pack gtin must have"),
    ],
)
def test_a_bad_cell_of_the_rarer_columns_is_named(
    tmp_path: Path, column: str, cell: str, said: str
) -> None:
    with pytest.raises(GoodsListError) as caught:
        read(tmp_path, f"sku,expected,{column}\nA,3,{cell}\n", "D")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("titles", "said"),
    [
        ("sku,expcted", "line 1: column 2 is unknown: 'expcted'. Did you mean expected?"),
        ("sku,expected,", "line 1: column 3 has no name"),
        ("sku,expected,code", "columns 1 and 3 ('sku' and 'code') both mean sku: remove one"),
        ("sku", "there is no column for delivery, expected (or name the delivery"),
    ],
)
def test_a_bad_header_is_named(tmp_path: Path, titles: str, said: str) -> None:
    with pytest.raises(GoodsListError) as caught:
        read(tmp_path, f"{titles}\nA,3,\n")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty: the first line must name the columns"),
        ("sku,expected\nA,3".encode("utf-16"), "it is UTF-16: save it as `CSV UTF-8`"),
        ("sku,expected\nGröße,3".encode("cp1252"), "line 2: is not in UTF-8"),
        (b"PK\x03\x04...", "it is a workbook or a zip file"),
        (b"sku,expected\nA,\x003", "line 2: has a byte 0"),
    ],
    ids=["empty", "utf-16", "cp1252", "xlsx", "nul"],
)
def test_a_file_that_is_no_list_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(GoodsListError) as caught:
        read(tmp_path, content)
    assert said in str(caught.value)


def test_a_folder_or_nothing_is_no_list(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.csv"):
        with pytest.raises(StorageError):
            read_goods(path, delivery=None, blind=False, labels=LABELS)


def test_a_line_of_another_delivery_is_named(tmp_path: Path) -> None:
    with pytest.raises(GoodsListError, match="is of the delivery 'D2', and --delivery says 'D1'"):
        read(tmp_path, "delivery,sku,expected\nD2,A,3\n", "D1")


def test_all_mistakes_are_counted_and_the_first_named(tmp_path: Path) -> None:
    with pytest.raises(GoodsListError) as caught:
        read(tmp_path, "sku,expected\n" + "A,x\n" * 30, "D1")
    lines = str(caught.value).splitlines()
    assert "has 30 mistakes, and nothing of it was imported" in lines[0]
    assert len(lines) == 22
    assert lines[-1].endswith(": 10 more")


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=80), st.text(max_size=80).map(str.encode)))
def test_any_bytes_are_a_list_or_an_error(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for begin in (b"", b"sku;expected\n"):
            file = Path(folder, "goods.csv")
            file.write_bytes(begin + content)
            try:
                found, _ = read_goods(file, delivery="D", blind=False, labels=LABELS)
            except GoodsListError:
                continue
            assert found


def test_a_delivery_can_be_typed_in() -> None:
    found = typed_goods(["A=12", "B:nike=3"], delivery="D", blind=True, labels=LABELS)
    assert found == Expected(
        delivery="D",
        lines=(
            Line(number=1, sku="A", expected=12),
            Line(number=2, sku="B", label="nike", expected=3),
        ),
        blind=True,
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["A"], "--line A: write SKU=PIECES or SKU:LABEL=PIECES"),
        (["A=x"], "--line A=x: expected must be a whole number"),
        (["A:nke=1"], "Did you mean nike?"),
        (["A=1", "A=2"], "--line A: is there twice"),
    ],
)
def test_a_line_that_is_typed_wrongly_is_named(words: list[str], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        typed_goods(words, delivery="D", blind=False, labels=LABELS)
    assert said in str(caught.value)


def test_a_name_that_no_delivery_can_have_is_refused_where_it_is_typed() -> None:
    with pytest.raises(UsageError, match="--delivery begins with a minus"):
        typed_goods(["A=1"], delivery="-x", blind=False, labels=LABELS)
