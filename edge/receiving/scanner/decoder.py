"""From the keys that a hand scanner presses, and their times, to the codes that it read.

Pure: it has no clock but the times of the events. A code ends with Enter or Tab, or where the
scanner presses nothing for a while; carriage return and line feed after one code end it once.

Codes that run together, without a line end and without a pause between them, can be told apart only
by their lengths: where the station file says how long codes are, and all of them have the check
digit of GS1. Two scans of the same article right after one another cannot be told from one scan
that the scanner sent twice: only their time can, `repeat_seconds`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from edge.receiving.code import check_digit
from edge.receiving.scanner import keymap

SILENCE_SECONDS = 0.06
"""A scanner presses a key every 1 to 20 ms within a code."""
REPEAT_SECONDS = 0.4
LONGEST = 128
"""Characters of a code; the longest of GS1 for a line of bars has 48."""

_SYNCHRONISATION, _KEY = 0, 1
_DROPPED = 3
_RELEASED, _PRESSED = 0, 1


class InputEvent(NamedTuple):
    """One event of an input device of Linux (`struct input_event`)."""

    seconds: float
    """When it happened, on the device's clock."""
    type: int
    code: int
    value: int


class ScannedText(NamedTuple):
    """A code that a scanner sent."""

    text: str
    seconds: float
    """When its last key was pressed, on the device's clock."""


@dataclass(slots=True)
class Counts:
    """Counts of what a scanner sent."""

    scans: int = 0
    """How many codes count."""
    repeats: int = 0
    """Codes that were the same as the one just before them, and do not count."""
    too_long: int = 0
    """Codes of more than LONGEST characters, which do not count."""
    broken: int = 0
    """Codes of which keys were lost on the way, which do not count."""


@dataclass(slots=True)
class ScanDecoder:
    """Makes codes of the events of one scanner; used by one thread.

    Attributes:
        counts: what came until now.
    """

    silence_seconds: float = SILENCE_SECONDS
    repeat_seconds: float = REPEAT_SECONDS
    """The same code again within this time is the same scan; 0 if each is a scan of its own."""
    lengths: Sequence[int] = ()
    """The numbers of digits of codes that may run together; empty if codes never do."""
    counts: Counts = field(default_factory=Counts)
    _text: list[str] = field(default_factory=list)
    _held: set[int] = field(default_factory=set)
    _alt_digits: str = ""
    _capitals: bool = False
    _spoilt: bool = False
    _began: float = 0.0
    _pressed: float = 0.0
    _last: ScannedText | None = None

    @property
    def waiting(self) -> bool:
        """Whether part of a code has come, whose end has not."""
        return bool(self._text) or self._spoilt

    def feed(self, event: InputEvent) -> Iterator[ScannedText]:
        """The codes that are whole with this event, oldest first."""
        if event.type == _SYNCHRONISATION and event.code == _DROPPED:
            self._spoilt = True
            self._held.clear()
            self._pressed = event.seconds
        if event.type != _KEY or event.value not in (_RELEASED, _PRESSED):
            return  # a key that is held repeats itself, and types nothing new
        if event.value == _RELEASED:
            self._held.discard(event.code)
            if event.code in (keymap.LEFT_ALT, keymap.RIGHT_ALT):
                yield from self._type(self._alt_character())
            return
        if self.waiting and event.seconds - self._pressed > self.silence_seconds:
            yield from self.end()
        if not self.waiting:
            self._began = event.seconds
        self._pressed = event.seconds
        self._held.add(event.code)
        if event.code in (keymap.ENTER, keymap.KEYPAD_ENTER, keymap.TAB):
            yield from self.end()
        elif event.code == keymap.CAPS_LOCK:
            self._capitals = not self._capitals
        else:
            yield from self._type(self._character(event.code))

    def end(self) -> Iterator[ScannedText]:
        """The code that ends here, because nothing followed it for `silence_seconds`, say."""
        text, spoilt = "".join(self._text), self._spoilt
        self._text.clear()
        self._spoilt = False
        if spoilt:
            self.counts.broken += 1
        elif len(text) > LONGEST:
            self.counts.too_long += 1
        else:
            for one in split(text, self.lengths) if text else ():
                yield from self._scanned(one)

    def _scanned(self, text: str) -> Iterator[ScannedText]:
        last, self._last = self._last, ScannedText(text, self._pressed)
        if (
            last is not None
            and last.text == text
            and self._began - last.seconds < self.repeat_seconds
        ):
            self.counts.repeats += 1
            return
        self.counts.scans += 1
        yield self._last

    def _type(self, character: str) -> Iterator[ScannedText]:
        if character in ("\r", "\n", "\t"):
            yield from self.end()
        elif character:
            self._text.append(character)

    def _character(self, key: int) -> str:
        """The character that the key types together with the held keys; empty if none."""
        if self._held & {keymap.LEFT_ALT, keymap.RIGHT_ALT}:
            if (digit := keymap.KEYPAD.get(key, "")).isdigit():
                self._alt_digits += digit
            return ""
        pair = keymap.CHARACTERS.get(key)
        if pair is None:
            return keymap.KEYPAD.get(key, "")
        plain, shifted = pair
        if self._held & {keymap.LEFT_CONTROL, keymap.RIGHT_CONTROL}:
            # Control with a letter or one of [\] is a control character: ] is GS1's separator.
            return chr(ord(plain.upper()) & 0x1F) if plain.isalpha() or plain in "[\\]" else ""
        shift = bool(self._held & {keymap.LEFT_SHIFT, keymap.RIGHT_SHIFT})
        return shifted if shift != (self._capitals and plain.isalpha()) else plain

    def _alt_character(self) -> str:
        """The character whose number was typed while Alt was held."""
        digits, self._alt_digits = self._alt_digits, ""
        return chr(int(digits)) if digits and int(digits) < 128 else ""


def split(text: str, lengths: Sequence[int]) -> list[str]:
    """The codes that ran together in `text`; `text` alone if they did not, or it is ambiguous.

    Args:
        lengths: how many digits a code may have. Each has GS1's check digit at its end.

    A text that can be divided in two ways is left as it is: a wrong code is worse than one that
    nobody knows.
    """
    if not lengths or len(text) in lengths or not (text.isascii() and text.isdigit()):
        return [text]
    ways = list(_ways(text, tuple(lengths)))
    return ways[0] if len(ways) == 1 else [text]


def _ways(text: str, lengths: tuple[int, ...]) -> Iterator[list[str]]:
    """The first two ways to divide `text`."""
    found = 0
    ahead: list[tuple[int, list[str]]] = [(0, [])]
    while ahead and found < 2:
        at, parts = ahead.pop()
        if at == len(text):
            found += 1
            yield parts
            continue
        for length in lengths:
            part = text[at : at + length]
            if len(part) == length and part[-1] == check_digit(part[:-1]):
                ahead.append((at + length, [*parts, part]))
