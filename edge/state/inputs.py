"""The contacts of a station, and the thread that reads them.

How a button or the sensor of a bin stands is read again and again. What passes the exit of a lane
is noted by the kernel as it happens, however short it is, and taken from there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from edge.config.stops.section import StopSettings
from edge.core.closing import Closing
from edge.pins.edges import EdgeInput
from edge.pins.inputs import Input
from edge.pins.pins import Pins
from edge.runtime.clock import Clock, Flag
from edge.runtime.heartbeat import Heartbeat
from edge.state.incidents.contacts import Contact
from edge.state.incidents.notice import Notice

READ_SECONDS = 0.02
"""The time between two readings."""
_RELEASED_SECONDS = 0.5
"""For so long a button must be released, whose contact bounces."""


class _Watched(NamedTuple):
    input: Input
    contact: Contact


class ContactReader(Closing):
    """Reads the contacts that a station file names, and tells what they notice.

    Attributes:
        heartbeat: the heartbeat of `run`.
    """

    def __init__(
        self,
        settings: StopSettings,
        pins: Pins,
        *,
        clock: Clock,
        notice: Callable[[Notice], None],
        passed: Callable[[str, float], None],
    ) -> None:
        """Opens the pins.

        Args:
            notice: called with what begins or is over; must not wait.
            passed: called with a lane, and the time at which something came to its exit; must not
                wait.

        Raises:
            PinError: a pin cannot be used.
        """
        self._clock, self._notice, self._passed = clock, notice, passed
        self.heartbeat = Heartbeat(clock.now)
        self._stopping = Flag(clock)
        self._watched: list[_Watched] = []
        self._exits: dict[str, EdgeInput] = {}
        try:
            if settings.emergency_stop is not None:
                button = Contact("emergency_stop", end_seconds=_RELEASED_SECONDS)
                self._watched.append(_Watched(settings.emergency_stop.open(pins), button))
            for lane, sensor in settings.bins.items():
                seconds = sensor.full_seconds
                contact = Contact(
                    "bin_full", scope=lane, begin_seconds=seconds, end_seconds=seconds
                )
                self._watched.append(_Watched(sensor.open(pins), contact))
            for lane, exit_ in settings.exits.items():
                self._exits[lane] = exit_.watch(pins, clock)
        except BaseException:
            self.close()
            raise

    def read(self) -> None:
        """Reads each contact once.

        Raises:
            PinError: a pin cannot be read.
        """
        now = self._clock.now()
        for watched in self._watched:
            for notice in watched.contact.read(watched.input.active, now):
                self._notice(notice)
        for lane, exit_ in self._exits.items():
            for at in exit_.take(now):
                self._passed(lane, at)

    def run(self) -> None:
        """Reads them until `stop` is called: the body of a thread.

        Raises:
            PinError: a pin cannot be read. A station must not go on whose emergency stop is not
                seen.
        """
        with self.heartbeat.working():
            while not self._stopping.wait(self._clock.now() + READ_SECONDS):
                self.heartbeat.beat()
                self.read()

    def stop(self) -> None:
        """Lets `run` end; may be called twice, by any thread."""
        self._stopping.set()

    def close(self) -> None:
        """Frees the pins; may be called twice."""
        for watched in self._watched:
            watched.input.close()
        for exit_ in self._exits.values():
            exit_.close()
