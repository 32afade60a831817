"""Makes text safe for a terminal: untrusted text cannot move the cursor or hide anything.

A label, a path or a message of a library may contain escape sequences, which change what a person
sees, or even type commands. Such characters are shown as JSON escapes, so that JSON with them
keeps its meaning.
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
"""Control characters except line feed and tab, Unicode line separators, characters that change the
direction of writing, and lone surrogates, which occur in file names that are not UTF-8."""


def printable(text: str) -> str:
    r"""`text` with an escape in place of each character that a terminal would act on.

    >>> printable("red\x1b[2J\rgreen")
    'red\\u001b[2J\\u000dgreen'
    """
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


class _Printable:
    """A text stream that writes printable text only."""

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
    """Makes everything that is printed on standard output within the block printable."""
    before = sys.stdout
    if before is None:  # standard output is closed
        yield
        return
    sys.stdout = cast(TextIO, _Printable(before))
    try:
        yield
    finally:
        sys.stdout = before
