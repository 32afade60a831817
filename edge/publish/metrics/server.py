"""Answers `/metrics`, `/healthz` and `/readyz` by HTTP, in a thread of the publisher.

`/healthz` answers as long as the publisher works. `/readyz` says whether all is well, and why not:
status 200 or 503, with the reasons as JSON.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import socket
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from edge.config.serving.address import Address
from edge.core.closing import Closing
from edge.publish.metrics.exposition import StationMetrics
from edge.runtime.clock import SYSTEM_CLOCK
from edge.runtime.heartbeat import BEAT_SECONDS, Heartbeat

_log = logging.getLogger(__name__)

_PATIENCE_SECONDS = 10.0
"""How many seconds a client may be silent."""
_RETRY_SECONDS = 5.0
"""How many seconds after a failure the address, or the ledger, is tried again."""
_MOST_AT_ONCE = 16
"""Requests that are answered at the same time; the connections of more are closed unanswered."""


class MetricsServer(Closing):
    """The HTTP server of the metrics of one station.

    Attributes:
        heartbeat: the signs of life of `run`.
        address: where it listens.
        trouble: why it does not listen; None if it listens.
    """

    name = "metrics"
    trouble: str | None = None

    def __init__(
        self, listen: Address, metrics: StationMetrics, *, stopping: threading.Event
    ) -> None:
        """Listens, if it can, and answers nothing yet.

        Args:
            stopping: set when `run` is to end.
        """
        self._metrics, self._stopping = metrics, stopping
        self.heartbeat = Heartbeat(SYSTEM_CLOCK.now)
        registry = CollectorRegistry()
        registry.register(metrics)
        self._handler = _handler(registry, metrics)
        self.address = listen
        self._server: _Server | None = None
        self._try_to_listen()
        if not _is_loopback(listen.host):
            _log.warning(
                f"warning    whoever reaches {listen} may read the metrics: there is no password"
            )

    def run(self) -> None:
        """Answers until it is to stop; counts the ledger's rows meanwhile. Closes the server.

        An address that is taken is tried again and again: it holds up nothing else.
        """
        threading.Thread(target=self._count, name="metrics-count", daemon=True).start()
        try:
            with self.heartbeat.working():
                while not self._stopping.is_set():
                    self.heartbeat.beat()
                    if self._server is not None:
                        self._server.handle_request()
                    elif not self._stopping.wait(_RETRY_SECONDS):
                        self._try_to_listen()
        finally:
            self.close()

    def close(self) -> None:
        """Stops listening; may be called twice."""
        if self._server is not None:
            self._server.server_close()

    def _count(self) -> None:
        """Counts the ledger's rows: again until all are, for the ledger may come, or be mended."""
        while not self._metrics.count() and not self._stopping.wait(_RETRY_SECONDS):
            pass

    def _try_to_listen(self) -> None:
        try:
            self._server = _Server(self.address, self._handler)
        except OSError as error:
            said = (
                f"cannot listen at {self.address}, as `metrics` in the station file says: "
                f"{error.strerror or error}"
            )
            if self.trouble is None:
                _log.error(f"incident   {said}. It is tried again and again")
            self.trouble = said
            return
        self.trouble = None
        self.address = Address(self.address.host, self._server.server_port)
        _log.info(f"metrics    http://{self.address}/metrics, and /healthz and /readyz")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    timeout = BEAT_SECONDS
    """How long `handle_request` waits for a request."""

    def __init__(self, listen: Address, handler: type[BaseHTTPRequestHandler]) -> None:
        if ":" in listen.host:
            self.address_family = socket.AF_INET6
        self._free = threading.BoundedSemaphore(_MOST_AT_ONCE)
        super().__init__((listen.host, listen.port), handler)

    def server_bind(self) -> None:
        # Not that of HTTPServer, which asks for this machine's name and may wait for a network.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "", self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        _log.debug(f"metrics: a request of {client_address} failed", exc_info=True)


def _handler(registry: CollectorRegistry, metrics: StationMetrics) -> type[BaseHTTPRequestHandler]:
    """The class of request handlers; each object answers one request."""

    class Handler(BaseHTTPRequestHandler):
        timeout = _PATIENCE_SECONDS
        server_version = "pilah"
        sys_version = ""

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/metrics":
                encode, content_type = choose_encoder(self.headers.get("Accept", ""))
                self._answer(HTTPStatus.OK, content_type, encode(registry))
            elif path == "/healthz":
                self._answer_json(HTTPStatus.OK, {"healthy": True})
            elif path == "/readyz":
                problems = metrics.problems
                status = HTTPStatus.SERVICE_UNAVAILABLE if problems else HTTPStatus.OK
                self._answer_json(status, {"ready": not problems, "reasons": problems})
            else:
                found = {"error": "there are /metrics, /healthz and /readyz"}
                self._answer_json(HTTPStatus.NOT_FOUND, found)

        do_HEAD = do_GET  # noqa: N815 - the standard library's name

        def log_request(self, code: object = "-", size: object = "-") -> None:
            _log.debug(f"metrics: {self.requestline!r} {code}")

        def log_error(self, *said: object) -> None:
            _log.debug(f"metrics: {said}")

        def _answer_json(self, status: HTTPStatus, found: object) -> None:
            self._answer(status, "application/json", json.dumps(found).encode() + b"\n")

        def _answer(self, status: HTTPStatus, content_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

    return Handler


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
