"""An MJPEG camera on loopback, as cheap network cameras are: JPEGs in one endless HTTP answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

import cv2
import numpy as np

from edge.core.images.image_file import Image
from tests.ports import free_port

RATE = 30.0
_BITS, _SIDE = 40, 8


def clock_picture(bgr: tuple[int, int, int]) -> Image:
    """320x240 pixels of a colour, with the time written across the top in black and white."""
    image = np.full((240, 320, 3), bgr, np.uint8)
    milliseconds = time.monotonic_ns() // 1_000_000
    bits = [milliseconds >> (_BITS - 1 - index) & 1 for index in range(_BITS)]
    image[:32] = np.repeat(np.array(bits, np.uint8) * 255, _SIDE)[:, None]
    return image


def time_in(image: Image) -> float:
    """The seconds, monotonic, that are written across the top of a picture."""
    bits = image[16, _SIDE // 2 :: _SIDE, 1] > 127
    return int("".join("1" if bit else "0" for bit in bits), 2) / 1000


class MjpegServer:
    """A server of one stream, a context manager; `stop` and `start` are as pulling its plug.

    Attributes:
        port: where it listens; the same again after a restart.
        bgr: the colour of the pictures.
        picture: makes the next picture; None: it has that colour, and the time across its top.
        backlog: so many red pictures are sent at once when someone connects.
        damage: what becomes of some JPEGs on their way; None: all arrive whole.
        damaged: those whose number can be divided by this one.
        rate: pictures a second.
        silent: set: it sends nothing more, and keeps the connection.
        password: what Basic authentication wants, as its base64; None: nothing.
    """

    def __init__(
        self,
        *,
        backlog: int = 0,
        password: str | None = None,
        port: int | None = None,
        rate: float = RATE,
    ) -> None:
        self.bgr = (40, 200, 50)
        self.picture: Callable[[], Image] | None = None
        self.backlog, self.password = backlog, password
        self.silent = threading.Event()
        self.damage: Callable[[bytes], bytes] | None = None
        self.damaged = 2
        self.port, self.rate = free_port() if port is None else port, rate
        self._stopping = threading.Event()
        self._server: ThreadingHTTPServer | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/stream"

    def __enter__(self) -> MjpegServer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        self._stopping.clear()
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), self._handler())
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()

    def stop(self) -> None:
        self._stopping.set()
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()  # waits for the threads of the connections

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        camera = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *words: Any) -> None:
                pass

            def do_GET(self) -> None:
                wanted = None if camera.password is None else f"Basic {camera.password}"
                if self.path != "/stream":
                    self.send_error(404)
                elif wanted not in (None, self.headers.get("Authorization")):
                    self.send_response(401)
                    self.send_header("WWW-Authenticate", 'Basic realm="camera"')
                    self.end_headers()
                else:
                    self._stream()

            def _stream(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                try:
                    self.wfile.write(_part(_jpeg(clock_picture((0, 0, 255)))) * camera.backlog)
                    number = 0
                    while not camera._stopping.wait(1 / camera.rate):
                        if not camera.silent.is_set():
                            picture = camera.picture or partial(clock_picture, camera.bgr)
                            jpeg = _jpeg(picture())
                            if camera.damage is not None and number % camera.damaged == 0:
                                jpeg = camera.damage(jpeg)
                            number += 1
                            self.wfile.write(_part(jpeg))
                except OSError:
                    pass  # the reader is gone

        return Handler


def _jpeg(picture: Image) -> bytes:
    return cv2.imencode(".jpg", picture)[1].tobytes()


def _part(jpeg: bytes) -> bytes:
    return b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%b\r\n" % (
        len(jpeg),
        jpeg,
    )
