"""The rows for the ledger that follow from the answer to a piece. Pure.

The rows are the same whenever they are made, because their ids are derived from the id of the
answer's event. So a row that is missing in the ledger can be written later, and none twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from edge.core.uuid7 import derived_uuid7
from edge.core.verdict import RejectReason
from edge.events import Event, ItemCorrected, ItemSorted, PictureContradicted
from edge.receiving.delivery import Line
from edge.receiving.events import DeliveryEvent, PictureDisagreed, PieceCounted
from edge.receiving.scan import Reply


class AnswerGiven(NamedTuple):
    """The event that is the answer to a piece, with the event that it replaces."""

    event: PieceCounted | PictureDisagreed
    before: DeliveryEvent | None
    """The event that `event` replaces; None if it replaces none."""

    @property
    def item_id(self) -> str | None:
        """The id of the item in which the station saw the piece; None if it did not see it."""
        found: str | None = self.event.item_id or getattr(self.before, "item_id", None)
        return found

    @property
    def incident_id(self) -> str | None:
        """The id of the incident that follows; None if none follows, or if it followed from
        `before` already."""
        stopped = isinstance(self.event, PictureDisagreed)
        if not stopped or isinstance(self.before, PictureDisagreed):
            return None
        return derived_uuid7(self.event.id, "incident")

    @property
    def correction_id(self) -> str | None:
        """The id of the correction of the item's quantity that may follow; None without an item."""
        return None if self.item_id is None else derived_uuid7(self.event.id, "correction")


def consequences(given: AnswerGiven, line: Line, item: ItemSorted | None) -> Iterator[Event]:
    """The rows that follow from an answer.

    A correction follows if the item counts for another number of pieces than its row says, and an
    incident if the picture contradicts the code and did not do so before.

    Args:
        given: the answer.
        line: the line that the code names.
        item: the row of the item with the id `given.item_id`; None if there is none.
    """
    event, before = given
    if item is not None and given.correction_id is not None and item.accepted:
        replaces_item = getattr(before, "item_id", None) == item.id
        was = getattr(before, "pieces", 0) if replaces_item else item.quantity or 1
        if was != _pieces(event):
            yield ItemCorrected(
                given.correction_id,
                event.time,
                event.station,
                item_id=item.id,
                who=event.by,
                field="quantity",
                old=str(was),
                new=str(_pieces(event)),
                why=f"its code {event.code} says {line.label or line.sku}, {_reply(event)}",
            )
    if isinstance(event, PictureDisagreed) and given.incident_id is not None:
        contradicted = None if item is None else item.reject == RejectReason.CONTRADICTED
        yield PictureContradicted(
            given.incident_id,
            event.time,
            event.station,
            delivery_id=event.delivery,
            code=event.code,
            expected=line.label or "",
            seen=event.seen,
            item=None if item is None else item.item,
            item_id=given.item_id,
            lane=None if item is None else item.lane,
            in_time=contradicted,
            photograph=event.photograph,
        )


def _pieces(event: PieceCounted | PictureDisagreed) -> int:
    return event.pieces if isinstance(event, PieceCounted) else 0


def _reply(event: PieceCounted | PictureDisagreed) -> Reply:
    if isinstance(event, PictureDisagreed):
        return Reply.STOP
    return Reply.PACK if event.packs else Reply.COUNTED
