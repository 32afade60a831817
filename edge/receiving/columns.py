"""The columns of a list of expected goods, by the names that pilah and other systems give them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edge.core.suggestions import did_you_mean

COLUMNS: Mapping[str, Sequence[str]] = {
    "delivery": ("asn_code", "asn", "delivery_id"),
    "sku": ("code", "product_code", "goods_code", "article"),
    "gtin": ("ean", "upc", "barcode"),
    "description": ("name", "goods_desc"),
    "label": (),
    "expected": ("quantity", "to_receive", "goods_qty"),
    "pack_size": (),
    "pack_gtin": (),
    "lot": ("lot_serial_no", "lot_number", "batch"),
    "expiry": ("expiration_date", "expiry_date"),
    "serials": ("serial_numbers",),
    "container": ("sscc",),
}
"""pilah's name of each column, with the other names that are understood. Those of OpenBoxes are
`Code`, `Name`, `Lot/Serial No.`, `Expiration date` and `To receive`; those of GreaterWMS begin with
`goods_`, and `asn_code`. Names are compared in lower case, with `_` for every other character.
"""

LEFT_OUT = frozenset(
    (
        # OpenBoxes: its own numbers, what it received before, where it will lie
        "receipt_item_id", "shipment_item_id", "bin_location", "recipient", "shipped_each",
        "received", "receiving_now_each", "comment",
        # GreaterWMS: what it will be told after the receipt
        "supplier", "goods_actual_qty", "sorted_qty", "goods_shortage_qty", "goods_more_qty",
        "goods_damage_qty",
    )
)  # fmt: skip
"""Columns of OpenBoxes and GreaterWMS that do not describe the expected goods."""

REQUIRED = ("delivery", "sku", "expected")


@dataclass(frozen=True, slots=True)
class Header:
    """The places of the columns of a list."""

    places: Mapping[str, int]
    """The place in a row, from 0, by pilah's name of the column."""
    titles: Sequence[str]
    """The titles as they are in the file."""
    left_out: Sequence[str]
    """The titles of the columns that are known and not read."""

    def cell(self, row: Sequence[str], column: str) -> str:
        """The cell of `row` in `column`, without spaces around it; empty if the column is
        missing."""
        place = self.places.get(column)
        return "" if place is None else row[place].strip()


def read_header(titles: Sequence[str], *, without: Sequence[str] = ()) -> Header | list[str]:
    """The header of a list, or a sentence for each mistake in it.

    Args:
        titles: the cells of its first row.
        without: columns that the list need not have.
    """
    by_alias = {
        alias: name for name, others in COLUMNS.items() for alias in (name, *others)
    }  # fmt: skip
    places: dict[str, int] = {}
    left_out: list[str] = []
    problems: list[str] = []
    for place, title in enumerate(titles):
        plain = plain_name(title)
        name = by_alias.get(plain)
        if name is None and plain in LEFT_OUT:
            left_out.append(title)
        elif name is None:
            near = did_you_mean(plain, [*COLUMNS]) if plain else ""
            said = f"is unknown: {title!r}" if plain else "has no name"
            problems.append(f"column {place + 1} {said}{near}")
        elif name in places:
            problems.append(
                f"columns {places[name] + 1} and {place + 1} ({titles[places[name]]!r} and "
                f"{title!r}) both mean {name}: remove one"
            )
        else:
            places[name] = place
    missing = [name for name in REQUIRED if name not in places and name not in without]
    if missing:
        read = ", ".join(repr(title) for title in titles)
        hint = " (or name the delivery with --delivery)" if "delivery" in missing else ""
        problems.append(f"there is no column for {', '.join(missing)}{hint}. Received: {read}")
    return problems or Header(places, titles, left_out)


def plain_name(title: str) -> str:
    """A title in lower case, with `_` for every other character.

    >>> plain_name("Lot/Serial No."), plain_name(" Pack size "), plain_name("GTIN")
    ('lot_serial_no', 'pack_size', 'gtin')
    """
    return re.sub(r"[^0-9a-zà-öø-ÿ]+", "_", title.lower()).strip("_")
