"""Outboxes with entries in them, and receivers that take them, for tests."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

import pytest

from edge.events import Event, kind_of
from edge.ledger.ledger import Ledger
from edge.publish.outbox_file import OutboxFile
from edge.publish.pump import Backoff, Pump
from edge.publish.receiver import Entry, ReceiverUnavailable, Refused
from edge.publish.settled import Settled
from tests.edge.ledger.entries import entry
from tests.edge.outbox.test_table import keep_at

NUMBERS = itertools.count(1)
"""The numbers of entries."""


def entry_of(event: Event) -> Entry:
    """The entry of an outbox for an event of the ledger."""
    kind = kind_of(event)
    payload = asdict(event) | {"kind": kind}
    return Entry(next(NUMBERS), event.id, kind, event.time, event.station, payload)


def hurry(monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
    """Has the time of an attempt run out after so many steps."""
    begin, left = Settled.begin, [0]

    def begun(self: Settled, entries: Iterable[Entry]) -> list[Entry]:
        left[0] = steps
        return begin(self, entries)

    def check_time(self: Settled) -> None:
        if not left[0]:
            raise ReceiverUnavailable("it answers slowly")
        left[0] -= 1

    monkeypatch.setattr(Settled, "begin", begun)
    monkeypatch.setattr(Settled, "check_time", check_time)


def write(folder: Path, *numbers: int) -> None:
    """Adds items of these numbers to the ledger in `folder`, with their entries."""
    with Ledger(folder / "ledger.sqlite", keep=keep_at(folder)) as ledger:
        ledger.append([entry(number) for number in numbers])


class Taking:
    """A receiver that keeps what it is given.

    Attributes:
        taken: the entries, in the order they came in.
    """

    def __init__(self, name: str = "mqtt") -> None:
        self.name = name
        self.taken: list[Entry] = []
        self.away = 0
        """So many calls fail from now on."""
        self.fails: Exception | None = None
        """What every call raises."""
        self.refuses: Callable[[Entry], bool] = lambda entry: False
        self.closed = False

    def send(self, entries: Sequence[Entry]) -> list[Refused]:
        """See `Receiver`; a call that fails has taken the first half."""
        if self.fails is not None:
            raise self.fails
        if self.away:
            self.away -= 1
            self.taken += entries[: len(entries) // 2]
            raise ReceiverUnavailable("it is away")
        refused = [Refused(one, "not this one") for one in entries if self.refuses(one)]
        self.taken += [one for one in entries if not self.refuses(one)]
        return refused

    def close(self) -> None:
        """See `Receiver`."""
        self.closed = True

    @property
    def items(self) -> list[int]:
        """The numbers of the items, each once, in the order they first came in."""
        return list({one.payload["item"]: None for one in self.taken})


class NoPause(Backoff):
    """Attempts follow one another at once."""

    def failed(self) -> float:
        """See `Backoff`."""
        return 0.0


def pump_once(folder: Path, receiver: Taking) -> Pump:
    """A pump that has sent what is in the outboxes in `folder`."""
    pump = pump_of(folder, receiver, once=True)
    pump.run()
    return pump


def pump_of(
    folder: Path,
    receiver: Taking,
    *,
    once: bool = False,
    stopping: threading.Event | None = None,
) -> Pump:
    """A pump for the outboxes in `folder`, which does not pause between attempts."""
    return Pump(
        receiver,
        [
            OutboxFile("ledger", folder / "ledger.sqlite"),
            OutboxFile("deliveries", folder / "ledger-deliveries.sqlite"),
        ],
        folder / "ledger-publish.sqlite",
        stopping=stopping or threading.Event(),
        once=once,
        backoff=NoPause(),
    )
