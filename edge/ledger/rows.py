"""What a station writes down: one row for every item, and one for what moved for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Entry:
    """One item's row."""

    time: str
    """When its (last) picture was taken: UTC, ISO 8601 with microseconds, such as
    2026-11-21T23:04:36.123456Z."""
    station: str
    item: int
    """Counts the items of one run of the station, from 1."""
    source: str
    """The file the picture was read from; empty for a live camera."""
    label: str | None
    """The best label, also of a rejected item; None where the picture could not be read."""
    confidence: float | None
    scores: Mapping[str, float] | None
    """By label, in the bundle's order."""
    accepted: bool
    reject: str | None
    """A RejectReason; None: accepted."""
    lane: str
    bundle: str
    """The bundle's name and version."""
    bundle_digest: str
    latency_ms: float
    """Milliseconds from the capture of the picture to the verdict; 0 where the pictures have times
    of their own that lie ahead, those of a video read as fast as can be."""
    frames: int | None
    """How many frames of the item voted; None: its row is older than this column."""
    actuation: str | None = None
    """What was to come of it, as far as the verdict tells: `planned`; `missed`; `none`, the lane
    has no actuator. None: its row is older than this column."""
    due: str | None = None
    """When the actuator is to move, as `time`; None: it is not."""
    missed: str | None = None
    """A Missed: why it is not to move, although the lane has one."""


@dataclass(frozen=True, slots=True)
class Actuation:
    """What became of one planned actuation: a row that completes that of its item."""

    station: str
    time: str
    """That of the item's row, as are `station` and `item`."""
    item: int
    lane: str
    ended: str
    """When the actuator moved, or was found not to: as `time`."""
    missed: str | None
    """A Missed; None: it moved."""


Row = Entry | Actuation


class Writable(Protocol):
    """What rows are written to."""

    def append(self, rows: Sequence[Row]) -> None:
        """Writes all or none.

        Raises:
            LedgerError: it cannot be written now.
        """
        ...

    def close(self) -> None:
        """Closes it; may be called twice."""
        ...


def utc_text(seconds: float) -> str:
    """The ledger's text for a time in seconds since 1970."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
