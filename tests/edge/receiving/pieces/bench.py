"""A bench at which pieces are seen and scanned by hand, on a clock that the test sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from edge.core.uuid7 import UUID7Source
from edge.events import ItemSorted, Stamp, utc_text
from edge.receiving.code import read_code
from edge.receiving.delivery import Line
from edge.receiving.events import (
    DeliveryEvent,
    DeliveryImported,
    DeliveryOpened,
    cause_of,
)
from edge.receiving.pieces.answers import (
    Answered,
    Cause,
    HandScan,
    PieceRules,
    SeenItem,
    answer_to,
    recent_to,
)
from edge.receiving.state import DeliveryState, fold

ADIDAS, NIKE, PACK_OF_NIKE, PHONE = (
    "4006381333931", "5901234123457", "15901234123454", "4012345678901",
)  # fmt: skip
LINES = (
    Line(number=1, sku="A", gtin=ADIDAS.zfill(14), label="adidas", expected=5),
    Line(number=2, sku="N", gtin=NIKE.zfill(14), label="nike", expected=5, pack_size=6),
    Line(number=3, sku="P", gtin=PHONE.zfill(14), label="phone", expected=5),
)
TRAINED = ("adidas", "nike")
"""The model knows no phones."""


@dataclass
class Bench:
    """Answers items and scans, and keeps what was written.

    Attributes:
        seconds: what its clock shows.
        causes: all items and scans, as the ledger has them.
    """

    by_label: bool = True
    pair_seconds: float = 2.0
    lines: Sequence[Line] = LINES
    seconds: float = 1_790_000_000.0
    events: list[DeliveryEvent] = field(default_factory=list)
    causes: list[Cause] = field(default_factory=list)
    _recent: dict[str, Cause] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.new_id = UUID7Source(lambda: self.seconds, seed=b"bench")
        self.events += [
            DeliveryImported(*self.stamp(), "D1", "clerk", lines=tuple(self.lines)),
            DeliveryOpened(*self.stamp(), "D1", "clerk"),
        ]

    def stamp(self) -> Stamp:
        return Stamp(self.new_id(), utc_text(self.seconds), "door")

    @property
    def state(self) -> DeliveryState:
        state = fold(self.events)
        assert state is not None
        return state

    @property
    def counts(self) -> list[int]:
        """The pieces of each line."""
        return [self.state.count(line.number).counted for line in self.lines]

    def item(self, label: str, *codes: str, **values: object) -> SeenItem:
        """An item that the station sorts now; it is not answered yet."""
        known: dict[str, object] = {
            "item": len(self.causes) + 1, "source": "", "label": label, "confidence": 0.9,
            "scores": dict.fromkeys(TRAINED, 0.5), "accepted": True, "reject": None,
            "lane": label, "bundle": "b", "bundle_digest": "d", "latency_ms": 1.0, "frames": 3,
            "delivery_id": "D1",
        }  # fmt: skip
        item = ItemSorted(*self.stamp(), **{**known, **values})  # type: ignore[arg-type]
        seen = SeenItem(item, tuple(map(read_code, codes)))
        self.causes.append(seen)
        return seen

    def hand(self, text: str) -> HandScan:
        """A code that is scanned by hand now; it is not answered yet."""
        scan = HandScan(*self.stamp()[:2], "D1", read_code(text))
        self.causes.append(scan)
        return scan

    def answer(self, cause: Cause) -> Answered | None:
        """Answers, as the station's thread does."""
        if any(cause_of(event) == cause.id for event in self.events):
            return None
        rules = PieceRules(self.by_label, self.pair_seconds)
        self._recent = recent_to(cause, self._recent, rules)
        found = answer_to(cause, self.events, self.state, self._recent, rules, self.stamp)
        self._recent[cause.id] = cause
        self.events += [] if found is None else found.events
        return found

    def see(self, label: str, *codes: str, **values: object) -> str:
        """The answer to an item that the station sorts now."""
        found = self.answer(self.item(label, *codes, **values))
        return "nothing" if found is None else found.answer.reply.value

    def scan(self, text: str) -> str:
        """The answer to a code that is scanned by hand now."""
        found = self.answer(self.hand(text))
        assert found is not None
        return found.answer.reply.value

    def restart(self) -> None:
        """Forgets what is in memory, and answers what is in the ledger alone."""
        answered = {cause_of(event) for event in self.events}
        self._recent = {cause.id: cause for cause in self.causes if cause.id in answered}
        for cause in sorted(self.causes, key=lambda one: one.id):
            self.answer(cause)
