"""Ports of this machine that nobody else is given while a test waits to use them."""

from __future__ import annotations

import atexit
import socket


def free_port() -> int:
    """A port on which nobody listens, and which is kept for this process until it ends.

    One that is only looked for may be given to a program of another test, before the server of this
    one listens there or while it is stopped. A socket that holds the port and does not listen keeps
    it from them; a server that asks to reuse it (SO_REUSEADDR), as all do, can still listen there.
    """
    kept = socket.socket()
    kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    kept.bind(("127.0.0.1", 0))
    atexit.register(kept.close)
    return int(kept.getsockname()[1])
