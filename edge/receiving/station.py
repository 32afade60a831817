"""What a station does for receiving goods, as its file asks: codes in pictures, a hand scanner."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from edge.config.station import StationConfig
from edge.core.images.preprocess import Box
from edge.events import CodeScanned, Event, Stamps
from edge.flow import Frame, ItemKey
from edge.runtime.clock import Clock
from edge.runtime.supervisor import Task

if TYPE_CHECKING:
    from edge.receiving.codes.reader import CodeReader
    from edge.receiving.scanner.decoder import Scan
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
        stamps: Stamps,
        clock: Clock,
    ) -> None:
        """Opens nothing that could fail but the reader of codes.

        Args:
            publish: takes the events; must not wait.
            stamps: gives the events their ids and times.

        Raises:
            CodesMissingError: codes are to be read, and the packages for it are not installed.
        """
        self._publish, self._stamps = publish, stamps
        self._codes: CodeReader | None = None
        self._scanner: ScannerReader | None = None
        self.tasks: list[Task] = []
        if config.codes is not None:
            from edge.receiving.codes.installed import require_packages

            require_packages()
            from edge.receiving.codes.reader import CodeReader

            codes = CodeReader(config.codes, publish=publish, stamps=stamps, clock=clock)
            self._codes = codes
            self.tasks.append(Task("codes", codes.run, codes.heartbeat))
        if config.scanner is not None:
            from edge.receiving.scanner.reader import ScannerReader  # which no other station needs

            scanner = ScannerReader(config.scanner, report=self._scanned, clock=clock)
            self._scanner = scanner
            self.tasks.append(Task("scanner", scanner.run, scanner.heartbeat))

    def item_sorted(self, key: ItemKey, frame: Frame, box: Box | None) -> None:
        """An item was sent to its lane; called by the sorting thread, which does not wait.

        Args:
            frame: the one that shows the item best.
            box: where the item is in it; None: it is the whole region.
        """
        if self._codes is not None and frame.fault is None:
            self._codes.offer(key, frame.image, box)

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

    def _scanned(self, scan: Scan) -> None:
        self._publish(CodeScanned(*self._stamps.now(), text=scan.text))
