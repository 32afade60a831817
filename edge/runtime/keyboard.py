"""Single key presses: from a terminal without Enter, from a pipe as the characters of its lines."""

from __future__ import annotations

import codecs
import os
import re
import select
import signal
import termios
import threading
import time
from contextlib import suppress
from types import FrameType
from typing import Any, Self, TextIO

from edge.core.closing import Closing

_NAMES = {
    "\r": "enter",
    "\n": "enter",
    "\t": "tab",
    "\x7f": "backspace",
    "\b": "backspace",
    "\x1b": "escape",
}
_ARROWS = {"A": "up", "B": "down", "C": "right", "D": "left"}
_SEQUENCE = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|O[@-~])")
"""The control sequence that a terminal sends for a key such as an arrow (ECMA-48, section 5.4)."""
_BEGUN = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*|O)?")
_ESCAPE_SECONDS = 0.05
"""A character that follows an escape later than this is a key of its own."""
_ENDS = (signal.SIGTERM, signal.SIGHUP)


class Keyboard(Closing):
    """The keys pressed by the operator; a context manager, to be entered in the main thread.

    A terminal is set to give each key at once and to echo none; its settings are restored however
    this ends. Ctrl-C still interrupts; Ctrl-S and Ctrl-Z are ordinary keys, because an actuator
    that the keys move must not stop half-way.

    Attributes:
        terminal: whether the keys come from a terminal.

    Example:
        with Keyboard(sys.stdin) as keys:
            while (key := keys.get(1.0)) != "q":
                ...
    """

    def __init__(self, stream: TextIO | None) -> None:
        """Reads from `stream`; None or a closed stream counts as ended."""
        # What was read into the stream's own buffer before cannot be read here.
        self._fd = -1 if stream is None or stream.closed else stream.fileno()
        self.terminal = self._fd >= 0 and os.isatty(self._fd)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._text = ""
        self._line_begins = True
        self._ended, self._told = self._fd < 0, False
        self._before: list[Any] | None = None
        self._handlers: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        if self.terminal:
            self._before = termios.tcgetattr(self._fd)
            self._put_back_at_signals()
            termios.tcsetattr(self._fd, termios.TCSANOW, _keys_at_once(self._fd))
        return self

    def close(self) -> None:
        """Restores the settings of the terminal and the handlers of signals."""
        self._put_back()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._handlers.clear()

    def get(self, timeout: float | None) -> str | None:
        """The next key, or None if none is pressed for `timeout` seconds (None: wait for one).

        A key with a character, space too, is given as this character. Others have names: `up`,
        `down`, `left`, `right` (`shift left` and so on with shift), `enter`, `escape`, `tab`,
        `backspace`. A key without a name is ignored. A pipe gives the characters of its lines; an
        empty line is `enter`.

        The end of the input is given as `end`, once; after that no keys come.
        """
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            if (key := self._next()) is not None:
                return key
            left = None if until is None else max(0.0, until - time.monotonic())
            if self._ended:
                if not self._told or left is None:
                    self._told = True
                    return "end"
                select.select([], [], [], left)
                return None
            begun = self._text.startswith("\x1b")  # the rest of the sequence may still arrive
            patience = _ESCAPE_SECONDS if begun else left
            if not select.select([self._fd], [], [], patience)[0]:
                if not begun:
                    return None
                self._text = self._text[1:]
                return "escape"
            self._read()

    def _read(self) -> None:
        try:
            received = os.read(self._fd, 1024)
        except OSError:  # the terminal was closed
            received = b""
        self._ended = not received
        self._text += self._decoder.decode(received, final=self._ended)

    def _next(self) -> str | None:
        """The first key in the characters read so far; None if there is no complete one."""
        while self._text:
            if self._text[0] == "\x1b":
                if (sequence := _SEQUENCE.match(self._text)) is not None:
                    self._text, self._line_begins = self._text[sequence.end() :], False
                    if (name := _name(sequence.group())) is not None:
                        return name
                    continue
                if _BEGUN.fullmatch(self._text) and not self._ended:
                    return None
            character, self._text = self._text[0], self._text[1:]
            if not self.terminal:
                empty_line = self._line_begins and character == "\n"
                self._line_begins = character == "\n" or (self._line_begins and character == "\r")
                if character in "\r\n" and not empty_line:
                    continue
            return _NAMES.get(character, character)
        return None

    def _put_back(self) -> None:
        if self._before is not None:
            # A terminal that has been closed has no settings to restore.
            with suppress(termios.error):
                termios.tcsetattr(self._fd, termios.TCSANOW, self._before)
            self._before = None

    def _put_back_at_signals(self) -> None:
        """Restores the terminal at signals that end the process, if nothing else handles them."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in _ENDS:
            if signal.getsignal(number) == signal.SIG_DFL:
                self._handlers[number] = signal.signal(number, self._put_back_and_die)

    def _put_back_and_die(self, number: int, frame: FrameType | None) -> None:
        self._put_back()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)


def _keys_at_once(fd: int) -> list[Any]:
    mode = termios.tcgetattr(fd)
    mode[0] &= ~termios.IXON  # Ctrl-S would block every write to this terminal
    mode[3] &= ~(termios.ICANON | termios.ECHO)
    characters = list(mode[6])
    characters[termios.VMIN], characters[termios.VTIME] = 1, 0
    characters[termios.VSUSP] = b"\0"
    mode[6] = characters
    return mode


def _name(sequence: str) -> str | None:
    arrow = _ARROWS.get(sequence[-1])
    if arrow is None:
        return None
    return f"shift {arrow}" if sequence[2:-1] == "1;2" else arrow
