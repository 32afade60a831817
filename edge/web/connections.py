"""The connections of browsers: so many of one address, and none that only takes a place.

Uvicorn bounds how many there are, and how long one may stay idle between two requests. Whoever
opens many, or sends and takes a byte now and then, would still keep everybody else out.
"""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from edge.web.guard import is_loopback, network_of

MOST = 160
"""Connections at the same time, those included that have not yet agreed on how to encrypt."""
MOST_OF_ONE = 24
"""Connections of one address (`network_of`). A browser has six at most. This machine's own, where a
tunnel or another server may stand for many browsers, are not counted."""
HEAD_SECONDS = 10.0
"""How long the head of a request may take."""
BODY_SECONDS = 20.0
"""How long a form may take, which has 64 kB at most."""
TAKING_SECONDS = 30.0
"""How long a browser may take nothing of its answer."""
_LOOK_SECONDS = 1.0


class Listener(socket.socket):
    """A listening socket that takes MOST connections, and MOST_OF_ONE of one address.

    Used by one thread.
    """

    def __init__(self, listening: socket.socket) -> None:
        """Takes the place of `listening`."""
        super().__init__(fileno=listening.detach())
        self._open: Counter[str] = Counter()

    def accept(self) -> tuple[socket.socket, Any]:
        """See `socket.socket`.

        Raises:
            ConnectionAbortedError: there are too many, and the new one was closed.
        """
        found, address = super().accept()
        place = network_of(str(address[0]))
        of_one = 0 if is_loopback(place) else self._open[place]
        if of_one >= MOST_OF_ONE or self._open.total() >= MOST:
            found.close()
            raise ConnectionAbortedError("too many connections")
        self._open[place] += 1
        return _Counted(found, self._open, place), address


class _Counted(socket.socket):
    """A connection that is counted until it is closed."""

    def __init__(self, accepted: socket.socket, counts: Counter[str], place: str) -> None:
        super().__init__(fileno=accepted.detach())
        self._counts, self._place = counts, place

    def close(self) -> None:
        counts, self._counts = self._counts, Counter()
        if counts[self._place] > 1:
            counts[self._place] -= 1
        else:
            del counts[self._place]
        super().close()


class PatientProtocol(H11Protocol):
    """HTTP/1.1 as uvicorn speaks it, with an end to each wait for a browser."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begins to wait for the first request."""
        super().connection_made(transport)
        self._awaited: object = None
        self._since = self.loop.time()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends."""
        self._watching.cancel()
        super().connection_lost(exc)

    def _watch(self) -> None:
        awaited, seconds = self._wait()
        now = self.loop.time()
        if awaited != self._awaited:
            self._awaited, self._since = awaited, now
        elif now - self._since >= seconds:
            self.transport.abort()
            return
        self._watching = self.loop.call_later(_LOOK_SECONDS, self._watch)

    def _wait(self) -> tuple[object, float]:
        """What the browser is to do, another value for each such thing, and how long it may take;
        infinity while the pages are to do something."""
        if unsent := self.transport.get_write_buffer_size():
            return ("taking", unsent), TAKING_SECONDS
        if self.conn.their_state is h11.IDLE:
            return ("head", id(self.cycle)), HEAD_SECONDS
        if self.conn.their_state is h11.SEND_BODY:
            return ("body", id(self.cycle)), BODY_SECONDS
        return None, float("inf")
