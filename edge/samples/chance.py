"""Chance that lies in an item's id, so that everyone who asks gets the same."""

from __future__ import annotations

from hashlib import blake2b


def chance_of(item_id: str) -> float:
    """A pseudo-random number from 0 to 1, which is always the same for the same item."""
    mark = blake2b(item_id.encode(), digest_size=8).digest()
    return int.from_bytes(mark, "big") / 2**64
