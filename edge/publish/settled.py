"""The outcomes of the entries of a batch that is not complete yet.

A slow system may take longer for a batch than a pump may be silent. So a receiver stops in time and
goes on at the next attempt, at which what was settled before is not sent again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from edge.publish.receiver import Entry, ReceiverUnavailable, Refused
from edge.runtime.clock import SYSTEM_CLOCK

SEND_SECONDS = 40.0
"""After so long nothing more is begun at one attempt: a request may take some 20 s, and a pump that
is silent for 120 s is taken to hang."""


class Settled:
    """Remembers which entries a system has taken or refused; used by one thread."""

    def __init__(self) -> None:
        """Nothing is settled."""
        self._reasons: dict[str, str | None] = {}
        self._until = 0.0

    def begin(self, entries: Iterable[Entry]) -> list[Entry]:
        """Begins an attempt; those of `entries` that are not settled."""
        self._until = SYSTEM_CLOCK.now() + SEND_SECONDS
        return [entry for entry in entries if entry.id not in self._reasons]

    def check_time(self) -> None:
        """Checks that there is time for one more request in this attempt.

        Raises:
            ReceiverUnavailable: the next attempt goes on.
        """
        if SYSTEM_CLOCK.now() > self._until:
            raise ReceiverUnavailable("it answers slowly, and the rest of the batch is sent next")

    def settle(self, entry: Entry, reason: str | None = None) -> None:
        """The system has the entry, or refuses it for a reason."""
        self._reasons[entry.id] = reason

    def end(self, entries: Sequence[Entry]) -> list[Refused]:
        """Ends the last attempt; those of `entries` that were refused at any."""
        # Of these alone: a batch of the other outbox may come in between two attempts.
        return [
            Refused(entry, reason)
            for entry in entries
            if (reason := self._reasons.pop(entry.id, None)) is not None
        ]
