"""A hand scanner that types codes, as the events that Linux gives of its keys."""

from __future__ import annotations

from edge.receiving.scanner import keymap
from edge.receiving.scanner.decoder import InputEvent

LINE_ENDS = {"\r": "Enter", "\t": "Tab", "\r\n": "Enter twice"}
"""What scanners end a code with, and which keys that is."""
_KEYPAD = {character: key for key, character in keymap.KEYPAD.items()}


class TypingScanner:
    """Types, on a clock of its own.

    Attributes:
        events: all until now.
        seconds: what its clock shows.
    """

    def __init__(self) -> None:
        self.events: list[InputEvent] = []
        self.seconds = 1000.0

    def type(self, text: str, *, seconds_per_key: float = 0.002) -> None:
        """Types a text; a control character with the control key, CR and LF with Enter."""
        for character in text:
            if character in "\r\n\t":
                self.press(keymap.TAB if character == "\t" else keymap.ENTER)
            elif ord(character) < 32:
                key, _ = keymap.KEYS[chr(ord(character) | 0x40).lower()]
                self.press(key, held=keymap.LEFT_CONTROL)
            else:
                key, shift = keymap.KEYS[character]
                self.press(key, held=keymap.LEFT_SHIFT if shift else None)
            self.seconds += seconds_per_key

    def type_by_number(self, character: str) -> None:
        """Types a character as Alt and the digits of its number."""
        self._change(keymap.LEFT_ALT, 1)
        for digit in f"{ord(character):03}":
            self.press(_KEYPAD[digit])
        self._change(keymap.LEFT_ALT, 0)

    def press(self, key: int, *, held: int | None = None) -> None:
        """Presses a key and lets go of it."""
        if held is not None:
            self._change(held, 1)
        self._change(key, 1)
        self._change(key, 0)
        if held is not None:
            self._change(held, 0)

    def wait(self, seconds: float) -> None:
        """Lets time pass."""
        self.seconds += seconds

    def _change(self, key: int, value: int) -> None:
        self.events.append(InputEvent(self.seconds, 1, key, value))
        self.events.append(InputEvent(self.seconds, 0, 0, 0))
