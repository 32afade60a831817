"""Counts wrong passwords, so that nobody can try many. Used by any thread."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

WINDOW_SECONDS = 300.0
MOST_OF_ONE = 5
"""Wrong passwords from one address within the window."""
MOST_OF_NAME = 20
"""Wrong passwords for one name within the window, from whatever addresses."""
MOST_OF_ALL = 50
"""Wrong passwords from all addresses within the window: somebody has many addresses. Beyond it, who
is signed in stays so, and a person may sign in again where that person has signed in before."""
_MOST_KNOWN = 500
"""Browsers that are known, the newest."""


class Guesses:
    """The wrong passwords of late."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Has counted none.

        Args:
            clock: seconds, monotonic.
        """
        self._clock = clock
        self._wrong: deque[tuple[float, str, str]] = deque()
        self._known: dict[tuple[str, str], None] = {}
        self._alone = threading.Lock()

    def begin(self, address: str, name: str, seat: str = "") -> float:
        """Counts a guess, before it is known to be wrong, and returns 0; or how many seconds the
        address must wait before it may try again.

        Counted before: many guesses that are sent at once would all be let through. A browser in
        which `name` has signed in before has its own few guesses, so that nobody who guesses can
        keep a person out (OWASP, "Slow Down Online Guessing Attacks with Device Cookies").

        Args:
            address: from where it comes.
            seat: the mark of the browser, which nobody can guess; empty: it has none.
        """
        with self._alone:
            known = (seat, name) in self._known
            if known:
                address = f"seat {seat}"
            now = self._clock()
            while self._wrong and now - self._wrong[0][0] >= WINDOW_SECONDS:
                self._wrong.popleft()
            every = [when for when, _, _ in self._wrong]
            mine = [when for when, place, _ in self._wrong if place == address]
            named = [when for when, _, who in self._wrong if who == name]
            for found, most in (
                (mine, MOST_OF_ONE), (named, MOST_OF_NAME), (every, MOST_OF_ALL),
            ):  # fmt: skip
                if len(found) >= most and not (known and found is not mine):
                    return WINDOW_SECONDS - (now - found[-most])
            self._wrong.append((now, address, name))
            return 0.0

    def was_right(self, address: str, name: str, seat: str = "") -> None:
        """Forgets the guesses of an address for a name, the last of which was right; not those for
        other names, which a person could try out between two sign-ins of their own."""
        places = (address, f"seat {seat}")
        with self._alone:
            self._wrong = deque(
                one for one in self._wrong if one[2] != name or one[1] not in places
            )
            if seat:
                self._known.pop((seat, name), None)
                self._known[seat, name] = None
                for oldest in list(self._known)[:-_MOST_KNOWN]:
                    del self._known[oldest]
