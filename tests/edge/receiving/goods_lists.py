"""Deliveries to test with, and a desk to count them at."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.events import Stamps
from edge.receiving.delivery import Expected, Line
from edge.receiving.desk import Desk
from edge.receiving.store import Deliveries

SHOE, PACK_OF_SHOES, SOCK, UNKNOWN = (
    "4006381333931", "14006381333938", "96385074", "5901234123457",
)  # fmt: skip
BOX, OTHER_BOX = "340123450000000000", "340123450000000017"

LINES = (
    Line(number=1, sku="SH", gtin="04006381333931", label="adidas", expected=8, pack_size=6),
    Line(number=2, sku="SO-7", gtin="00000096385074", label="sock", lot="L7", expected=2),
    Line(number=3, sku="SO-8", gtin="00000096385074", label="sock", lot="L8", expected=3),
    Line(number=4, sku="PHONE", label="phone", expected=2, serials=("S1", "S2")),
)


def goods(*lines: Line, delivery: str = "D1", blind: bool = False) -> Expected:
    """A delivery of `lines`, or of LINES."""
    return Expected(delivery=delivery, lines=lines or LINES, blind=blind)


@contextmanager
def desk_at(folder: Path, *, by: str = "clerk") -> Iterator[Desk]:
    """A desk at the file of deliveries in `folder`, whose clock ticks at each look."""
    ticks = itertools.count(1_790_000_000)
    with Deliveries(folder / "deliveries.sqlite") as deliveries:
        yield Desk(deliveries, Stamps("door", lambda: float(next(ticks))), by)


@contextmanager
def counting(folder: Path, *lines: Line, blind: bool = False) -> Iterator[Desk]:
    """A desk at which the delivery D1 was opened."""
    with desk_at(folder) as desk:
        desk.import_goods([goods(*lines, blind=blind)], "goods.csv")
        desk.open("D1")
        yield desk
