"""The pins that the parts of a station have opened, and how those that are read stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from edge.core.errors import PinError
from edge.pins.pins import Pins


class OpenedPins:
    """Opens pins for each part of a station that has some, and keeps what was opened in view."""

    def __init__(self, opener: Callable[[], Pins]) -> None:
        """Opens nothing yet.

        Args:
            opener: opens the machine's pins.
        """
        self._opener = opener
        self._opened: list[Pins] = []

    def open(self) -> Pins:
        """The machine's pins, for one part more.

        Raises:
            PinError: see `open_pins`.
        """
        pins = self._opener()
        self._opened.append(pins)
        return pins

    def active(self) -> Mapping[int, bool]:
        """Whether each pin that is read is active at this moment, by its BCM number; one that
        cannot be read is left out. Any thread may ask, and takes no lock."""
        found = {}
        for pins in self._opened:
            for number, is_active in list(pins.inputs.items()):
                try:
                    found[number] = is_active()
                except PinError:  # whoever needs it says so
                    continue
        return found
