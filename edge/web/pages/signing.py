"""Signing in and out, and the choice of a language."""

from __future__ import annotations

import math
from urllib.parse import urlsplit

from starlette.responses import Response

from edge.web.guard import network_of
from edge.web.people.cookies import LANGUAGE, SESSION, YEAR_SECONDS, give_cookie, take_cookie
from edge.web.people.sessions import SHIFT_SECONDS, WALL_SECONDS
from edge.web.visit import Visit


def ask(visit: Visit) -> Response:
    """The form to sign in with."""
    there = visit.site.accounts.known() is not None
    if visit.person is not None:
        return visit.go(back_from(visit))
    return visit.page("sign_in.html", back=back_from(visit), wrong=None, accounts=there)


def sign_in(visit: Visit) -> Response:
    """Begins a session, where name and password are right."""
    site = visit.site
    client = visit.request.client
    address = "" if client is None else network_of(client.host)
    name = visit.form.get("name", "")[:64]
    wait = site.guesses.begin(address, name, visit.seat)
    if wait:
        page = visit.page(
            "sign_in.html",
            code=429,
            back=back_from(visit),
            wrong=math.ceil(wait / 60),
            accounts=True,
        )
        page.headers["Retry-After"] = str(math.ceil(wait))
        return page
    account = site.accounts.check(name, visit.form.get("password", ""))
    listed = site.accounts.known()
    if account is None or listed is None or name not in listed.accounts:
        return visit.page(
            "sign_in.html", code=403, back=back_from(visit), wrong=0, accounts=listed is not None
        )
    site.guesses.was_right(address, name, visit.seat)
    seconds = WALL_SECONDS if visit.form.get("wall") else SHIFT_SECONDS
    answer = visit.go(back_from(visit))
    session = site.sessions.begin(listed, name, seconds)
    give_cookie(answer, visit.request, SESSION, session, seconds)
    return answer


def sign_out(visit: Visit) -> Response:
    """Ends the session, also for whoever has copied its cookie; what the browser has kept of
    pictures is to be gone, too."""
    if visit.session:
        visit.site.sessions.end(visit.session)
    answer = visit.go("/sign-in" if visit.session else "/")
    take_cookie(answer, visit.request, SESSION)
    if visit.request.url.scheme == "https":  # browsers do it for encrypted pages alone
        answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


def choose_language(visit: Visit) -> Response:
    """Remembers the language that was chosen, and goes back to the page it was chosen on."""
    answer = visit.go(back_from(visit))
    if (code := visit.form.get("language", "")) in visit.site.languages:
        give_cookie(answer, visit.request, LANGUAGE, code, YEAR_SECONDS)
    return answer


def back_from(visit: Visit) -> str:
    """The page to go to next: one of these pages, whatever an address asks for."""
    wanted = visit.form.get("next") or visit.query.get("next") or "/"
    try:
        found = urlsplit(wanted)
    except ValueError:
        return "/"
    plain = wanted.isascii() and wanted.isprintable() and "\\" not in wanted
    if not plain or found.scheme or found.netloc or not wanted.startswith("/"):
        return "/"
    return "/" if wanted.startswith("//") or len(wanted) > 500 else wanted
