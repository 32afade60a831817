"""Counts what the station sorts on the delivery that is open, in a thread of its own.

    sorting ─▶ stamped: the row gets `delivery_id` ─▶ recorder ─▶ ledger
    ledger's thread, once the row is written ─▶ count ─▶ this thread ─▶ file of deliveries

Sorting never waits for the file of deliveries. What could not be written there when the station
was killed is found in the ledger at the next start: its row has the delivery, and no event has the
row's id.
"""

from __future__ import annotations

import logging
import sqlite3
from collections import deque
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from edge.config.receiving import ReceivingSettings, deliveries_path
from edge.core.errors import DeliveryFileError
from edge.events import Event, EventSink, ItemSorted, Stamps, utc_text
from edge.outbox.retention import Keep
from edge.receiving.scan import Scan, answer_to_item
from edge.receiving.state import COUNTABLE
from edge.receiving.store import Deliveries
from edge.runtime.clock import Clock, ClockedThread

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.5
"""How often the thread looks which delivery is open. One that is opened counts from then on."""
_RETRY_SECONDS = 5.0
_FINISH_SECONDS = 2.0
_CAPACITY = 10_000
"""Items that may wait; those for which there is no room are counted at the next start."""
_BATCH = 100
_CAPTURED_BEFORE = timedelta(minutes=1)
"""How long before an opening an item may have been captured that is offered after it."""
STATION = "station"
"""Who counted, in the events."""


class Counting:
    """Counts items on the delivery that is open.

    `stamped` is for the thread that sorts and `count` for the ledger's; neither waits.
    """

    def __init__(
        self,
        settings: ReceivingSettings,
        ledger: Path,
        *,
        keep: Keep | None = None,
        stamps: Stamps,
        clock: Clock,
    ) -> None:
        """Counts nothing yet.

        Args:
            ledger: the path of the station's ledger.
            keep: what the outbox of the deliveries keeps; None: nothing is written to it.
            stamps: gives the events their ids and times.
        """
        self._path, self._ledger = deliveries_path(settings, ledger), ledger
        self._keep = keep
        self._by_label = settings.count_by == "label"
        self._stamps, self._clock = stamps, clock
        self._changed = clock.condition()
        self._waiting: deque[ItemSorted] = deque(maxlen=_CAPACITY)
        self._ending = self._failing = False
        self._delivery: str | None = None
        self._file: Deliveries | None = None
        self._thread: ClockedThread | None = None

    def start(self) -> None:
        """Looks which delivery is open, counts what an earlier run could not, and starts the
        thread. That the file cannot be opened now is no reason not to sort."""
        self._try()
        self._thread = ClockedThread("receiving", self._run, self._clock)
        self._thread.start()

    def stamped(self, event: Event) -> Event:
        """An item's event with the delivery that is open; any other as it is."""
        delivery = self._delivery
        if delivery is None or not isinstance(event, ItemSorted):
            return event
        return replace(event, delivery_id=delivery)

    def before(self, recorder: EventSink) -> EventSink:
        """What takes events in place of `recorder`, and gives it items with their delivery."""
        return _StampedItems(recorder, self)

    def count(self, event: Event) -> None:
        """An observer: takes each item that belongs to a delivery."""
        if isinstance(event, ItemSorted) and event.delivery_id is not None and self._by_label:
            with self._changed:
                self._waiting.append(event)
                self._changed.notify_all()

    def close(self) -> None:
        """Counts what still waits, ends the thread and closes the file; may be called twice."""
        with self._changed:
            self._ending = True
            self._changed.notify_all()
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
                with self._changed:
                    pause = _RETRY_SECONDS if self._failing else _LOOK_SECONDS
                    if not self._ending and (self._failing or not self._waiting):
                        self._clock.wait(self._changed, self._clock.now() + pause)
                    ending = self._ending
                self._try()
                if ending and (self._failing or not self._waiting):
                    return
        finally:
            if self._file is not None:
                self._file.close()

    def _try(self) -> None:
        """Writes what waits and looks which delivery is open; a failure is said once."""
        try:
            if self._file is None:
                self._file = Deliveries(self._path, keep=self._keep)
                self._look(self._file)
                self._catch_up(self._file)
            while self._waiting:
                batch = [item for item, _ in zip(self._waiting, range(_BATCH), strict=False)]
                self._write(self._file, batch)
                for _ in batch:
                    self._waiting.popleft()
            if self._file.has_changed():
                self._look(self._file)
            if self._failing:  # there may have been no room for all that waited
                self._catch_up(self._file)
        except DeliveryFileError as error:
            if not self._failing:
                _log.warning(f"warning    {error}. Sorting goes on; items are counted later")
            self._failing = True
            return
        self._failing = False

    def _look(self, file: Deliveries) -> None:
        current = file.current()
        delivery = None if current is None else current.delivery
        if delivery != self._delivery:
            _log.info(f"delivery   {delivery or 'none is open'}")
        self._delivery = delivery

    def _write(self, file: Deliveries, items: Sequence[ItemSorted]) -> None:
        """Writes an event for each item that has none, in one transaction."""
        with file.writing():
            for item in items:
                name = item.delivery_id or ""
                state = file.state(name)
                if file.has_item(item.id):
                    continue
                if state is None or state.phase not in COUNTABLE:
                    _log.warning(
                        f"warning    item {item.item} was sorted while the delivery {name} was "
                        "being closed, and is not counted. Its row in the ledger has the delivery"
                    )
                    continue
                scan = Scan(
                    seen=item.label,
                    times=item.quantity or 1,
                    item_id=item.id,
                    photograph=item.photograph,
                )
                rejected = None if item.accepted else item.reject or "no reason"
                event = answer_to_item(state, scan, rejected=rejected).event(
                    self._stamps.now(), name, STATION
                )
                assert event is not None  # an item asks nobody to choose
                file.append([event])

    def _catch_up(self, file: Deliveries) -> None:
        """Counts the items of the open delivery that are in the ledger alone."""
        current = file.current()
        if current is None or current.opened is None or not self._by_label:
            return
        since = datetime.fromisoformat(current.opened) - _CAPTURED_BEFORE
        found = _items_of(self._ledger, current.delivery, utc_text(since.timestamp()))
        missing = [item for item in found if not file.has_item(item.id)]
        if missing:
            _log.info(f"delivery   {len(missing)} items are counted that are in the ledger alone")
            self._write(file, missing)


