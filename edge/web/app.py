"""The pages as one ASGI application: finds out who asks, and lets through who may."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import parse_qsl, quote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from edge.core.errors import AccountsError, PilahError, UsageError
from edge.web.doors import DOORS, Door, Right
from edge.web.guard import Guard
from edge.web.language.languages import chosen_language
from edge.web.people.accounts import AccountList, Role
from edge.web.people.cookies import (
    LANGUAGE,
    SEAT,
    SESSION,
    YEAR_SECONDS,
    give_cookie,
    read_cookie,
)
from edge.web.people.tokens import is_form_token, new_seat
from edge.web.site import Site
from edge.web.visit import Person, Visit

_log = logging.getLogger(__name__)

_MOST_FIELDS = 300
"""Fields of a form: some per item of a sweep."""


def make_app(site: Site) -> ASGIApp:
    """The application that serves `site`."""
    routes = [Route(door.path, _endpoint(site, door), methods=[door.method]) for door in DOORS]

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return await run_in_threadpool(_refusal, site, request, error.status_code)

    async def failed(request: Request, error: Exception) -> Response:
        _log.error(f"pages      {request.method} {request.url.path!r}", exc_info=error)
        return PlainTextResponse("This page failed: the log of the pages says why.\n", 500)

    app = Starlette(routes=routes, exception_handlers={HTTPException: refused, 500: failed})
    app.router.redirect_slashes = False

    def is_open() -> bool:
        try:
            return site.open_here and site.accounts.known() is None
        except AccountsError:
            return site.open_here

    return Guard(app, is_open=is_open)


def _endpoint(site: Site, door: Door):  # type: ignore[no-untyped-def]
    async def answer(request: Request) -> Response:
        form: Mapping[str, str] = {}
        if door.method == "POST":
            try:
                form = _form(await request.body())
            except ClientDisconnect:
                return Response(status_code=400)
        return await run_in_threadpool(_answer, site, door, request, form)

    return answer


def _answer(site: Site, door: Door, request: Request, form: Mapping[str, str]) -> Response:
    try:
        listed = site.accounts.known()
    except AccountsError as error:
        return PlainTextResponse(f"{error}\n", HTTPStatus.SERVICE_UNAVAILABLE)
    visit = _visit(site, request, form, listed)
    response = _response(visit, door)
    if read_cookie(request, SEAT) is None:
        give_cookie(response, request, SEAT, visit.seat, YEAR_SECONDS)
    return response


def _response(visit: Visit, door: Door) -> Response:
    if (refusal := _not_let_in(visit, door)) is not None:
        return refusal
    if door.method == "POST":
        token = visit.form.get("token", "")
        if not is_form_token(token, visit.key, visit.seat, visit.session):
            return visit.page("refused.html", code=403, why="form")
    try:
        return door.answer(visit)
    except PilahError as error:
        _log.debug("where the error comes from:", exc_info=True)
        code = 400 if isinstance(error, UsageError) else 503
        said, foreign = visit.station_words(error)
        return visit.page("refused.html", code=code, why="error", said=said, foreign=foreign)


def _not_let_in(visit: Visit, door: Door) -> Response | None:
    if door.right is Right.ANYONE:
        return None
    if visit.person is None:
        if not door.is_page:
            return PlainTextResponse("sign in first\n", HTTPStatus.UNAUTHORIZED)
        back = visit.address if door.method == "GET" else "/"
        return visit.go(f"/sign-in?next={quote(back)}")
    if door.right is Right.ADMIN and visit.person.role is not Role.ADMIN:
        return visit.page("refused.html", code=403, why="role")
    return None


def _visit(
    site: Site, request: Request, form: Mapping[str, str], listed: AccountList | None
) -> Visit:
    session = read_cookie(request, SESSION) or ""
    person: Person | None = None
    if listed is not None:
        found = site.sessions.read(listed, session)
        if found is None:
            session = ""
        else:
            person = Person(found[0], found[1].role, signed_in=True)
    else:
        session = ""
        if site.open_here:
            person = Person("operator", Role.ADMIN, signed_in=False)
    return Visit(
        request=request,
        site=site,
        language=chosen_language(
            site.languages,
            read_cookie(request, LANGUAGE),
            request.headers.get("accept-language", ""),
        ),
        person=person,
        seat=read_cookie(request, SEAT) or new_seat(),
        session=session,
        key=site.key if listed is None else listed.key,
        form=form,
    )


def _refusal(site: Site, request: Request, status: int) -> Response:
    """The page for an address that is not there, or a method that it does not have."""
    try:
        visit = _visit(site, request, {}, site.accounts.known())
    except AccountsError:
        return PlainTextResponse(HTTPStatus(status).phrase + "\n", status)
    return visit.page("refused.html", code=status, why=f"{status}")


def _form(body: bytes) -> Mapping[str, str]:
    """The values of a form.

    Raises:
        HTTPException: it is none.
    """
    try:
        return dict(
            parse_qsl(
                body.decode("ascii"), keep_blank_values=True, strict_parsing=bool(body),
                errors="strict", max_num_fields=_MOST_FIELDS,
            )
        )  # fmt: skip
    except ValueError as error:
        raise HTTPException(400) from error
