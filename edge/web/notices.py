"""What is said after something was done: kept until the page that follows shows it."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass

_MOST = 200
"""Notices that are kept, the newest."""


@dataclass(frozen=True, slots=True)
class PageNotice:
    """What was done, or why not."""

    kind: str
    """`done`; `stop`, which must be heard as well; `aside` or `choose`, which ask for a hand;
    `refused`."""
    text: str
    """In the language of who did it."""
    foreign: bool = False
    """Whether the text is in English, whatever the language is."""
    detail: str = ""
    """What a part of pilah said of it; empty: nothing is to be added."""
    detail_foreign: bool = True
    """Whether the detail is in English, whatever the language is."""
    code: str = ""
    """The code that was scanned."""
    choices: tuple[tuple[int, str], ...] = ()
    """Lines to choose from: their numbers and titles."""


class Notices:
    """The newest notices, by marks that nobody can guess. Used by any thread."""

    def __init__(self) -> None:
        """Has none."""
        self._kept: OrderedDict[str, PageNotice] = OrderedDict()
        self._alone = threading.Lock()

    def keep(self, notice: PageNotice) -> str:
        """Keeps a notice, and returns its mark for the address of the next page."""
        mark = secrets.token_urlsafe(9)
        with self._alone:
            self._kept[mark] = notice
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)
        return mark

    def read(self, mark: str) -> PageNotice | None:
        """The notice with that mark; None: there is none, or it is long ago."""
        with self._alone:
            return self._kept.get(mark)
