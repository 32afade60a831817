"""The interface to other systems, to which the pump sends the entries of the outboxes.

A receiver is one module that has a class with these three members, a section in
`edge/config/publish/`, and a line in `edge/publish/receivers.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from edge.core.errors import PilahError


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of an outbox: an event that is to be sent to other systems."""

    sequence: int
    """The number of the entry in its outbox, which has no gaps."""
    id: str
    """The event's id, a UUID version 7; a receiver ignores an id that it has already."""
    kind: str
    """The kind of the event: a key of KINDS in `edge/events/` or `edge/receiving/events.py`."""
    time: str
    """The time of the event: UTC, ISO 8601 with microseconds."""
    station: str
    payload: Mapping[str, Any]
    """The whole event as a JSON object, with `id`, `kind`, `time` and `station`."""


@dataclass(frozen=True, slots=True)
class Refused:
    """An entry that the receiver will never take; it is set aside so that it delays no others."""

    entry: Entry
    reason: str
    """Why it was refused, for a person to read."""


class ReceiverUnavailable(PilahError):  # noqa: N818 - it is no mistake of anybody's
    """A receiver cannot be reached now, or does not answer; the same entries are sent later."""


class Receiver(Protocol):
    """Another system to which entries are sent. Used by one thread, which is its own."""

    @property
    def name(self) -> str:
        """The name of its section in the station file, such as `mqtt`."""
        ...

    def send(self, entries: Sequence[Entry]) -> Sequence[Refused]:
        """Sends `entries` to the system, in their order.

        Returns the refused entries, once the system has all the others safely.

        Raises:
            ReceiverUnavailable: they cannot be sent now; some may have arrived.
        """
        ...

    def close(self) -> None:
        """Ends the connection; may be called twice."""
        ...
