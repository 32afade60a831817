"""One run of a station in a folder, with mock pins, and all that was seen of it."""

from __future__ import annotations

import queue
from collections.abc import Callable
from pathlib import Path

from edge.config.reading import read_station
from edge.events import (
    Event,
    ItemSorted,
    of_items,
)
from edge.ledger.ledger import Ledger
from edge.pins.pins import open_pins
from edge.runtime.clock import SYSTEM_CLOCK, Clock
from edge.runtime.service import Notifier
from edge.runtime.worker import Endings
from edge.sorting.openers import Openers
from edge.sorting.tally import Tally
from edge.station import Station
from tests.edge.stations import STATION, make_station
from tests.logged import listen

LONG_HOLDS = STATION.replace("hold_seconds: 0.1", "hold_seconds: 50").replace(
    "pin: 23,", "pin: 23, max_on_seconds: 50,"
)
SERVO, SOLENOID = 18, 23
REST_PULSE = 1.5 / 20


class Run:
    """One run of a station in a folder, and all that was seen of it."""

    def __init__(self, folder: Path, bundle: Path, text: str = STATION) -> None:
        self.file = make_station(folder, text=text, bundle=bundle)
        self.endings: Endings = queue.SimpleQueue()
        self.shown: list[ItemSorted] = []
        self.seen: list[Event] = []
        self.said: list[str] = []
        listen(self.said.append)
        self.pins = open_pins(folder / "no board")
        self._kept = {number: self.pins.factory.pin(number) for number in (SERVO, SOLENOID)}

    def __call__(
        self,
        *,
        max_items: int | None = None,
        clock: Clock = SYSTEM_CLOCK,
        notifier: Notifier | None = None,
    ) -> Tally:
        with Station(
            read_station(self.file),
            endings=self.endings,
            observers=[of_items(self.shown.append), self.seen.append],
            openers=Openers(pins=lambda: self.pins),
            notifier=notifier,
            clock=clock,
        ) as station:
            return station.run(max_items=max_items)

    def states(self, number: int) -> list[float]:
        return [state.state for state in self._kept[number].states]

    def entries(self) -> list[ItemSorted]:
        with Ledger(self.file.with_name("ledger.sqlite")) as ledger:
            return list(ledger.entries())


NewRun = Callable[..., Run]
"""A function that makes a run in a folder of its own, of the given text of a station file."""
