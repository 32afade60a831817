"""What an outbox's entries are given to: the seam between the pump and each other system.

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
    """One row of an outbox: something that happened, and that other systems are to hear of."""

    sequence: int
    """Its number in its outbox, which has no gaps."""
    id: str
    """The event's id, a UUID version 7: a receiver that sees it a second time drops it."""
    kind: str
    """What happened: a key of KINDS in `edge/events/` or `edge/receiving/events.py`."""
    time: str
    """When it happened: UTC, ISO 8601 with microseconds."""
    station: str
    payload: Mapping[str, Any]
    """The whole event as a JSON object, with `id`, `kind`, `time` and `station`."""


@dataclass(frozen=True, slots=True)
class Refused:
    """An entry that the receiver will never take: set aside, so that it does not hold up others."""

    entry: Entry
    reason: str
    """Why, for a person."""


class ReceiverUnavailable(PilahError):  # noqa: N818 - it is no mistake of anybody's
    """A receiver cannot be reached now, or does not answer: the same entries are sent later."""


class Receiver(Protocol):
    """Another system that is told of what happens. Used by one thread, which is its own."""

    @property
    def name(self) -> str:
        """What its section in the station file is called: `mqtt`."""
        ...

    def send(self, entries: Sequence[Entry]) -> Sequence[Refused]:
        """Gives `entries` to the system, in their order.

        Returns when all of them but the refused are safely there.

        Raises:
            ReceiverUnavailable: not now; some may have arrived.
        """
        ...

    def close(self) -> None:
        """Ends the connection; may be called twice."""
        ...
