"""Counts what the station sorts, and what its hand scanner reads, in a thread of its own.

    sorting ─▶ stamped: the row gets `delivery_id` ─▶ recorder ─▶ ledger
                                                   └▶ count ─▶ this thread ─▶ file of deliveries
    codes' thread, once it has looked at the item ─▶ codes_read ─▶ this thread
    scanner's thread ─▶ scanned ─▶ this thread

Sorting never waits for the file of deliveries. An item whose picture is still to be looked at for
codes counts after that, however long it takes: so a code that comes too late to choose the item's
lane still comes in time for its count. Items are written twice a second, together; scans, and items
whose code came late, at once. What could not be written there, because the station was killed or
too much waited, is found in the ledger: its row has the delivery, and no event has the row's id.
The ledger is looked through at the start, when the delivery changes, after either file failed, and
once rows that waited outside of the ledger are in it.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from queue import SimpleQueue

from edge.config.receiving import ReceivingSettings, deliveries_path
from edge.core.errors import DeliveryFileError
from edge.events import (
    CodeRead,
    CodeScanned,
    Event,
    EventSink,
    ItemSorted,
    Stamps,
    utc_text,
)
from edge.flow import NO_CODE, CodeFound, ItemKey
from edge.outbox.retention import Keep
from edge.receiving.answering import PieceAnswers
from edge.receiving.code import Code, gtin_14, read_code
from edge.receiving.pieces.answers import (
    Cause,
    HandScan,
    PieceRules,
    SeenItem,
    main_code,
)
from edge.receiving.pieces.claims import ScanClaims
from edge.receiving.pieces.missing_rows import MissingRows
from edge.receiving.pieces.unanswered import causes_of, code_of
from edge.receiving.pieces.waiting import WaitingPieces
from edge.receiving.scan import Reply, Scan, answer
from edge.receiving.state import COUNTABLE, DeliveryState
from edge.receiving.store import Deliveries
from edge.runtime.clock import Clock
from edge.runtime.worker import Endings, Worker

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.5
"""How often the thread looks which delivery is open, and writes items. A delivery that is opened
counts from then on."""
_RETRY_SECONDS = 5.0
_FINISH_SECONDS = 2.0
_CAPACITY = 10_000
"""Items that may wait; those for which there is no room are counted from the ledger."""
_BATCH = 100
"""Items that are written together. The verbs of people wait for it, 5 seconds at most."""
_CAPTURED_BEFORE = timedelta(minutes=1)
"""How long before an opening an item may have been captured that is offered after it."""


class Counting:
    """Counts items, and scans by hand, on the delivery that is open.

    `stamped`, `count`, `expect`, `saw` and `scanned_for` are for the thread that sorts,
    `codes_read` for that of codes, `scanned` for that of the scanner; none waits for a file.
    """

    def __init__(
        self,
        settings: ReceivingSettings,
        ledger: Path,
        *,
        keep: Keep | None = None,
        stamps: Stamps,
        clock: Clock,
        endings: Endings | None = None,
    ) -> None:
        """Counts nothing yet.

        Args:
            ledger: the path of the station's ledger.
            keep: what the outbox of the deliveries keeps; None if nothing is to be written to it.
            stamps: gives the events their ids and times.
            endings: the queue that takes the thread when it ends or fails; None if nobody reads it.
        """
        self._endings: Endings = SimpleQueue() if endings is None else endings
        self._path, self._ledger = deliveries_path(settings, ledger), ledger
        self._keep = keep
        self._by_label = settings.count_by == "label"
        self._answers = PieceAnswers(PieceRules(self._by_label, settings.pair_seconds), stamps)
        self._clock = clock
        self._waiting = WaitingPieces(clock, _CAPACITY)
        self._claims = ScanClaims(settings.pair_seconds)
        self._missing = MissingRows(ledger, stamps.station)
        self._failing = self._ledger_told = self._owes = False
        """Whether the ledger may have items that wait nowhere else."""
        self._has_news = False
        """Whether the file of deliveries may have answers whose rows are missing in the ledger."""
        self._state: DeliveryState | None = None
        self._file: Deliveries | None = None
        self._thread: Worker | None = None
        self._behind: Callable[[], bool] = lambda: False

    @property
    def delivery(self) -> str | None:
        """The name of the delivery that is open; None if no delivery is open."""
        state = self._state
        return None if state is None else state.delivery

    @property
    def fails(self) -> bool:
        """Whether the file of deliveries cannot be used now."""
        return self._failing

    @property
    def waiting(self) -> int:
        """Items and scans that wait to be counted; takes no lock."""
        return len(self._waiting)

    def start(
        self,
        publish: Callable[[Event], None] | None = None,
        alarm: Callable[[], object] | None = None,
        behind: Callable[[], bool] | None = None,
    ) -> None:
        """Looks which delivery is open, counts what an earlier run could not, and starts the
        thread. That the file cannot be opened now is no reason not to sort.

        Args:
            publish: takes incidents and corrections of items; must not wait.
            alarm: called when an item is stopped that went to another lane before; must not wait.
            behind: whether rows wait that are still to be written to the ledger; must not wait.
        """
        answers = self._answers
        answers.publish, answers.alarm = publish or answers.publish, alarm or answers.alarm
        self._behind = behind or self._behind
        self._try()
        self._thread = Worker("receiving", self._run, self._endings, clock=self._clock)
        self._thread.start()

    def find_photographs(self, find: Callable[[str], str | None]) -> None:
        """See `Receiving.find_photographs`."""
        self._answers.find_photograph = find

    def stamped(self, event: Event) -> Event:
        """An item's event with the delivery that is open; any other as it is."""
        delivery = self.delivery
        if delivery is None or not isinstance(event, ItemSorted):
            return event
        return replace(event, delivery_id=delivery)

    def before(self, recorder: EventSink) -> EventSink:
        """A sink for events that passes them on to `recorder`, and counts the items."""
        return _StampedItems(recorder, self)

    def expect(self, item_id: str) -> None:
        """The picture of an item is looked at for codes: it counts after `codes_read`."""
        self._waiting.expect(item_id)

    @property
    def scan_waits(self) -> bool:
        """Whether a code was scanned by hand whose piece may be the next item."""
        return self._claims.waits and self.delivery is not None

    def saw(self, key: ItemKey, *, alone: bool) -> None:
        """Takes an item that has a verdict, and whose code may have been scanned by hand.

        Args:
            alone: whether no other item was in view.
        """
        self._claims.saw(key.id, key.taken, alone=alone)

    def scanned_for(self, item_id: str) -> CodeFound:
        """What the hand scan of an item says about it, before it is sent to its lane."""
        state = self._state
        code = None if state is None else self._claims.claim(item_id)
        return NO_CODE if state is None or code is None else _found(state, [code])

    def codes_read(self, item_id: str, codes: Sequence[CodeRead]) -> CodeFound:
        """Takes the codes that were read on an item that was expected, and says what they mean."""
        read = tuple(code_of(asdict(code)) for code in codes)
        self._claims.read(item_id, read)
        self._waiting.know(item_id, read)
        state = self._state
        return NO_CODE if state is None else _found(state, read)

    def scanned(self, event: CodeScanned) -> None:
        """Takes a code that the station's hand scanner read while a delivery was open."""
        if event.delivery_id is not None:
            code = read_code(event.text)
            scan = HandScan(event.id, event.time, event.delivery_id, code)
            self._claims.scanned(scan)
            self._waiting.add(scan, urgent=True)

    def count(self, event: Event) -> None:
        """Takes an item that belongs to a delivery; ignores every other event."""
        if isinstance(event, ItemSorted) and event.delivery_id is not None:
            self._waiting.add(SeenItem(event), urgent=False)

    def close(self) -> None:
        """Counts what still waits, ends the thread and closes the file; may be called twice.

        To be called while incidents and corrections can still be published.
        """
        self._waiting.end()
        if self._thread is not None:
            self._thread.join(_FINISH_SECONDS)
            if self._waiting:
                _log.warning(
                    f"warning    {len(self._waiting)} items are not counted on their delivery yet: "
                    "the next start of the station counts them from the ledger"
                )
            self._thread = None

    def _run(self) -> None:
        try:
            while True:
                pause = _RETRY_SECONDS if self._failing else _LOOK_SECONDS
                ending = self._waiting.wait(pause, for_all=self._failing)
                self._try()
                if ending and (self._failing or not self._waiting):
                    return
        finally:
            self._close_file()

    def _close_file(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _try(self) -> None:
        """Writes what waits and looks which delivery is open; a failure is said once."""
        try:
            if self._file is None:
                self._file = Deliveries(self._path, keep=self._keep)
                self._look(self._file)
                self._catch_up(self._file)
                self._missing.start_over()
                self._has_news = True
            while batch := self._waiting.ready(_BATCH):
                self._answers.write(self._file, batch)
                self._waiting.done({cause.id for cause in batch})
                self._look(self._file)
            if self._file.has_changed():
                self._look(self._file)
                self._has_news = True
            self._owes |= self._waiting.overflowed()
            if self._behind():
                self._owes = True
            else:
                if self._owes:
                    self._catch_up(self._file)
                if self._has_news:
                    self._publish_missing(self._file)
        except DeliveryFileError as error:
            if not self._failing:
                _log.warning(f"warning    {error}. Sorting goes on; items are counted later")
            self._failing = True
            self._close_file()  # it may be moved away now, and another is made then
            return
        self._failing = False

    def _look(self, file: Deliveries) -> None:
        current = file.current()
        delivery = None if current is None else current.delivery
        if delivery != self.delivery:
            _log.info(f"delivery   {delivery or 'none is open'}")
            file.forget_others(delivery)
            self._owes = True
        self._state = current

    def _catch_up(self, file: Deliveries) -> None:
        """Counts the items and scans of the open delivery that are in the ledger alone, or says how
        many there are of one that was closed. Where the ledger cannot be read it is owed still."""
        self._owes = False
        last = file.opened_last()
        if last is None or last.opened is None:
            return
        since = datetime.fromisoformat(last.opened) - _CAPTURED_BEFORE
        causes = causes_of(self._ledger, last.delivery, utc_text(since.timestamp()))
        try:
            if last.phase in COUNTABLE:
                with self._answers.looking_back():
                    self._count_from(causes, file)
            else:
                self._say_left(causes, file, last)
            self._ledger_told = False
        except sqlite3.Error as error:
            self._owes = True
            if not self._ledger_told:
                _log.warning(
                    f"warning    the items of {last.delivery} in the ledger cannot be read: "
                    f"{error}. It is tried again; until then, some may not be counted"
                )
            self._ledger_told = True

    def _publish_missing(self, file: Deliveries) -> None:
        """Publishes the rows that are missing in the ledger; see `MissingRows`.

        If the ledger cannot be read, they are looked for again later.
        """
        try:
            for row in self._missing.find(file, self._answers.told):
                self._answers.publish(row)
        except sqlite3.Error as error:
            _log.debug(f"receiving: the ledger cannot be read: {error}")
            return
        self._answers.told.clear()
        self._has_news = False

    def _count_from(self, causes: Iterator[Cause], file: Deliveries) -> None:
        new = 0
        while batch := list(islice(causes, _BATCH)):
            coming = self._waiting.coming()
            left = [cause for cause in batch if cause.id not in coming]
            new += self._answers.write(file, self._waiting.with_codes(left))
            self._owes |= self._waiting.left_out({cause.id for cause in batch})
        if new:
            _log.info(f"delivery   {new} items are counted that are in the ledger alone")

    def _say_left(self, causes: Iterator[Cause], file: Deliveries, closed: DeliveryState) -> None:
        coming = self._waiting.coming()
        left = sum(
            not file.has_answer(cause.id) and cause.id not in coming
            for cause in causes
            if self._by_label or isinstance(cause, HandScan) or cause.codes
        )
        if left:
            _log.warning(
                f"warning    {left} items of the delivery {closed.delivery}, which is "
                f"{closed.phase}, are in the ledger and were not counted: where they are to be, "
                f"correct its figures after `delivery reopen {closed.delivery}`"
            )


class _StampedItems:
    """See `Counting.before`."""

    def __init__(self, recorder: EventSink, counting: Counting) -> None:
        self._recorder, self._counting = recorder, counting

    def offer(self, event: Event) -> None:
        """See `EventSink`."""
        event = self._counting.stamped(event)
        self._recorder.offer(event)
        self._counting.count(event)


def _found(state: DeliveryState, codes: Sequence[Code]) -> CodeFound:
    """What the codes of an item say about it, before it is sent to its lane."""
    code = main_code(state, codes)
    if code is None:
        return NO_CODE
    barcode = code.text if gtin_14(code.text) else code.gtin or code.text
    named = answer(state, Scan(code=code))
    if named.reply not in (Reply.COUNTED, Reply.PACK):
        return CodeFound(barcode)
    pieces = named.pieces if named.reply is Reply.PACK else None
    return CodeFound(barcode, pieces, named.lines[0].label)
