"""A server of files on this machine, which can break off, lie and fail as real ones do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class FileServer:
    """What it serves, how badly, and what it was asked for."""

    files: dict[str, bytes] = field(default_factory=dict)
    break_after: list[int] = field(default_factory=list)
    """Bytes sent of the first answers, one each, before the connection is closed."""
    fail: list[int] = field(default_factory=list)
    """HTTP states of the first answers."""
    ranges: bool = True
    tags: dict[str, str] = field(default_factory=dict)
    """ETag of a file; else one of its length."""
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """Path and Range of each request."""
    address: str = ""

    def url(self, name: str) -> str:
        return f"{self.address}/{name}"


@contextmanager
def file_server() -> Iterator[FileServer]:
    """A running server on 127.0.0.1."""
    facts = FileServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name, span = self.path.lstrip("/"), self.headers.get("Range")
            facts.asked.append((name, span))
            if facts.fail:
                self.send_error(facts.fail.pop(0))
                return
            content = facts.files.get(name)
            if content is None:
                self.send_error(404)
                return
            tag = facts.tags.get(name, f'"{len(content)}"')
            start = 0
            if span and facts.ranges and self.headers.get("If-Range") == tag:
                start = int(span.removeprefix("bytes=").rstrip("-"))
                if start >= len(content):
                    self.send_error(416)
                    return
                self.send_response(206)
                self.send_header(
                    "Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}"
                )
            else:
                self.send_response(200)
            body = content[start:]
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", tag)
            self.end_headers()
            if facts.break_after:
                body = body[: facts.break_after.pop(0)]
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        facts.address = f"http://127.0.0.1:{server.server_address[1]}"
        yield facts
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
