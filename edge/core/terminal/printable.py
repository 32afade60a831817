"""Text as a terminal may be given it: what came from outside cannot move the cursor or hide itself.

A label, a path or a message of a library may have escape sequences in it, which change what a
person sees, or type on their behalf. Such characters are shown by their number, as JSON writes
them, so that JSON with them is still the same JSON.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Control characters but line feed and tab, what ends a line elsewhere, what turns the direction of
writing, and halves of characters, which file names that are no UTF-8 have."""


def printable(text: str) -> str:
    r"""`text` with an escape in place of each character that does something to a terminal.

    >>> printable("red\x1b[2J\rgreen")
    'red\\u001b[2J\\u000dgreen'
    """
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


class _Printable:
    """A stream of text to which only what is printable is written."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        self._stream.write(printable(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def printable_output() -> Iterator[None]:
    """Within it, whatever is printed on standard output is printable."""
    before = sys.stdout
    if before is None:  # closed
        yield
        return
    sys.stdout = cast(TextIO, _Printable(before))
    try:
        yield
    finally:
        sys.stdout = before
