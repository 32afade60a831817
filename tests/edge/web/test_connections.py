from __future__ import annotations

import asyncio
import socket
import threading

import httpx2
import pytest
import uvicorn

from edge.web import connections
from edge.web.app import make_app
from tests.edge.web.browsing import Pages


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: localh"])
def test_a_connection_that_asks_for_nothing_is_closed(
    pages: Pages, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(connections, "FIRST_SECONDS", 0.05)
    config = uvicorn.Config(
        make_app(pages.site), port=0, http=connections.PatientProtocol, log_config=None,
        lifespan="off", ws="none",
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
    address = server.servers[0].sockets[0].getsockname()
    try:
        with socket.create_connection(address) as idle:
            idle.sendall(sent)
            assert idle.recv(1) == b""
        assert httpx2.get(f"http://127.0.0.1:{address[1]}/", timeout=30).status_code == 200
    finally:
        server.should_exit = True
        thread.join()
