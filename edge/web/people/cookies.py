"""The cookies that a browser is given: their names, and what is true of each."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

SESSION, SEAT, LANGUAGE = "pilah_session", "pilah_seat", "pilah_language"
"""What the cookies are called, without what an encrypted connection puts before it."""
YEAR_SECONDS = 365 * 24 * 3600


def read_cookie(request: Request, name: str) -> str | None:
    """What the browser has of a cookie; None: it has none."""
    return request.cookies.get(_full_name(request, name))


def give_cookie(response: Response, request: Request, name: str, value: str, seconds: int) -> None:
    """Gives the browser a cookie, which no script can read and no other site's page sends."""
    response.set_cookie(
        _full_name(request, name), value, max_age=seconds, httponly=True, samesite="strict",
        secure=_is_encrypted(request),
    )  # fmt: skip


def take_cookie(response: Response, request: Request, name: str) -> None:
    """Takes a cookie from the browser."""
    response.delete_cookie(
        _full_name(request, name), httponly=True, samesite="strict", secure=_is_encrypted(request)
    )


def _full_name(request: Request, name: str) -> str:
    """By `__Host-` (RFC 6265bis, section 4.1.3.2) a browser knows that only this host, encrypted,
    may have set the cookie: none that is set over a plain connection counts."""
    return f"__Host-{name}" if _is_encrypted(request) else name


def _is_encrypted(request: Request) -> bool:
    return request.url.scheme == "https"