class _StampedItems:
    """See `Counting.before`."""

    def __init__(self, recorder: EventSink, counting: Counting) -> None:
        self._recorder, self._counting = recorder, counting

    def offer(self, event: Event) -> None:
        """See `EventSink`."""
        self._recorder.offer(self._counting.stamped(event))


def _items_of(ledger: Path, delivery: str, since: str) -> list[ItemSorted]:
    """The items of a delivery in the ledger, which is only read; none where it cannot be.

    The ledger's own process says what is wrong with it.
    """
    query = (
        "SELECT uuid, time, station, item, source, label, accepted, reject, lane, bundle, "
        "bundle_digest, latency_ms, quantity, photograph FROM items "
        "WHERE time >= ? AND delivery_id = ? AND uuid IS NOT NULL ORDER BY id"
    )
    if not ledger.is_file():
        return []
    try:
        uri = f"{ledger.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            rows = connection.execute(query, (since, delivery)).fetchall()
    except sqlite3.Error as error:
        _log.warning(f"warning    items of {delivery} in the ledger cannot be read: {error}")
        return []
    return [
        ItemSorted(
            id=row[0],
            time=row[1],
            station=row[2],
            item=row[3],
            source=row[4],
            label=row[5],
            confidence=None,
            scores=None,
            accepted=bool(row[6]),
            reject=row[7],
            lane=row[8],
            bundle=row[9],
            bundle_digest=row[10],
            latency_ms=row[11],
            frames=None,
            delivery_id=delivery,
            quantity=row[12],
            photograph=row[13],
        )
        for row in rows
    ]
