"""The connections of browsers: one that sends no whole request is closed.

Uvicorn's own limit begins with the first answer only, so that whoever opens connections and sends
nothing would keep everybody else out.
"""

from __future__ import annotations

import asyncio
from typing import cast

from uvicorn.protocols.http.h11_impl import H11Protocol

FIRST_SECONDS = 10.0
"""How long the head of a connection's first request may take."""


class PatientProtocol(H11Protocol):
    """HTTP/1.1 as uvicorn speaks it, on connections that must ask for something."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begins to wait for the first request."""
        super().connection_made(transport)
        self.loop.call_later(FIRST_SECONDS, self._give_up)

    def _give_up(self) -> None:
        if self.cycle is None:  # no head of a request has come
            cast(asyncio.Transport, self.transport).close()
