"""Shared by the steps of `delivery`: a person's desk at a station, and a delivery as a table."""

from __future__ import annotations

import getpass
import logging
import sqlite3
import time
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from edge.config.reading import read_receiving_config
from edge.config.receiving import deliveries_path
from edge.core.command_line import print_json
from edge.core.errors import LedgerError, LedgerInUseError, UsageError
from edge.core.terminal.speech import write_out
from edge.events import Stamps
from edge.ledger.ledger import Ledger
from edge.ledger.lock import LedgerLock
from edge.receiving.desk import Desk
from edge.receiving.pieces.missing_rows import MissingRows, is_by_a_person
from edge.receiving.reports.difference import (
    as_json,
    aside_pieces,
    containers_missing,
    outcome_words,
    rows,
)
from edge.receiving.scan import title
from edge.receiving.state import DeliveryState, Phase
from edge.receiving.store import Deliveries

_log = logging.getLogger(__name__)


@contextmanager
def desk(arguments: Namespace) -> Iterator[Desk]:
    """The desk at the station and for the person that `arguments` name."""
    config = read_receiving_config(arguments.station)
    path = deliveries_path(config.receiving, config.ledger.path)
    with Deliveries(path, keep=config.keep) as deliveries:
        yield Desk(
            deliveries, Stamps(config.station, time.time), person(getattr(arguments, "by", None))
        )


def write_incidents(arguments: Namespace, deliveries: Deliveries) -> None:
    """Writes the incidents that people found into the ledger: pieces that contradict their codes.

    A running station does this itself, within a second. If the ledger does not exist yet, or cannot
    be written now, the station does it at its next start.
    """
    config = read_receiving_config(arguments.station)
    path = config.ledger.path
    lock = LedgerLock(path)
    if not path.is_file():
        return
    try:
        lock.hold()
        rows = [
            row for row in MissingRows(path, config.station).find(deliveries) if is_by_a_person(row)
        ]
        if rows:
            with Ledger(path, keep=config.keep) as ledger:
                ledger.append(rows)
    except LedgerInUseError:
        return
    except (LedgerError, sqlite3.Error) as error:
        _log.warning(
            f"warning    the incident is not in the ledger yet: {error}. The station will write it "
            "at its next start"
        )
    finally:
        lock.release()


def person(name: str | None) -> str:
    """The name of the person who does it: the one that was given, or the login name.

    Raises:
        UsageError: the name is empty or cannot be printed, or there is no login.
    """
    if name is None:
        try:
            return getpass.getuser()
        except (OSError, KeyError):
            raise UsageError(
                "this user has no login name: say who does it with --by NAME"
            ) from None
    if not name.strip() or not name.isprintable():
        raise UsageError(f"--by must be a name. Received: {name!r}")
    return name.strip()


def chosen(work: Desk, name: str | None) -> DeliveryState:
    """The delivery with that name, in any phase; if the name is None, the one being counted."""
    return work.countable(None) if name is None else work.known(name)


def table(state: DeliveryState) -> Iterator[str]:
    """The state of a delivery as lines of text: a table, and whatever differs."""
    blind = ", blind: the expected figures are hidden until it is closed" if state.hidden else ""
    yield f"delivery   {state.delivery}  {outcome_words(state)}{blind}"
    for word, other in (("back-order of", state.back_order_of), ("reopens", state.reopens)):
        if other is not None:
            yield f"           {word} {other}"
    shown = [("line", "article", "expected", "counted", "difference", "damaged")]
    for row in rows(state):
        differs = (
            "" if row.difference is None else f"{row.difference:+d}" if row.difference else "0"
        )
        shown.append(
            (
                str(row.line.number),
                title(row.line),
                "" if row.expected is None else str(row.expected),
                str(row.count.counted),
                differs,
                str(row.count.damaged or ""),
            )
        )
    yield from _columns(shown, hidden=(2, 4) if state.hidden else ())
    for row in rows(state):
        for other_lot in row.other_lots():
            yield f"lot        line {row.line.number}: {other_lot}, not as announced"
        if row.serials_missing and (row.count.serials or state.phase is Phase.CLOSED):
            yield f"serials    line {row.line.number}: missing {', '.join(row.serials_missing)}"
    if state.expected.containers and not state.hidden:
        missing = containers_missing(state)
        yield f"containers {len(state.expected.containers) - len(missing)} came" + (
            f", missing {', '.join(missing)}" if missing else ""
        )
    if state.asides:
        yield f"put aside  {aside_pieces(state)}: {'; '.join(_reasons(state))}"
    for one in state.disagreements:
        yield f"stopped    line {one.line}, {one.code}: the picture shows {one.seen}"


def _reasons(state: DeliveryState) -> list[str]:
    found: dict[str, int] = {}
    for aside in state.asides:
        found[aside.reason] = found.get(aside.reason, 0) + aside.pieces
    return [
        reason + (f" ({pieces} times)" if pieces > 1 else "") for reason, pieces in found.items()
    ]


def _columns(shown: Sequence[Sequence[str]], *, hidden: Sequence[int]) -> Iterator[str]:
    places = [place for place in range(len(shown[0])) if place not in hidden]
    widths = {place: max(len(row[place]) for row in shown) for place in places}
    for row in shown:
        cells = [
            row[place].ljust(widths[place]) if place == 1 else row[place].rjust(widths[place])
            for place in places
        ]
        yield "  ".join(cells).rstrip()


def show_state(arguments: Namespace, state: DeliveryState) -> None:
    """Prints the state of a delivery: as one JSON object with `--json`, else as a table."""
    if arguments.json:
        print_json(as_json(state))
    else:
        for line in table(state):
            write_out(f"{line}\n")
