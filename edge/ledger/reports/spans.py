"""The time that a station spent in each state, and its stops, from the rows of `state_changed`.

Pure. Times are whole microseconds since 1970, so that sums are exact.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

UNKNOWN = "unknown"
"""What a station did after it was killed or lost its power, until the next start."""
_EXECUTE = "Execute"
_PRODUCTION = "Production"
STARTING = "Starting"
"""The first state of a run."""
ENDED = ("Stopped", "Complete")
"""The last states of one that ended in order."""


class StateRow(NamedTuple):
    """A row of `state_changed`."""

    time: int
    since: int
    state: str
    mode: str
    reason: str = ""
    scope: str = ""
    first: str = ""
    first_incident: str | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """A time in one state."""

    row: StateRow
    begin: int
    end: int

    @property
    def state(self) -> str:
        """The state; UNKNOWN where nobody could write it down."""
        return self.row.state

    @property
    def length(self) -> int:
        """Microseconds."""
        return self.end - self.begin

    def within(self, begin: int, end: int) -> Span | None:
        """The part of it between two moments; None: it has none there, or no length."""
        first, last = max(self.begin, begin), min(self.end, end)
        return Span(self.row, first, last) if first < last else None


@dataclass(frozen=True, slots=True)
class Stop:
    """A time between two times in Execute in which the station stood for a reason."""

    begin: int
    end: int
    reason: str
    """The first one."""
    scope: str
    states: tuple[str, ...]
    incident_id: str | None

    @property
    def length(self) -> int:
        """Microseconds."""
        return self.end - self.begin


class ParetoLine(NamedTuple):
    """The stops of one reason."""

    reason: str
    stops: int
    """How many there were."""
    length: int
    """Microseconds, of all of them."""


def spans(rows: Sequence[StateRow], *, lives: Sequence[int], end: int) -> list[Span]:
    """The states of a station one after the other.

    Args:
        rows: run by run, and each as it was written.
        lives: for each row with Starting, in order, when the run before showed the last sign of
            life in the ledger; it counts only where that run did not end in order.
        end: when the last state ends.
    """
    found: list[Span] = []
    signs = iter(lives)
    for index, row in enumerate(rows):
        # Where the clock was set back, a run begins at a time at which another one ran before.
        first = index == 0 or row.state == STARTING
        begin = row.since if first else max(row.since, found[-1].begin)
        if row.state == STARTING:
            alive = next(signs)
            if found and found[-1].state not in ENDED:  # it was killed, or lost its power
                before = found.pop()
                known = max(before.begin, alive)
                found.append(Span(before.row, before.begin, known))
                unknown = StateRow(known, known, UNKNOWN, row.mode)
                found.append(Span(unknown, known, max(known, begin)))
        if found:
            last = found.pop()
            found.append(Span(last.row, last.begin, max(last.begin, begin)))
        found.append(Span(row, begin, begin))
    if found:
        last = found.pop()
        found.append(Span(last.row, last.begin, max(last.begin, end)))
    return found


def stops(found: Iterable[Span]) -> Iterator[Stop]:
    """The stops among the states of a station while it was in production. States of no length
    count, too: they part stops."""
    chain: list[Span] = []
    for span in found:
        if span.row.first and span.row.mode == _PRODUCTION:
            chain.append(span)
        elif chain:
            yield _stop(chain)
            chain = []
    if chain:
        yield _stop(chain)


def time_in_state(found: Iterable[Span]) -> Counter[tuple[str, str]]:
    """Microseconds by state and mode."""
    total: Counter[tuple[str, str]] = Counter()
    for span in found:
        total[span.state, span.row.mode] += span.length
    return total


def pareto(found: Iterable[Stop]) -> list[ParetoLine]:
    """The stops by their reason, those that took longest first."""
    counts: Counter[str] = Counter()
    lengths: Counter[str] = Counter()
    for stop in found:
        counts[stop.reason] += 1
        lengths[stop.reason] += stop.length
    lines = [ParetoLine(reason, counts[reason], lengths[reason]) for reason in counts]
    return sorted(lines, key=lambda line: (-line.length, line.reason))


def planned(found: Iterable[Span]) -> int:
    """Microseconds in which the station was to sort: in Execute, or standing for a reason, or
    starting, or ended by an error; not while somebody had ended it, nor in a mode other than
    Production, nor UNKNOWN."""
    return sum(
        span.length
        for span in found
        if span.row.mode == _PRODUCTION and (span.state in (_EXECUTE, STARTING) or span.row.first)
    )


def unknown(found: Iterable[Span]) -> int:
    """Microseconds in Production of which nobody knows whether it was to sort, and did."""
    return sum(
        span.length for span in found if span.row.mode == _PRODUCTION and span.state == UNKNOWN
    )


def executing(found: Iterable[Span]) -> int:
    """Microseconds in Execute."""
    return sum(span.length for span in found if span.state == _EXECUTE)


def _stop(chain: Sequence[Span]) -> Stop:
    row = chain[0].row
    states = tuple(dict.fromkeys(span.state for span in chain))
    return Stop(chain[0].begin, chain[-1].end, row.first, row.scope, states, row.first_incident)
