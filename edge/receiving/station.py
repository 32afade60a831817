"""The parts of a station that receive goods: counting, codes in pictures, a hand scanner."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from edge.config.station import StationConfig
from edge.core.closing import Closing
from edge.core.images.preprocess import Box
from edge.events import CodeRead, CodeScanned, Event, EventSink, Stamps
from edge.flow import NO_CODE, CodeFound, Frame, ItemKey
from edge.runtime.clock import Clock
from edge.runtime.supervisor import Task
from edge.runtime.worker import Endings

_log = logging.getLogger(__name__)

if TYPE_CHECKING:
    from edge.receiving.codes.code_reader import CodeReader, Look
    from edge.receiving.counting import Counting
    from edge.receiving.scanner.decoder import ScannedText
    from edge.receiving.scanner.scanner_reader import ScannerReader


class LedgerQueue(EventSink, Protocol):
    """Takes all events of a station, and knows whether the ledger has their rows."""

    @property
    def spilled(self) -> int:
        """The items whose rows wait in the spill."""
        ...

    @property
    def ledger_fails(self) -> bool:
        """Whether the ledger cannot be written now."""
        ...


class Receiving(Closing):
    """The parts for receiving goods that a station file asks for; does nothing if it asks for none.

    Attributes:
        tasks: the threads, to be run by the station's supervisor. The one that counts is not among
            them: it starts before the others and ends after them.
    """

    def __init__(
        self,
        config: StationConfig,
        *,
        publish: Callable[[Event], None],
        code_known: Callable[[], None],
        stamps: Stamps,
        clock: Clock,
        endings: Endings,
    ) -> None:
        """Opens nothing that could fail but the reader of codes.

        Args:
            publish: takes the events; must not wait.
            code_known: called when a picture was looked at for codes; must not wait.
            stamps: gives the events their ids and times.
            endings: takes the thread that counts when it ends, or fails.

        Raises:
            CodesMissingError: codes are to be read, and the packages for it are not installed.
        """
        self._publish, self._stamps = publish, stamps
        self._code_known = code_known
        self._wait_seconds = config.receiving.wait_seconds if config.receiving else 0.0
        self._pair_seconds = config.receiving.pair_seconds if config.receiving else 0.0
        self._counting: Counting | None = None
        self._codes: CodeReader | None = None
        self._scanner: ScannerReader | None = None
        self.tasks: list[Task] = []
        if config.receiving is not None:
            from edge.receiving.counting import Counting  # which no other station needs

            self._counting = Counting(
                config.receiving,
                config.ledger.path,
                keep=config.keep,
                stamps=stamps,
                clock=clock,
                endings=endings,
            )
        if config.codes is not None:
            from edge.receiving.codes.packages import require_packages

            require_packages()
            from edge.receiving.codes.code_reader import CodeReader

            codes = CodeReader(
                config.codes, publish=publish, done=self._looked_at, stamps=stamps, clock=clock
            )
            self._codes = codes
            self.tasks.append(Task("codes", codes.run, codes.heartbeat))
        if config.scanner is not None:
            from edge.receiving.scanner.scanner_reader import (
                ScannerReader,  # which no other station needs
            )

            scanner = ScannerReader(config.scanner, report=self._scanned, clock=clock)
            self._scanner = scanner
            self.tasks.append(Task("scanner", scanner.run, scanner.heartbeat))

    def begin(self, recorder: LedgerQueue, *, alarm: Callable[[], object]) -> EventSink:
        """Begins to count where a delivery is open; to be called once the ledger is open.

        Args:
            recorder: takes all events.
            alarm: called when an item is stopped that went to another lane before; must not wait.

        Returns:
            What is to take the events of items in place of `recorder`.
        """
        if self._counting is None:
            return recorder
        if self._scanner is not None and self._pair_seconds:
            from edge.receiving.scan import SCAN_FIRST  # which no other station needs

            _log.info(f"receiving  {SCAN_FIRST.format(seconds=self._pair_seconds)}")
        self._counting.start(
            self._publish, alarm, lambda: recorder.spilled > 0 or recorder.ledger_fails
        )
        return self._counting.before(recorder)

    @property
    def counts_fail(self) -> bool:
        """Whether the file of deliveries cannot be used now."""
        return self._counting is not None and self._counting.fails

    @property
    def counts_waiting(self) -> int:
        """Items and scans that wait to be counted."""
        return 0 if self._counting is None else self._counting.waiting

    @property
    def wait_seconds(self) -> float:
        """How many seconds an item with a verdict may wait for its code; 0 if no code is needed
        now."""
        counting = self._counting
        counts = counting is not None and counting.delivery is not None
        return self._wait_seconds if counts and self._codes is not None else 0.0

    @property
    def may_stop_later(self) -> bool:
        """Whether a code may contradict the picture of an item that has gone to its lane."""
        counts = self._counting is not None and self._counting.delivery is not None
        return counts and (self._codes is not None or self._scanner is not None)

    def find_photographs(self, find: Callable[[str], str | None]) -> None:
        """Uses `find` to keep the photographs of items that are contradicted later.

        Args:
            find: called with the id of an item; keeps its photograph and returns the file, or None
                if there is none. Must not wait.
        """
        if self._counting is not None:
            self._counting.find_photographs(find)

    @property
    def scan_waits(self) -> bool:
        """Whether a code was scanned by hand whose piece may be the next item."""
        return self._counting is not None and self._counting.scan_waits

    def expect(self, key: ItemKey, frame: Frame, *, alone: bool) -> None:
        """Has an item counted only once its picture was looked at; called before its row is given
        to anybody, which may be before `look`.

        Args:
            frame: the one that shows the item best.
            alone: whether no other item was in view.
        """
        if self._counting is None:
            return
        if self._scanner is not None:
            self._counting.saw(key, alone=alone)
        if self._codes is not None and frame.fault is None:
            self._counting.expect(key.id)

    def scanned(self, key: ItemKey) -> CodeFound:
        """The code that was scanned by hand for this item and no other."""
        return NO_CODE if self._counting is None else self._counting.scanned_for(key.id)

    def look(self, key: ItemKey, frame: Frame, box: Box | None) -> Look | None:
        """Has the picture of an item looked at for codes; called by the sorting thread, which does
        not wait. None: it is not looked at.

        Args:
            frame: the one that shows the item best.
            box: the item's box in the frame; None for the whole region.
        """
        if self._codes is None or frame.fault is not None:
            return None
        return self._codes.offer(key, frame.image, box)

    def finish(self) -> None:
        """No more items come: what waits is still done. May be called twice."""
        if self._codes is not None:
            self._codes.finish()
        if self._scanner is not None:
            self._scanner.stop()

    def stop(self) -> None:
        """All ends at once; may be called twice."""
        if self._codes is not None:
            self._codes.stop()
        if self._scanner is not None:
            self._scanner.stop()

    def close(self) -> None:
        """Counts what still waits; may be called twice, while events can still be published."""
        if self._counting is not None:
            self._counting.close()

    def _looked_at(self, look: Look, codes: Sequence[CodeRead]) -> None:
        counting = self._counting
        look.found = NO_CODE if counting is None else counting.codes_read(look.key.id, codes)
        self._code_known()

    def _scanned(self, scan: ScannedText) -> None:
        delivery = None if self._counting is None else self._counting.delivery
        event = CodeScanned(*self._stamps.now(), text=scan.text, delivery_id=delivery)
        self._publish(event)
        if self._counting is not None:
            self._counting.scanned(event)
