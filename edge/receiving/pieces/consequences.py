"""What follows for the ledger from the answer to a piece. Pure.

The rows are the same whenever they are made: their ids follow from that of the answer's event. So
whoever finds that one is not in the ledger writes it, and none is there twice.
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
    """The event that answers a piece, and what was written for the piece before."""

    event: PieceCounted | PictureDisagreed
    before: DeliveryEvent | None
    """What `event` replaces; None: it is the first."""

    @property
    def item_id(self) -> str | None:
        """The id of the item that the station saw of the piece; None: it saw none."""
        found: str | None = self.event.item_id or getattr(self.before, "item_id", None)
        return found

    @property
    def incident_id(self) -> str | None:
        """The id of the incident that follows; None: none does, or it followed from `before`."""
        stopped = isinstance(self.event, PictureDisagreed)
        if not stopped or isinstance(self.before, PictureDisagreed):
            return None
        return derived_uuid7(self.event.id, "incident")

    @property
    def correction_id(self) -> str | None:
        """The id of the correction of the item's quantity that may follow; None: none does."""
        return None if self.item_id is None else derived_uuid7(self.event.id, "correction")


def consequences(given: AnswerGiven, line: Line, item: ItemSorted | None) -> Iterator[Event]:
    """What follows from an answer: where the item's row says that it went to its lane as another
    number of pieces than it counts for, a correction; and where the picture newly says otherwise
    than the code, an incident.

    Args:
        line: the one that the code names.
        item: the row of `given.item_id`; None: there is none.
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
