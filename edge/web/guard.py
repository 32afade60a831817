"""What is true of every request and every answer, whatever page it is for: an ASGI middleware."""

from __future__ import annotations

import ipaddress
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

_METHODS = ("GET", "HEAD", "POST")
_READING = ("GET", "HEAD")


class Guard:
    """Refuses what no page is sent by a person, and puts HEADERS on every answer."""

    def __init__(self, app: ASGIApp, *, here_only: bool) -> None:
        """Guards `app`.

        Args:
            here_only: whether the pages are for this machine alone, without signing in. A request
                for another host's name is refused then: a page of the web may give its own name
                this machine's address, and would be let in as if a person had come.
        """
        self._app, self._here_only = app, here_only

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
        if self._here_only and not is_here(headers.get("host", "")):
            await refuse(421, "this page is for this machine alone: open it as http://localhost")
            return
        if scope["method"] not in _READING and _is_from_elsewhere(headers):
            await refuse(403, "this was sent by the page of another site, and was not done")
            return
        if any(not _is_small(text) for text in headers.getlist("content-length")):
            await refuse(413, f"more than {LARGEST_BODY} bytes were sent, and were not read")
            return
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
