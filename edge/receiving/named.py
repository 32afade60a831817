"""What a person means at the desk: a line, an event to undo, a piece that was stopped; and why
something is refused there."""

from __future__ import annotations

from collections.abc import Sequence

from edge.core.errors import DeliveryRefusedError, UsageError
from edge.core.suggestions import did_you_mean
from edge.core.terminal.sentence import Sentence
from edge.receiving.delivery import Line
from edge.receiving.events import UNDOABLE, CountUndone, DeliveryEvent, PictureDisagreed
from edge.receiving.scan import Scan
from edge.receiving.state import DeliveryState


def line_of(state: DeliveryState, line: int | str) -> Line:
    """The line of a delivery with the given number or SKU.

    Raises:
        UsageError: there is none, or several lines have the SKU.
    """
    found = [one for one in state.lines if str(one.number) == str(line)]
    named = [one for one in state.lines if one.sku == line]
    if len(named or found) == 1:
        return (named or found)[0]
    if named:
        numbers = ", ".join(str(one.number) for one in named)
        raise UsageError(f"several lines have the SKU {line}: give a number, one of {numbers}")
    near = did_you_mean(str(line), [one.sku for one in state.lines])
    raise UsageError(f"the delivery {state.delivery} has no line {line!r}{near}")


def event_to_undo(
    live: Sequence[DeliveryEvent], event_id: str | None, delivery: str
) -> DeliveryEvent:
    """The event that is to be undone; see `Desk.undo`.

    Args:
        live: the events of the delivery that count.

    Raises:
        DeliveryRefusedError: there is nothing to undo.
        UsageError: no event has an id that ends so, or several have.
    """
    able = [event for event in live if isinstance(event, UNDOABLE)]
    if event_id is None:
        last = [event for event in able if not isinstance(event, CountUndone)]
        if not last:
            said = Sentence("nothing that can be undone was counted on {name}", name=delivery)
            raise refused(said, kind="nothing_to_undo")
        return last[-1]
    found = [event for event in able if event.id.endswith(event_id)]
    if not found:  # somebody else may have undone it
        raise UsageError(
            Sentence(
                "no event that counts ends in {id}: `delivery status --events` lists them",
                id=repr(event_id),
            )
        )
    if len(found) > 1:
        raise UsageError(
            f"several events end in {event_id!r}: `delivery status --events` lists them"
        )
    return found[0]


def stopped_piece(state: DeliveryState, event_id: str, scan: Scan) -> PictureDisagreed:
    """The event with that id, by which the station stopped a piece with the code of `scan`.

    Raises:
        DeliveryRefusedError: the piece waits for nobody any more.
    """
    for one in state.disagreements:
        if one.id == event_id and one.code == scan.code.text:
            return one
    said = Sentence(
        "no piece with the code {code} is stopped any more: somebody has decided already. Nothing "
        "was counted",
        code=scan.code.text,
    )
    raise refused(said, kind="decided")


def refused(message: Sentence, *, kind: str) -> DeliveryRefusedError:
    """A refusal, with the word for its kind."""
    found = DeliveryRefusedError(message)
    found.kind = kind
    return found
