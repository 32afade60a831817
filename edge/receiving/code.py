"""The meaning of a code's text: an article, a container, one piece, a lot.

GTINs (the numbers in EAN and UPC codes) and SSCCs (the numbers of containers) end in a check digit:
GS1 General Specifications, section 7.9. GTINs are compared as 14 digits, zeros in front.
"""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from datetime import date

from edge.core.errors import UsageError
from edge.core.terminal.sentence import Sentence

_GTIN_LENGTHS = (8, 12, 13, 14)
_SSCC_LENGTH = 18
_ELEMENT = re.compile(r"\((\d{2,4})\)([^()]+)")
_IDENTIFIER = re.compile(r"^\][A-Za-z][0-9A-Za-z]")
"""A symbology identifier by ISO/IEC 15424, which some scanners send before the code."""
_ELEMENTS = re.compile(r"(?:01[0-9]{14}|00[0-9]{18}|.*\x1d)", re.DOTALL)
_LINK = re.compile(r"https?://.*/(?:01|00)/[0-9]", re.IGNORECASE)
_SHOWN_FNC1 = "\N{SYMBOL FOR GROUP SEPARATOR}"
FNC1 = "\x1d"
"""The character for a code's FNC1, which separates GS1 elements."""


_LONGEST = 128
"""The most characters of a code; the longest GS1 element string is shorter."""


def checked_code(text: str) -> str:
    """What a person typed or scanned, without spaces around it.

    Raises:
        UsageError: it is empty, long, or no line of text.
    """
    code = text.strip()
    if not code or len(code) > _LONGEST or not code.replace(FNC1, "").isprintable():
        raise UsageError(
            Sentence(
                "a code has 1 to {most} printable characters. Received: {given}",
                most=str(_LONGEST),
                given=repr(text[:140]),
            )
        )
    return code


@dataclass(frozen=True, slots=True)
class Code:
    """The content of one code. Without a `gtin` and an `sscc` it may be a SKU or a serial."""

    text: str
    """The text as it was read, without spaces around it; FNC1 is replaced as in `shown`."""
    gtin: str | None = None
    """14 digits."""
    sscc: str | None = None
    """18 digits."""
    serial: str | None = None
    lot: str | None = None
    expiry: str | None = None
    """A date as 2027-03-31."""


def read_code(text: str) -> Code:
    """The content of a code that a hand scanner or a person typed.

    Understood are the digits of a GTIN or an SSCC (with or without its application identifier 00),
    and GS1 elements as people read them, with 00, 01, 10 (lot), 17 (expiry) and 21 (serial):
    `(01)04006381333931(17)270331(10)L7`. With the extra `codes`, understood are also GS1 elements
    as scanners send them, with 0x1D for FNC1, and GS1 Digital Links. A symbology identifier in
    front, such as `]C1`, is left out. Everything else is kept as text.
    """
    text = _IDENTIFIER.sub("", text.strip().replace(_SHOWN_FNC1, FNC1))
    elements = dict(_ELEMENT.findall(text))
    if elements and _ELEMENT.sub("", text) == "":
        return Code(
            text,
            gtin=gtin_14(elements.get("01", "")),
            sscc=sscc_18(elements.get("00", "")),
            serial=elements.get("21"),
            lot=elements.get("10"),
            expiry=expiry_of(elements.get("17", "")),
        )
    if (sscc := sscc_18(text)) is not None:
        return Code(text, sscc=sscc)
    if (gtin := gtin_14(text)) is not None or not _may_be_of_gs1(text) or not can_read_elements():
        return Code(shown(text), gtin=gtin)
    from edge.receiving.codes.meaning import meaning_of_typed  # which needs the extra

    found = meaning_of_typed(text)
    return Code(shown(text), found.gtin, found.sscc, found.serial, found.lot, found.expiry)


def shown(text: str) -> str:
    """The text of a code in printable characters: FNC1 becomes the symbol for it."""
    return text.replace(FNC1, _SHOWN_FNC1)


def is_same_code(one: Code, other: Code) -> bool:
    """Whether a camera's and a hand scanner's reading can be of one code on one piece.

    Codes of one article in different symbols are the same, unless they name two serial numbers.
    """
    if one.gtin is None or other.gtin is None:
        return one.text.casefold() == other.text.casefold()
    serials = {one.serial, other.serial} - {None}
    return one.gtin == other.gtin and len(serials) <= 1


def is_left_unread(text: str) -> bool:
    """Whether `read_code` keeps a code as mere text only because the extra `codes` is missing."""
    code = _IDENTIFIER.sub("", text.strip())
    return (
        not can_read_elements() and _may_be_of_gs1(code) and gtin_14(code) is sscc_18(code) is None
    )


def can_read_elements() -> bool:
    """Whether biip is installed, which reads GS1 elements and Digital Links."""
    return importlib.util.find_spec("biip") is not None


def _may_be_of_gs1(text: str) -> bool:
    """Whether a text has the form of GS1 elements that begin with an article or a container, or of
    a Digital Link to one."""
    return _ELEMENTS.match(text) is not None or _LINK.match(text) is not None


def gtin_14(digits: str) -> str | None:
    """The GTIN `digits` as 14 digits; None if it is not one, or its check digit is wrong.

    >>> gtin_14("4006381333931"), gtin_14("4006381333932")
    ('04006381333931', None)
    """
    if len(digits) not in _GTIN_LENGTHS or not _are_digits(digits):
        return None
    return digits.zfill(14) if digits[-1] == check_digit(digits[:-1]) else None


def sscc_18(digits: str) -> str | None:
    """The 18 digits of the SSCC `digits`; None if it is not one, or its check digit is wrong.

    >>> sscc_18("(00)340123450000000000"), sscc_18("00340123450000000000")
    (None, '340123450000000000')
    """
    if len(digits) == _SSCC_LENGTH + 2 and digits.startswith("00"):
        digits = digits[2:]
    if len(digits) != _SSCC_LENGTH or not _are_digits(digits):
        return None
    return digits if digits[-1] == check_digit(digits[:-1]) else None


def check_digit(digits: str) -> str:
    """The check digit that follows `digits`: weights 3 and 1 in turn, from the right.

    >>> check_digit("400638133393")
    '1'
    """
    total = sum((3, 1)[place % 2] * int(digit) for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def is_pack_of(pack: str, piece: str) -> bool:
    """Whether the GTIN `pack` is made from `piece` by the rule for packs: an indicator digit from
    1 to 8, the same twelve digits, and a new check digit (GS1 General Specifications, 2.1.2).

    Args:
        pack, piece: 14 digits.

    >>> is_pack_of("14006381333938", "04006381333931")
    True
    """
    return pack[0] in "12345678" and pack[0] != piece[0] and pack[1:13] == piece[1:13]


def expiry_of(digits: str) -> str | None:
    """The date of an application identifier 17, YYMMDD; a day 00 is the last of its month.

    The century is the one that lies closest to the present (GS1 General Specifications, 7.12); in
    this one that is 2000 for all years until 2050.

    >>> expiry_of("270331"), expiry_of("280200"), expiry_of("271399")
    ('2027-03-31', '2028-02-29', None)
    """
    if len(digits) != 6 or not _are_digits(digits):
        return None
    year, month, day = 2000 + int(digits[:2]), int(digits[2:4]), int(digits[4:])
    try:
        if day:
            return date(year, month, day).isoformat()
        following = date(year + month // 12, month % 12 + 1, 1)
    except ValueError:
        return None
    return date.fromordinal(following.toordinal() - 1).isoformat()


def _are_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
