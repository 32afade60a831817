"""The differences between a delivery and its count, for the status and the report (pure).

While the expected figures of a blind delivery are hidden, nothing here contains them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edge.receiving.delivery import Line
from edge.receiving.state import Count, DeliveryState, Phase

Gettext = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a delivery beside its count."""

    line: Line
    count: Count
    hidden: bool

    @property
    def expected(self) -> int | None:
        """How many pieces were announced; None while that is hidden."""
        return None if self.hidden else self.line.expected

    @property
    def difference(self) -> int | None:
        """How many pieces are too many, negative if pieces are missing; None while that is
        hidden."""
        return None if self.hidden else self.count.counted - self.line.expected

    @property
    def over(self) -> int:
        """How many pieces are too many; 0 while that is hidden."""
        return max(0, self.difference or 0)

    @property
    def short(self) -> int:
        """How many pieces are missing; 0 while that is hidden."""
        return max(0, -(self.difference or 0))

    @property
    def serials_missing(self) -> tuple[str, ...] | None:
        """The announced serial numbers that were not counted; None while they are hidden."""
        if self.hidden:
            return None
        return tuple(one for one in self.line.serials if one not in self.count.serials)

    def other_lots(self, gettext: Gettext = str) -> tuple[str, ...]:
        """The lots and expiries that were read but not announced, each with its number of
        pieces.

        Args:
            gettext: translates a text.
        """
        line, _ = self.line, gettext
        return tuple(
            _("%(pieces)s of lot %(lot)s") % {"pieces": pieces, "lot": lot or "-"}
            + (", " + _("expiry %s") % expiry if expiry else "")
            for (lot, expiry), pieces in self.count.lots.items()
            if (lot not in (None, line.lot)) or (expiry not in (None, line.expiry))
        )

    @property
    def differs(self) -> bool:
        """Whether this line differs from the announcement, in a figure that is not hidden."""
        return bool(
            self.difference or self.count.damaged or self.serials_missing or self.other_lots()
        )


def rows(state: DeliveryState) -> tuple[Row, ...]:
    """A row for each line."""
    return tuple(Row(line, state.count(line.number), state.hidden) for line in state.lines)


def containers_missing(state: DeliveryState) -> tuple[str, ...]:
    """The SSCC of each container that was announced and whose code was not scanned."""
    return tuple(sscc for sscc in state.expected.containers if sscc not in state.arrived)


def aside_pieces(state: DeliveryState) -> int:
    """How many pieces were put aside."""
    return sum(aside.pieces for aside in state.asides)


def outcome_words(state: DeliveryState, gettext: Gettext = str) -> str:
    """The delivery's phase and outcome in words: `closed: short, the rest is expected as D1-B1`.

    Args:
        gettext: translates a text.
    """
    _ = gettext
    phases = {
        Phase.EXPECTED: _("expected"), Phase.COUNTING: _("counting"), Phase.CHECKED: _("checked"),
        Phase.WITHDRAWN: _("withdrawn"),
    }  # fmt: skip
    if state.phase is not Phase.CLOSED:
        return phases[state.phase]
    outcomes = {
        "complete": _("closed: complete"), "short": _("closed: short"), "over": _("closed: over"),
    }  # fmt: skip
    parts = [outcomes[str(state.outcome)]]
    if state.back_order is not None:
        parts.append(_("the rest is expected as %s") % state.back_order)
    if state.reopened_as is not None:
        parts.append(_("reopened as %s") % state.reopened_as)
    return ", ".join(parts)


def as_json(state: DeliveryState) -> dict[str, Any]:
    """The state of the delivery for JSON. Hidden figures are null."""
    return {
        "delivery": state.delivery,
        "state": str(state.phase),
        "outcome": state.outcome,
        "blind": state.expected.blind,
        "back_order": state.back_order,
        "back_order_of": state.back_order_of,
        "reopens": state.reopens,
        "reopened_as": state.reopened_as,
        "opened": state.opened,
        "closed": state.closed,
        "lines": [
            {
                "line": row.line.number,
                "sku": row.line.sku,
                "gtin": row.line.gtin,
                "description": row.line.description,
                "label": row.line.label,
                "lot": row.line.lot,
                "container": row.line.container,
                "expected": row.expected,
                "counted": row.count.counted,
                "difference": row.difference,
                "damaged": row.count.damaged,
                "seen": row.count.seen,
                "serials_missing": row.serials_missing,
                "other_lots": row.other_lots(),
            }
            for row in rows(state)
        ],
        "put_aside": [
            {
                "id": aside.id,
                "time": aside.time,
                "by": aside.by,
                "pieces": aside.pieces,
                "code": aside.code,
                "label": aside.label,
                "reason": aside.reason,
                "photograph": aside.photograph,
            }
            for aside in state.asides
        ],
        "picture_otherwise": [
            {"id": one.id, "time": one.time, "line": one.line, "code": one.code, "seen": one.seen}
            for one in state.disagreements
        ],
        "containers_missing": None if state.hidden else containers_missing(state),
    }
