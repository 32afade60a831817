"""Events whose rows are in memory only: any thread offers them, and the recorder takes them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import islice
from threading import Condition

from edge.events import Event, StateChanged
from edge.ledger.losses import Losses


class WaitingRows:
    """A bounded queue of events, which knows of which of them the observers have been told.

    `offer`, `offered`, `count` and `len` are for any thread. The others are for the one that takes
    the events.
    """

    def __init__(self, changed: Condition, capacity: int, losses: Losses) -> None:
        """Nothing waits.

        Args:
            changed: is notified of each event that is offered.
            capacity: how many events may wait.
            losses: counts the events for which there is no room.
        """
        self._changed, self._capacity, self._losses = changed, capacity, losses
        self._offered: deque[Event] = deque()
        self._taken: deque[Event] = deque()
        self._urgent = 0
        """How many of the taken events are changes of the state."""
        self._newest_state = self._kept_state = ""
        """The ids of the newest change of the state that was offered, and of the newest that was
        written; ids never go back."""
        self._told = 0
        """How many of the first taken events the observers have been told of."""

    def __len__(self) -> int:
        """How many events wait; takes no lock, so that it may be one off."""
        return len(self._offered) + len(self._taken)

    def offer(self, event: Event) -> None:
        """Takes an event without waiting; where there is no room any more, its row is lost."""
        with self._changed:
            if isinstance(event, StateChanged):
                self._newest_state = event.id
            if len(self) < self._capacity:
                self._offered.append(event)
            else:
                self._losses.add([event])
            self._changed.notify()

    @property
    def offered(self) -> bool:
        """Whether there are events that were not taken yet."""
        return bool(self._offered)

    @property
    def keeps_state(self) -> bool:
        """Whether the newest change of the state was written; not so where there was no room."""
        return self._kept_state >= self._newest_state

    def count(self, kind: type[Event]) -> int:
        """How many events of a class wait."""
        with self._changed:
            return sum(isinstance(row, kind) for row in (*self._offered, *self._taken))

    @property
    def taken(self) -> Sequence[Event]:
        """The events that were taken and not dropped, in the order they were offered in."""
        return self._taken

    @property
    def is_crowded(self) -> bool:
        """Whether so many were taken that more than half of the room is used up."""
        return len(self._taken) > self._capacity // 2

    @property
    def is_urgent(self) -> bool:
        """Whether a change of the state or the mode was taken: who reaches into the machine next
        may cut its supply, and it must not have forgotten that."""
        return self._urgent > 0

    def take(self) -> None:
        """Takes all events that were offered."""
        with self._changed:
            self._urgent += sum(isinstance(event, StateChanged) for event in self._offered)
            self._taken.extend(self._offered)
            self._offered.clear()

    def first(self, count: int) -> list[Event]:
        """The first events that were taken, `count` at most."""
        return list(islice(self._taken, count))

    def drop(self, count: int, *, lost: bool = False) -> list[Event]:
        """Removes the first `count` events, and returns those that observers do not know yet.

        Args:
            lost: whether they were written nowhere.
        """
        with self._changed:
            rows = [self._taken.popleft() for _ in range(count)]
            states = [row.id for row in rows if isinstance(row, StateChanged)]
            self._urgent -= len(states)
            if states and not lost:
                self._kept_state = states[-1]
                self._changed.notify_all()
        untold = rows[self._told :]
        self._told = max(0, self._told - count)
        return untold

    def tell_all(self) -> list[Event]:
        """The taken events that observers do not know yet; from now on they count as told of."""
        untold = list(self._taken)[self._told :]
        self._told = len(self._taken)
        return untold
