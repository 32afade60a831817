"""What is true of every request and every answer, whatever page it is for: an ASGI middleware."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY = 64 * 1024
"""Bytes of a form. The longest that a page has is a list of items, of some 4 kB."""

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
"""The content security policy: nothing is fetched from elsewhere, and no script is in a page."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
"""Headers of every answer; those that an answer has itself stay."""

_PASSED_ON = (
    "forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip",
)  # fmt: skip
"""Headers of servers that pass requests on."""
_METHODS = ("GET", "HEAD", "POST")
_READING = ("GET", "HEAD")


class Guard:
    """Refuses what no page is sent by a person, and puts HEADERS on every answer."""

    def __init__(self, app: ASGIApp, *, is_open: Callable[[], bool]) -> None:
        """Guards `app`.

        Args:
            is_open: whether nobody needs to sign in now, because the pages are for this machine
                alone. A request for another host's name is refused then: a page of the web may give
                its own name this machine's address, and would be let in as if a person had come. So
                is one that a server in front passes on, for whomever.
        """
        self._app, self._is_open = app, is_open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                mine = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    mine.setdefault(name, value)
                mine.setdefault("Cache-Control", "no-store")
            await send(message)

        async def refuse(status: int, said: str) -> None:
            await PlainTextResponse(f"{said}\n", status)(scope, receive, sending)

        if scope["method"] not in _METHODS:
            await refuse(405, f"only {', '.join(_METHODS)} are understood")
            return
        if self._is_open() and (refusal := _not_from_here(scope, headers)):
            await refuse(421, refusal)
            return
        if scope["method"] not in _READING and _is_from_elsewhere(headers):
            await refuse(403, _elsewhere_words(headers))
            return
        if any(not _is_small(text) for text in headers.getlist("content-length")):
            await refuse(413, f"more than {LARGEST_BODY} bytes were sent, and were not read")
            return
        if came_encrypted(scope, headers):
            scope = {**scope, "scheme": "https"}  # so that cookies are for https alone
        await self._app(scope, _bounded(receive), sending)


def is_here(host: str) -> bool:
    """Whether a Host header names this machine as it names itself: `localhost`, 127.0.0.1, ::1."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
    name = name.removeprefix("[").removesuffix("]")
    return name == "localhost" or is_loopback(name)


def is_loopback(host: str) -> bool:
    """Whether an address is one of this machine alone; a name other than `localhost` is not."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def network_of(host: str) -> str:
    """What somebody has who has the address `host`: it alone, or the /64 of an IPv6 address, all of
    which a machine may use. Limits for each address are for each of these."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if address.version == 4:
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), 64), strict=False))


def _not_from_here(scope: Scope, headers: Headers) -> str:
    """Why a request is not of somebody at this machine; empty: it may be.

    Servers in front tell that they are, by a header or by the old HTTP that browsers speak no more.
    """
    if scope.get("http_version") == "1.0" or any(name in headers for name in _PASSED_ON):
        return (
            "a server in front of the pages passes this on, and nobody would have to sign in: make "
            "an account first, with `pilah-edge web STATION.yaml --set-password NAME`"
        )
    if not is_here(headers.get("host", "")):
        return "this page is for this machine alone: open it as http://localhost"
    return ""


def came_encrypted(scope: Scope, headers: Headers) -> bool:
    """Whether a server in front, on this machine, says that a request came to it by https."""
    client = scope.get("client") or ("", 0)
    return headers.get("x-forwarded-proto") == "https" and is_loopback(str(client[0]))


def _elsewhere_words(headers: Headers) -> str:
    """What is said of a form that names another origin than the host that it was sent to."""
    if headers.get("sec-fetch-site", "same-origin") != "same-origin" or not any(
        name in headers for name in ("sec-fetch-site", *_PASSED_ON)
    ):
        return "this was sent by the page of another site, and was not done"
    return (
        "this was not done: the browser sent it to another name than the pages were told. A server "
        "in front of them must pass on the header Host as it came (nginx: proxy_set_header Host "
        "$http_host)"
    )


def _is_from_elsewhere(headers: Headers) -> bool:
    """Whether a browser says that another site's page sends this. It gives Sec-Fetch-Site where it
    trusts the connection, and Origin everywhere."""
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return True
    origin = headers.get("origin")
    try:
        return origin is not None and urlsplit(origin).netloc != headers.get("host", "")
    except ValueError:
        return True


def _is_small(length: str) -> bool:
    return (
        length.isascii() and length.isdecimal() and len(length) < 10 and int(length) <= LARGEST_BODY
    )


def _bounded(receive: Receive) -> Receive:
    """`receive`, for a body whose length was not told: too much of it is answered by status 413."""
    left = LARGEST_BODY

    async def receiving() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise HTTPException(413)
        return message

    return receiving
