"""Rows for tests of the ledger."""

from __future__ import annotations

from typing import Any

from edge.ledger.rows import Entry


def entry(item: int, **changes: Any) -> Entry:
    """An accepted item, changed by `changes`."""
    whole: dict[str, Any] = {
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
    return Entry(**(whole | changes))
