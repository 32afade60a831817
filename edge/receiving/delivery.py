"""The goods that are expected: a delivery, its lines and its containers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a delivery: an article, in one lot and one container if these are given."""

    number: int
    """The number of the line, from 1, in the order of the file."""
    sku: str
    """The number that the warehouse gives the article."""
    expected: int
    """How many pieces were announced."""
    gtin: str | None = None
    """The GTIN of a single piece, 14 digits."""
    description: str = ""
    label: str | None = None
    """The label of such a piece in the station's model."""
    pack_size: int = 1
    """How many pieces the code of a pack counts."""
    pack_gtin: str | None = None
    """The GTIN of a pack, 14 digits, if it does not follow from `gtin` by the rule for packs."""
    lot: str | None = None
    expiry: str | None = None
    """The expiry date, such as 2027-03-31."""
    serials: tuple[str, ...] = ()
    """The announced serial numbers, each of one piece: as many as `expected`, or none."""
    container: str | None = None
    """The SSCC of the container in which it comes, 18 digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A delivery as it was announced."""

    delivery: str
    lines: tuple[Line, ...]
    blind: bool = False
    """The expected figures are shown to nobody until the count is closed."""

    @property
    def containers(self) -> tuple[str, ...]:
        """The SSCC of each container, in the order of the lines."""
        return tuple(dict.fromkeys(line.container for line in self.lines if line.container))


def differences(old: Expected, new: Expected) -> Iterator[str]:
    """How `new` differs from `old`, as clauses; without the figures if either is blind."""
    secret = old.blind or new.blind
    if old.blind != new.blind:
        yield "it was blind, and now is not" if old.blind else "it was not blind, and now is"
    before = {_key(line): line for line in old.lines}
    after = {_key(line): line for line in new.lines}
    for key in before.keys() | after.keys():
        if key not in after:
            yield f"{before[key].sku}{_of(before[key])} is missing"
        elif key not in before:
            yield f"{after[key].sku}{_of(after[key])} is new"
    for key, line in before.items():
        if (other := after.get(key)) is None:
            continue
        for field in fields(Line):
            was, now = getattr(line, field.name), getattr(other, field.name)
            if was != now:
                name = field.name.replace("_", " ")
                said = "differs" if secret and name in _SECRET else f"was {was}, is {now}"
                yield f"{line.sku}{_of(line)}: {name} {said}"


_SECRET = ("expected", "serials")


def _key(line: Line) -> tuple[str, str | None, str | None]:
    return line.sku, line.lot, line.container


def _of(line: Line) -> str:
    return f" (lot {line.lot})" if line.lot else ""


def repeated(lines: Sequence[Line]) -> Iterator[tuple[Line, Line]]:
    """The pairs of lines with the same SKU, lot and container, which no scan could distinguish."""
    seen: dict[tuple[str, str | None, str | None], Line] = {}
    for line in lines:
        if (before := seen.setdefault(_key(line), line)) is not line:
            yield before, line
