"""Rows for tests of the ledger."""

from __future__ import annotations

from typing import Any

from edge.core.uuid7 import uuid7_text
from edge.events import ActuationEnded, ItemCorrected, ItemSorted


def entry(item: int, **changes: Any) -> ItemSorted:
    """An accepted item, changed by `changes`."""
    whole: dict[str, Any] = {
        "id": uuid7_text(1_795_302_276_123, 0, item),
        "time": "2026-11-21T23:04:36.123456Z",
        "station": "bin-1",
        "item": item,
        "source": f"{item}.jpg",
        "label": "can",
        "confidence": 0.9,
        "scores": {"can": 0.9, "bottle": 0.1},
        "accepted": True,
        "reject": None,
        "lane": "metal",
        "bundle": "tiny 1",
        "bundle_digest": "0" * 64,
        "latency_ms": 4.2,
        "frames": 3,
    }
    return ItemSorted(**(whole | changes))


def actuation(item: int, **changes: Any) -> ActuationEnded:
    """The end of an actuation for the item `entry(item)`, which moved, changed by `changes`."""
    whole: dict[str, Any] = {
        "id": uuid7_text(1_795_302_276_123, 1, item),
        "time": "2026-11-21T23:04:36.123456Z",
        "station": "bin-1",
        "item": item,
        "lane": "metal",
        "ended": "2026-11-21T23:05:00.000000Z",
        "missed": None,
        "item_id": entry(item).id,
    }
    return ActuationEnded(**(whole | changes))


def correction(item: int, field: str, old: str | None, new: str, second: int = 0) -> ItemCorrected:
    """A correction of the item `entry(item)`, made at a second of one minute."""
    return ItemCorrected(
        id=uuid7_text(1_795_302_600_000 + second, 0, item),
        time=f"2026-11-21T23:10:{second:02}.000000Z",
        station="bin-1",
        item_id=entry(item).id,
        who="Ana",
        field=field,
        old=old,
        new=new,
        why="it was another",
    )
