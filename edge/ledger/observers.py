"""Tells observers of events once these are written, and deals with observers that fail."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from edge.core.redaction import redacted
from edge.events import ActuationEnded, Event, ItemSorted, Observer
from edge.flow import Missed

_log = logging.getLogger(__name__)


class Observers:
    """Tells each observer of each event, in order, even if one of them fails."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        """Tells nothing yet."""
        self._observers = observers
        self._failed: set[int] = set()

    def tell(self, events: Iterable[Event]) -> None:
        """Tells every observer of each of `events`."""
        for event in events:
            for number, observer in enumerate(self._observers):
                try:
                    observer(event)
                except Exception as error:  # whatever it is, rows have to be written
                    if number not in self._failed:
                        self._failed.add(number)
                        name = getattr(observer, "__qualname__", type(observer).__qualname__)
                        _log.warning(
                            f"warning    {name} failed when it was told of an event "
                            f"({type(error).__name__}: {redacted(str(error))}). It is told of the "
                            "next ones all the same, and this is said once"
                        )


def log_missed(event: Event) -> None:
    """An observer that logs each actuator that did not move."""
    if isinstance(event, ItemSorted | ActuationEnded) and event.missed is not None:
        words = Missed(event.missed).words
        _log.warning(f"missed     item {event.item}: {event.lane} did not move: {words}")
