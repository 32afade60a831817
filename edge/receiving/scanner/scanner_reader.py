"""The scanner's thread: it reads a hand scanner, and reports each code that the scanner reads."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from edge.config.scanner import ScannerSettings
from edge.core.errors import ScannerError
from edge.receiving.scanner.decoder import ScanDecoder, ScannedText
from edge.receiving.scanner.source import ScannerSource
from edge.runtime import heartbeat
from edge.runtime.clock import Clock, Flag
from edge.runtime.heartbeat import Heartbeat

_log = logging.getLogger(__name__)

_AGAIN_SECONDS = 1.0
"""How often a missing scanner is looked for."""


class ScannerReader:
    """Reads the scanner of a station file until `stop`, even if it is unplugged and comes back.

    It waits for a device, so it goes by real time.

    Attributes:
        heartbeat: the signs of life of `run`.
        counts: what the scanner sent.
    """

    def __init__(
        self, settings: ScannerSettings, *, report: Callable[[ScannedText], None], clock: Clock
    ) -> None:
        """Opens nothing yet.

        Args:
            report: takes each code, in the thread of `run`; must not wait.
            clock: that of the signs of life.
        """
        self._settings, self._report, self._clock = settings, report, clock
        self._decoder = ScanDecoder(
            settings.silence_seconds, settings.repeat_seconds, settings.lengths
        )
        self.counts = self._decoder.counts
        self._stopping = Flag(clock)
        self.heartbeat = Heartbeat(clock.now)
        self._said = ""

    def run(self) -> None:
        """The body of the scanner's thread; ends by itself where a file was read to its end."""
        with self.heartbeat.working():
            while not self._stopping.is_set():
                self.heartbeat.beat()
                try:
                    with ScannerSource(
                        self._settings.path, grab=self._settings.kind == "device"
                    ) as source:
                        self._tell(logging.INFO, f"{self._settings.path} is read")
                        self._follow(source)
                    if not source.lasting:
                        break
                except ScannerError as error:
                    self._tell(logging.WARNING, str(error))
                    self._report_all(self._decoder.end())
                    self._pause()
        self._sum_up()

    def stop(self) -> None:
        """Lets `run` end within half a second; may be called twice, by any thread."""
        self._stopping.set()

    def _follow(self, source: ScannerSource) -> None:
        while not (self._stopping.is_set() or source.ended):
            self.heartbeat.beat()
            silence = self._decoder.silence_seconds
            patience = silence if self._decoder.waiting else heartbeat.BEAT_SECONDS
            events = source.read(patience)
            for event in events:
                self._report_all(self._decoder.feed(event))
            if not events:
                self._report_all(self._decoder.end())

    def _report_all(self, scans: Iterable[ScannedText]) -> None:
        for scan in scans:
            self._report(scan)

    def _pause(self) -> None:
        until = self._clock.now() + _AGAIN_SECONDS
        while not self._stopping.wait(min(until, self._clock.now() + heartbeat.BEAT_SECONDS)):
            self.heartbeat.beat()
            if self._clock.now() >= until:
                return

    def _tell(self, level: int, text: str) -> None:
        if text != self._said:
            self._said = text
            _log.log(level, f"scanner    {text}")

    def _sum_up(self) -> None:
        counts = self.counts
        _log.info(f"scanner    {counts.scans} codes, {counts.repeats} repeats that do not count")
        if counts.too_long or counts.broken:
            _log.warning(
                f"scanner    {counts.too_long} codes were too long and {counts.broken} had lost "
                "keys: they do not count"
            )
