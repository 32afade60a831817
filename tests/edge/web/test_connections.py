from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import httpx2
import pytest
import uvicorn

from edge.web import connections
from edge.web.app import make_app
from edge.web.connections import Listener
from edge.web.site import StaticFile
from tests.edge.web.browsing import Pages

HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
FORM = b"POST /language HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n"


@pytest.fixture
def server(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> Iterator[uvicorn.Server]:
    """The pages, whose patience is short."""
    for name in ("HEAD_SECONDS", "BODY_SECONDS", "TAKING_SECONDS", "_LOOK_SECONDS"):
        monkeypatch.setattr(connections, name, 0.05)
    config = uvicorn.Config(
        make_app(pages.site), http=connections.PatientProtocol, log_config=None, lifespan="off",
        ws="none",
    )  # fmt: skip
    found = uvicorn.Server(config)
    listening = Listener(socket.create_server(("127.0.0.1", 0)))
    thread = threading.Thread(
        target=lambda: asyncio.run(found.serve(sockets=[listening])), daemon=True
    )
    thread.start()
    while not found.started:
        thread.join(0.01)
    yield found
    found.should_exit = True
    thread.join()


def address(server: uvicorn.Server) -> tuple[str, int]:
    found: tuple[str, int] = server.servers[0].sockets[0].getsockname()
    return found


def go_on(slow: socket.socket) -> None:
    """Sends a byte each time that something was answered, until it is let go."""
    slow.settimeout(60)
    with suppress(BrokenPipeError, ConnectionResetError):
        slow.sendall(b"x")
        while slow.recv(100_000):
            slow.sendall(b"x")


@pytest.mark.parametrize(
    "sent",
    [b"", HEAD[:20], HEAD + b"\r\n" + HEAD, FORM, FORM + b"a=1&"],
    ids=["nothing", "a part of a head", "a page, and a part of another head", "no form",
         "a part of a form"],
)  # fmt: skip
def test_who_does_not_end_what_it_asks_is_let_go(server: uvicorn.Server, sent: bytes) -> None:
    with socket.create_connection(address(server)) as slow:
        slow.sendall(sent)
        go_on(slow)


def test_who_takes_nothing_of_an_answer_is_let_go(
    server: uvicorn.Server, pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 600.0)  # however busy the machine is
    pages.site.files = {"large": StaticFile(bytes(20_000_000), "image/svg+xml", "mark")}
    with socket.create_connection(address(server)) as slow:
        slow.sendall(b"GET /static/large HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert slow.recv(1) == b"H"
        while server.server_state.connections:
            threading.Event().wait(0.01)
        slow.settimeout(60)
        assert sum(iter(lambda: len(slow.recv(1_000_000)), 0)) < 20_000_000


def test_a_page_that_is_read_is_not_cut_off(
    server: uvicorn.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 60.0)  # however busy the machine is
    path = f"http://127.0.0.1:{address(server)[1]}/events"
    with httpx2.stream("GET", path, timeout=60) as answer:
        lines = answer.iter_lines()
        assert sum(next(lines).startswith("data: ") for _ in range(6)) == 2


def test_one_address_has_so_many_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MOST_OF_ONE", 2)
    monkeypatch.setattr(connections, "is_loopback", lambda place: place == "127.0.0.9")
    with Listener(socket.create_server(("127.0.0.1", 0))) as listening, ExitStack() as stack:

        def come(source: str) -> socket.socket | None:
            stack.enter_context(socket.create_connection(listening.getsockname(), 60, (source, 0)))
            try:
                return stack.enter_context(listening.accept()[0])
            except ConnectionAbortedError:
                return None

        first, second, third = (come("127.0.0.1") for _ in range(3))
        assert first is not None
        assert second is not None
        assert third is None
        assert come("127.0.0.2") is not None
        assert all(come("127.0.0.9") for _ in range(3))  # this machine's own
        first.close()
        first.close()
        assert come("127.0.0.1") is not None
        assert come("127.0.0.1") is None
        monkeypatch.setattr(connections, "MOST", 6)
        assert come("127.0.0.3") is None
