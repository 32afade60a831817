"""Presses that were answered, so that a button which was pressed twice does what it does once."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict

_MOST = 2000
"""Marks that are kept, the newest."""


def new_press() -> str:
    """The mark of a page: what is sent from it counts once."""
    return secrets.token_urlsafe(9)


class Presses:
    """The marks of the pages from which something was sent. Used by any thread."""

    def __init__(self) -> None:
        """Knows none."""
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._alone = threading.Lock()

    def is_repeated(self, mark: str) -> bool:
        """Whether something was sent with this mark before; from now on it was. A form without a
        mark is none that is repeated."""
        if not mark:
            return False
        with self._alone:
            if (mark := mark[:40]) in self._seen:
                return True
            self._seen[mark] = None
            while len(self._seen) > _MOST:
                self._seen.popitem(last=False)
            return False
