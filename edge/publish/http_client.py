"""Sends HTTP requests to another system, and says what its answer means for an entry."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import edge
from edge.publish.credentials import trusting
from edge.publish.receiver import ReceiverUnavailable

_PATIENCE_SECONDS = 20.0
"""How many seconds the other system may take for each part of an answer."""
_LARGEST = 4 * 2**20
"""The most bytes of an answer; a longer one is an error."""
_LATER = frozenset((401, 403, 404, 405, 406, 407, 408, 415, 421, 425, 426, 429, 431))
"""Status codes that blame no entry, but how or when it was sent: credentials, address, rate. A
person can mend that, and the same entry is taken then (RFC 9110, section 15.5; RFC 6585)."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """The answer to a request, which was done, or whose content was refused for ever."""

    status: int
    headers: Message
    body: bytes

    @property
    def done(self) -> bool:
        """Whether the request was done; if not, its content was refused."""
        return 200 <= self.status < 300

    @property
    def value(self) -> Any:
        """The JSON value of the body; None if the body is not JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):  # the latter: it is nested too deeply
            return None

    @property
    def reason(self) -> str:
        """The status and the body in one line, for messages."""
        text = " ".join(self.body.decode("utf-8", "replace").split())
        return f"{self.status}: {text[:500]}" if text else str(self.status)


class HttpClient:
    """Asks one system. Every request has a connection of its own; redirects are not followed."""

    def __init__(
        self, url: str, *, headers: Mapping[str, str], ca_file: Path | None, key: str
    ) -> None:
        """Connects to nothing yet.

        Args:
            url: what the paths of all requests come after.
            headers: are sent with every request.
            ca_file: the certificates of those who may prove the system's name; None: those that
                this machine trusts.
            key: what the station file calls `ca_file`, for the message.

        Raises:
            ReceiverSetupError: the certificates cannot be read.
        """
        self._parts, self._url = urlsplit(url.rstrip("/")), url
        self._headers = {"User-Agent": f"pilah/{edge.__version__}", **headers}
        self._context: ssl.SSLContext | None = None
        if self._parts.scheme == "https":
            self._context = trusting(ca_file, key)

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        whole_path: bool = False,
        taken: Collection[int] = (),
    ) -> HttpAnswer:
        """The answer to a request.

        Args:
            path: comes after the URL: `/capture`.
            body: the value to be sent as JSON; None for no body.
            headers: are sent with this request alone.
            whole_path: `path` begins at the root of the server instead.
            taken: status codes that are an answer to this request, whatever they mean else.

        Raises:
            ReceiverUnavailable: it cannot be reached, does not answer, or answers that it cannot
                now, or that whoever asks is to blame.
        """
        raw = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        sent = {**self._headers, **(headers or {})}
        if raw is not None:
            sent.setdefault("Content-Type", "application/json")
        connection = self._connection()
        try:
            target = path if whole_path else self._parts.path + path
            connection.request(method, target, raw, sent)
            found = connection.getresponse()
            answer = HttpAnswer(found.status, found.headers, found.read(_LARGEST + 1))
            if len(answer.body) <= _LARGEST and found.length:  # so many bytes did not come
                raise http.client.IncompleteRead(answer.body, found.length)
        except (OSError, ValueError, http.client.HTTPException) as error:
            # A ValueError: a name that is none, such as `a..b`.
            raise ReceiverUnavailable(
                f"{self._where} does not answer: {error or type(error).__name__}"
            ) from error
        finally:
            connection.close()
        if len(answer.body) > _LARGEST:
            raise ReceiverUnavailable(f"{self._where} answers with more than {_LARGEST:,} bytes")
        if answer.status in taken:
            return answer
        if not 200 <= answer.status < 500 or 300 <= answer.status < 400 or answer.status in _LATER:
            raise ReceiverUnavailable(f"{self._where}{path} answers {answer.reason}")
        return answer

    @property
    def _where(self) -> str:
        return f"{self._parts.scheme}://{self._parts.hostname}{self._parts.path}"

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        if self._context is None:
            return http.client.HTTPConnection(host, port, timeout=_PATIENCE_SECONDS)
        return http.client.HTTPSConnection(
            host, port, timeout=_PATIENCE_SECONDS, context=self._context
        )


def basic(username: str, password: str) -> str:
    """The value of the header `Authorization` for a name and a password (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()
