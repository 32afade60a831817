"""What a station does for receiving goods, as its file asks: codes in pictures, a hand scanner."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from edge.config.station import StationConfig
from edge.core.images.preprocess import Box
from edge.events import CodeRead, CodeScanned, Event, Stamps
from edge.flow import NO_CODE, Frame, ItemKey
from edge.runtime.clock import Clock
from edge.runtime.supervisor import Task

if TYPE_CHECKING:
    from edge.receiving.codes.reader import CodeReader, Look
    from edge.receiving.counting import Counting
    from edge.receiving.scanner.decoder import ScannedText
    from edge.receiving.scanner.reader import ScannerReader


class Receiving:
    """The threads for receiving goods that a station file asks for; none where it asks for none.

    Attributes:
        tasks: the threads, to be run by the station's supervisor.
    """

    def __init__(
        self,
        config: StationConfig,
        *,
        publish: Callable[[Event], None],
        counting: Counting | None,
        code_known: Callable[[], None],
        stamps: Stamps,
        clock: Clock,
    ) -> None:
        """Opens nothing that could fail but the reader of codes.

        Args:
            publish: takes the events; must not wait.
            counting: counts items and scans on a delivery; None: the station counts none.
            code_known: called when a picture was looked at for codes; must not wait.
            stamps: gives the events their ids and times.

        Raises:
            CodesMissingError: codes are to be read, and the packages for it are not installed.
        """
        self._publish, self._stamps = publish, stamps
        self._counting, self._code_known = counting, code_known
        self._wait_seconds = config.receiving.wait_seconds if config.receiving else 0.0
        self._codes: CodeReader | None = None
        self._scanner: ScannerReader | None = None
        self.tasks: list[Task] = []
        if config.codes is not None:
            from edge.receiving.codes.installed import require_packages

            require_packages()
            from edge.receiving.codes.reader import CodeReader

            codes = CodeReader(
                config.codes, publish=publish, done=self._looked_at, stamps=stamps, clock=clock
            )
            self._codes = codes
            self.tasks.append(Task("codes", codes.run, codes.heartbeat))
        if config.scanner is not None:
            from edge.receiving.scanner.reader import ScannerReader  # which no other station needs

            scanner = ScannerReader(config.scanner, report=self._scanned, clock=clock)
            self._scanner = scanner
            self.tasks.append(Task("scanner", scanner.run, scanner.heartbeat))

    @property
    def wait_seconds(self) -> float:
        """How long an item with a verdict may wait for its code now; 0: nobody needs it so soon."""
        counting = self._counting
        counts = counting is not None and counting.delivery is not None
        return self._wait_seconds if counts and self._codes is not None else 0.0

    def expect(self, key: ItemKey, frame: Frame) -> None:
        """Has an item counted only once its picture was looked at; called before its row is given
        to anybody, which may be before `look`."""
        if self._counting is not None and self._codes is not None and frame.fault is None:
            self._counting.expect(key.id)

    def look(self, key: ItemKey, frame: Frame, box: Box | None) -> Look | None:
        """Has the picture of an item looked at for codes; called by the sorting thread, which does
        not wait. None: it is not looked at.

        Args:
            frame: the one that shows the item best.
            box: where the item is in it; None: it is the whole region.
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
