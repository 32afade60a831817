"""What a person who looks through pictures decides: an audit of each, and a correction where the
station was wrong, all in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from edge.core.errors import UsageError
from edge.events import Event, ItemAudited, ItemCorrected, Stamps, utc_text
from edge.ledger.export.reading import ExportedItem, find_item
from edge.ledger.ledger import Ledger
from edge.ledger.reports.last_run import desk_stamps
from edge.ledger.sqlite_file import has_events, open_to_read
from edge.outbox.retention import Keep
from edge.runtime.clock import SYSTEM_CLOCK

NOT_AN_ITEM = "empty"
"""The label of a picture with nothing in it, as `pilah-edge capture` uses it."""
WHY = "review of pictures"
"""The reason in the corrections."""
_AUDITED = (
    "SELECT json_extract(details, '$.item_id'), json_extract(details, '$.label'), "
    "json_extract(details, '$.lane') FROM events WHERE kind = 'item_audited' AND time >= ? "
    "ORDER BY +id"  # not by the table's own order, but by the index of audits: few are sorted
)


class ReviewDecision(NamedTuple):
    """What somebody says that an item is."""

    item_id: str
    label: str | None
    """A label of the station; NOT_AN_ITEM; None: an earlier decision is taken back."""
    drawn: bool = False
    """Whether the item was chosen by chance, whatever its score."""


def decided_items(path: Path, since: float) -> set[str]:
    """The ids of items that were decided on, and not taken back.

    Args:
        since: seconds since 1970; audits before are not looked at.

    Raises:
        LedgerError: the ledger cannot be read.
    """
    with open_to_read(path) as connection:
        if not has_events(connection):
            return set()
        rows = connection.execute(_AUDITED, (utc_text(since),)).fetchall()
    newest = {str(item): lane is not None or label == NOT_AN_ITEM for item, label, lane in rows}
    return {item for item, decided in newest.items() if decided}


def review(
    path: Path,
    decisions: Sequence[ReviewDecision],
    lanes: Mapping[str, Sequence[str]],
    *,
    who: str,
    keep: Keep | None = None,
    wall: Callable[[], float] = SYSTEM_CLOCK.wall,
) -> list[Event]:
    """Writes down what somebody decided, all or nothing, and returns what was written.

    One that is taken back leaves an audit without a lane, which counts for no purity, and the
    station's own label.

    Args:
        lanes: the labels of each lane of the station.
        who: the name of the person.
        keep: what the ledger's outbox keeps; None: nothing is written to the outbox.
        wall: seconds since 1970.

    Raises:
        UsageError: there is no such item, or no lane has the label.
        LedgerError: the ledger cannot be read or written.
    """
    lane_of = {label: lane for lane, labels in lanes.items() for label in labels}
    stamps = cache(lambda station: desk_stamps(path, station, wall))
    made: list[Event] = []
    for decision in decisions:
        found = find_item(path, decision.item_id)
        if found is None:
            raise UsageError(f"there is no item with the id {decision.item_id}")
        if decision.label not in (None, NOT_AN_ITEM, *lane_of):
            raise UsageError(
                f"no lane has the label {decision.label!r}: they have {', '.join(lane_of)}"
            )
        made += _events(found, decision, lane_of, who, stamps(found.row["station"]))
    with Ledger(path, keep=keep) as ledger:
        ledger.append(made)
    return made


def _events(
    item: ExportedItem,
    decision: ReviewDecision,
    lane_of: Mapping[str, str],
    who: str,
    stamps: Stamps,
) -> list[Event]:
    own = item.row["label"]
    label = own if decision.label is None else decision.label
    lane = None if decision.label is None else lane_of.get(decision.label)
    made: list[Event] = [
        ItemAudited(
            *stamps.now(), item_id=item.row["id"], label=label or NOT_AN_ITEM, lane=lane, who=who,
            drawn=decision.drawn,
        )
    ]  # fmt: skip
    now = item.corrected.get("label", own)
    if label is not None and label != now and label != NOT_AN_ITEM:
        made.append(
            ItemCorrected(*stamps.now(), item.row["id"], who, "label", _text(now), label, WHY)
        )
    return made


def _text(value: object) -> str | None:
    return None if value is None else str(value)
