"""Reads a list of expected goods: CSV by comma, semicolon or tab, with or without a BOM, in UTF-8.

All of it is right, or nothing of it is used: every bad line is named with its number and with what
was received.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TypeVar

from edge.core.errors import GoodsListError, UsageError
from edge.core.files import read_regular, storage_errors
from edge.core.suggestions import did_you_mean
from edge.receiving.code import check_digit, gtin_14, sscc_18
from edge.receiving.columns import Header, read_header
from edge.receiving.delivery import Expected, Line, repeated

T = TypeVar("T")

LARGEST_FILE = 20 * 2**20
_MOST_PIECES = 10_000_000
_SHOWN = 20
"""How many mistakes are named; of the others only the number is given."""
_SEPARATORS = ",;\t"
_LONGEST_NAME = 64
_NO_SERIALS: tuple[str, ...] = ()


def read_goods(
    path: Path, *, delivery: str | None, blind: bool, labels: Collection[str]
) -> tuple[list[Expected], list[str]]:
    """The deliveries in the list `path`, in its order, and the titles of the columns not read.

    Args:
        delivery: the name of all of it, where the list has no column for it; else it must agree.
        blind: the expected figures are to be shown to nobody until the count is closed.
        labels: those of the station, one of which a line's label must be.

    Raises:
        StorageError: the file cannot be read.
        GoodsListError: it has mistakes; each is named with its line.
    """
    with storage_errors("read", path):
        raw = read_regular(path, largest=LARGEST_FILE)
    text = _text(raw, path)
    rows, problems = _rows(text, path)
    if not rows:
        raise _error(path, problems or ["it is empty: the first line must name the columns"])
    (first, titles), *rest = rows
    header = read_header(titles, without=() if delivery is None else ("delivery",))
    if isinstance(header, list):
        raise _error(path, [f"line {first}: {problem}" for problem in header])
    found: dict[str, list[Line]] = {}
    places: dict[tuple[str, int], int] = {}
    for number, row in rest:
        if len(row) != len(titles):
            problems.append(
                f"line {number}: has {len(row)} cells, and the header has {len(titles)}. "
                f"Received: {_shown(row)}"
            )
            continue
        name, line, wrong = _line(header, row, delivery=delivery, labels=labels)
        problems += [f"line {number}: {what}" for what in wrong]
        if line is not None and not wrong:
            lines = found.setdefault(name, [])
            lines.append(replace(line, number=len(lines) + 1))
            places[name, len(lines)] = number
    for name, lines in found.items():
        problems += [
            f"line {places[name, two.number]}: {two.sku} is on line {places[name, one.number]} "
            "already, in the same lot and container: make one line of both"
            for one, two in repeated(lines)
        ]
    if not found and not problems:
        problems.append("it names columns and has no line of goods")
    if problems:
        raise _error(path, problems)
    deliveries = [
        Expected(delivery=name, lines=tuple(lines), blind=blind) for name, lines in found.items()
    ]
    return deliveries, list(header.left_out)


def typed_goods(
    words: Sequence[str], *, delivery: str, blind: bool, labels: Collection[str]
) -> Expected:
    """A delivery made from words such as `SKU=12` or `SKU:label=12`.

    Raises:
        UsageError: a word is none such, or two of them are of the same SKU.
    """
    wrong = name_problem(delivery)
    if wrong is not None:
        raise UsageError(f"--delivery {wrong}")
    lines = []
    for number, word in enumerate(words, start=1):
        article, mark, figure = word.rpartition("=")
        sku, colon, label = article.partition(":")
        header = read_header(["sku", "expected", "label"], without=("delivery",))
        assert isinstance(header, Header)
        _, line, problems = _line(header, [sku, figure, label], delivery=delivery, labels=labels)
        if not mark or (colon and not label.strip()):
            problems = ["write SKU=PIECES or SKU:LABEL=PIECES"]
        if line is None or problems:
            raise UsageError(f"--line {word}: {'; '.join(problems)}")
        lines.append(replace(line, number=number))
    for one, _ in repeated(lines):
        raise UsageError(f"--line {one.sku}: is there twice: add the figures together")
    return Expected(delivery=delivery, lines=tuple(lines), blind=blind)


def name_problem(name: str) -> str | None:
    """Why `name` cannot be the name of a delivery, as the end of a sentence; None if it can."""
    if not name:
        return "is empty"
    if len(name) > _LONGEST_NAME:
        return f"has {len(name)} characters, and may have {_LONGEST_NAME}. Received: {name!r}"
    if name.startswith("-"):
        return f"begins with a minus, which a command takes for an option. Received: {name!r}"
    return None


def _text(raw: bytes, path: Path) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _error(path, ["it is UTF-16: save it as `CSV UTF-8`"])
    if raw.startswith(b"PK\x03\x04"):
        raise _error(path, ["it is a workbook or a zip file: save the sheet as `CSV UTF-8`"])
    if b"\0" in raw:
        line = raw.count(b"\n", 0, raw.index(b"\0")) + 1
        raise _error(path, [f"line {line}: has a byte 0: it is no text"])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        begin = raw.rfind(b"\n", 0, error.start) + 1
        said = raw[begin : error.start + 20].decode("utf-8", "backslashreplace").strip()
        raise _error(
            path,
            [f"line {line}: is not in UTF-8: save it as `CSV UTF-8`. Received: {said[-60:]!r}"],
        ) from None


def _rows(text: str, path: Path) -> tuple[list[tuple[int, list[str]]], list[str]]:
    """The rows that are not empty, each with the number of its first line, and the mistakes."""
    separator, skipped = _separator(text)
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=separator, strict=True, skipinitialspace=True
    )
    rows: list[tuple[int, list[str]]] = []
    begin = 1
    try:
        for row in reader:
            if begin > skipped and any(cell.strip() for cell in row):
                rows.append((begin, row))
            begin = reader.line_num + 1
    except csv.Error as error:
        return rows[:1], [f"line {begin}: the quotation marks do not fit: {error}"]
    return rows, []


def _separator(text: str) -> tuple[str, int]:
    """The character that separates the cells, and how many lines come before the header."""
    for number, line in enumerate(text.splitlines()):
        if (said := re.fullmatch(r"sep=([,;\t])", line.strip("\r\n "))) is not None:
            return said[1], number + 1  # Excel's own way to say it
        if line.strip():
            bare = re.sub(r'"[^"]*"', "", line)
            return max(_SEPARATORS, key=bare.count), number
    return ",", 0


def _line(
    header: Header, row: Sequence[str], *, delivery: str | None, labels: Collection[str]
) -> tuple[str, Line | None, list[str]]:
    """The delivery and the line of a row, and the mistakes in the row."""
    problems: list[str] = []

    def read(column: str, reader: Callable[[str], T], otherwise: T) -> T:
        cell = header.cell(row, column)
        if not cell:
            return otherwise
        try:
            return reader(cell)
        except ValueError as error:
            problems.append(f"{column.replace('_', ' ')} {error}. Received: {cell!r}")
            return otherwise

    for column, place in header.places.items():
        if any(not sign.isprintable() for sign in row[place].strip()):
            problems.append(f"{column} has a control character. Received: {row[place]!r}")
    name = header.cell(row, "delivery") or delivery or ""
    if delivery is not None and name != delivery:
        problems.append(f"is of the delivery {name!r}, and --delivery says {delivery!r}")
    elif (wrong := name_problem(name)) is not None:
        problems.append(f"delivery {wrong}")
    sku, figure = header.cell(row, "sku"), header.cell(row, "expected")
    problems += ["sku is empty"] * (not sku) + ["expected is empty"] * (not figure)
    expected = read("expected", _whole, 0)
    gtin = read("gtin", _gtin, None)
    serials = read("serials", _serials, _NO_SERIALS)
    label = header.cell(row, "label") or None
    if label is not None and label not in labels:
        near = did_you_mean(label, labels)
        problems.append(f"label is none of the station's: {label!r}{near}")
    if serials and figure and len(serials) != expected:
        problems.append(
            f"has {len(serials)} serial numbers and expects {expected} pieces: give all or none"
        )
    size = read("pack_size", _pack_size, 1)
    if problems or not sku:
        # The other columns may have mistakes, too: all are told at once.
        read("pack_gtin", _gtin, None), read("expiry", _date, None), read("container", _sscc, None)
        return name, None, problems
    line = Line(
        number=1,
        sku=sku,
        expected=expected,
        gtin=gtin,
        description=header.cell(row, "description"),
        label=label,
        pack_size=size,
        pack_gtin=read("pack_gtin", _gtin, None),
        lot=header.cell(row, "lot") or None,
        expiry=read("expiry", _date, None),
        serials=serials,
        container=read("container", _sscc, None),
    )
    return name, line, problems


def _whole(cell: str) -> int:
    """A number of pieces; spreadsheets write 12 as 12.0 or 12,00."""
    found = re.fullmatch(r"(\d{1,12})(?:[.,]0{1,2})?", cell) if cell.isascii() else None
    if found is None:
        raise ValueError("must be a whole number of pieces, without a sign or thousands separator")
    if int(found[1]) > _MOST_PIECES:
        raise ValueError(f"is more than {_MOST_PIECES:,}")
    return int(found[1])


def _pack_size(cell: str) -> int:
    size = _whole(cell)
    if size < 1:
        raise ValueError("must be 1 or more")
    return size


def _gtin(cell: str) -> str:
    digits = cell.replace(" ", "").replace("-", "")
    found = gtin_14(digits)
    if found is not None:
        return found
    if re.fullmatch(r"\d+([.,]\d+)?[eE]\+?\d+", digits):
        raise ValueError("was rounded by a spreadsheet: give that column the format Text")
    if not (digits.isascii() and digits.isdigit()) or len(digits) not in (8, 12, 13, 14):
        raise ValueError("must have 8, 12, 13 or 14 digits")
    raise ValueError(f"has a wrong check digit: it must end in {check_digit(digits[:-1])}")


def _sscc(cell: str) -> str:
    found = sscc_18(cell.replace(" ", "").removeprefix("(00)"))
    if found is None:
        raise ValueError("must be an SSCC: 18 digits, of which the last is the check digit")
    return found


def _date(cell: str) -> str:
    for form in (r"(\d{4})-(\d\d)-(\d\d)", r"(\d{4})/(\d\d)/(\d\d)", r"(\d{4})(\d\d)(\d\d)"):
        if cell.isascii() and (found := re.fullmatch(form, cell)) is not None:
            try:
                return date(*map(int, found.groups())).isoformat()
            except ValueError:
                break
    raise ValueError("must be a date as 2027-03-31")


def _serials(cell: str) -> tuple[str, ...]:
    found = tuple(part for part in re.split(r"[\s|,;]+", cell) if part)
    twice = sorted({one for one in found if found.count(one) > 1})
    if twice:
        raise ValueError(f"has {twice[0]} twice")
    return found


def _shown(row: Sequence[str]) -> str:
    said = " | ".join(row)
    return repr(said if len(said) <= 100 else said[:97] + "...")


def _error(path: Path, problems: Sequence[str]) -> GoodsListError:
    return GoodsListError("\n".join(_sentences(path, problems)))


def _sentences(path: Path, problems: Sequence[str]) -> Iterator[str]:
    if len(problems) > 1:
        yield f"{path} has {len(problems)} mistakes, and nothing of it was imported"
    yield from (f"{path}: {problem}" for problem in problems[:_SHOWN])
    if len(problems) > _SHOWN:
        yield f"{path}: {len(problems) - _SHOWN} more"
