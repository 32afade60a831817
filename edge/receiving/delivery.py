"""What is expected: a delivery, its lines and its containers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One article of a delivery, in one lot and one container where those are given."""

    number: int
    """From 1, in the order of the file."""
    sku: str
    """The number that the warehouse gives the article."""
    expected: int
    """Pieces that were announced."""
    gtin: str | None = None
    """14 digits: of a single piece."""
    description: str = ""
    label: str | None = None
    """What the station's model calls such a piece."""
    pack_size: int = 1
    """Pieces that a pack's code counts."""
    pack_gtin: str | None = None
    """14 digits: of a pack, where it is not made from `gtin` by the rule for packs."""
    lot: str | None = None
    expiry: str | None = None
    """A date as 2027-03-31."""
    serials: tuple[str, ...] = ()
    """Serial numbers that were announced, each of one piece; as many as `expected`, or none."""
    container: str | None = None
    """The SSCC of the container that it comes in, 18 digits."""


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
    """What is announced otherwise in `new`, a sentence each, without figures if either is blind."""
    secret = old.blind or new.blind
    if old.blind != new.blind:
        yield f"it was {'blind' if old.blind else 'not blind'}, and is not so now"
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
    """Pairs of lines that no scan could tell apart: the same SKU, lot and container."""
    seen: dict[tuple[str, str | None, str | None], Line] = {}
    for line in lines:
        if (before := seen.setdefault(_key(line), line)) is not line:
            yield before, line
