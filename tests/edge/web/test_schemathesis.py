"""Every door as schemathesis tries it, by a description of the doors in OpenAPI: no failure, and no
way in."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge.web.doors import DOORS, Door, Right
from edge.web.people.accounts import Role
from edge.web.people.cookies import SEAT, SESSION
from tests.edge.web.browsing import Browser, Pages
from tests.edge.web.test_fuzz import ENDING, NAMES, WORDS, fill

schemathesis = pytest.importorskip("schemathesis")
import requests  # noqa: E402 - what schemathesis itself sends with
from hypothesis import HealthCheck, given, settings  # noqa: E402

_VALUE = {"anyOf": [{"type": "string"}, {"enum": [word for word in WORDS if word.isprintable()]}]}
_CLOSED = [door for door in ENDING if door.right is not Right.ANYONE]


def description() -> dict[str, Any]:
    """All doors in OpenAPI, with the names that any of them knows."""
    paths: dict[str, dict[str, Any]] = {}
    for door in DOORS:
        places = [(name, "path") for name in re.findall(r"{(\w+)}", door.path)]
        places += [(name, "query") for name in NAMES]
        places += [(name, "cookie") for name in (SESSION, SEAT)] if door in _CLOSED else []
        operation: dict[str, Any] = {
            "parameters": [
                {"name": name, "in": place, "required": place == "path", "schema": _VALUE}
                for name, place in places
            ],
            "responses": {"default": {"description": "a page"}},
        }
        if door.method == "POST":
            form = {"type": "object", "properties": dict.fromkeys(NAMES, _VALUE)}
            operation["requestBody"] = {
                "content": {"application/x-www-form-urlencoded": {"schema": form}}
            }
        paths.setdefault(door.path, {})[door.method.lower()] = operation
    return {"openapi": "3.1.0", "info": {"title": "pilah", "version": "1"}, "paths": paths}


SCHEMA = schemathesis.openapi.from_dict(description())


def try_out(door: Door, examples: int, check: Callable[[requests.PreparedRequest], None]) -> None:
    """Has schemathesis make up requests for a door."""

    @settings(
        max_examples=examples, database=None, deadline=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=SCHEMA[door.path][door.method].as_strategy())
    def tried(case: Any) -> None:
        check(requests.Request(**case.as_transport_kwargs(base_url="http://localhost")).prepare())

    tried()


def signed_in(door: Door, pages: Pages, examples: int) -> None:
    """Tries a door as an admin does, whose forms have their token."""
    browser = pages.browser("Ana")
    found = re.search('name="token" value="([^"]+)"', browser.get("/").text)
    assert found is not None
    token = f"token={found[1]}".encode()

    def check(request: requests.PreparedRequest) -> None:
        request.headers.pop("Cookie", None)
        if door.method == "POST":
            body = request.body or b""
            body = body.encode() if isinstance(body, str) else body
            request.body = b"&".join(filter(None, (body, token)))
            request.headers["Content-Type"] = "application/x-www-form-urlencoded"
        answer = sent(browser, request)
        assert answer.status_code < 500, f"{request.url}: {answer.text[:500]}"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert not answer.headers.get("location", "/").startswith(("//", "http"))

    try_out(door, examples, check)


def not_signed_in(door: Door, pages: Pages, examples: int) -> None:
    """Tries a door with made-up cookies."""
    browser = pages.browser()

    def check(request: requests.PreparedRequest) -> None:
        answer = sent(browser, request)
        assert answer.status_code in (303, 400, 401, 404), f"{request.url}: {answer.text[:500]}"
        if answer.status_code == 303:
            assert answer.headers["location"].startswith("/sign-in?next=")

    try_out(door, examples, check)


def sent(browser: Browser, request: requests.PreparedRequest) -> Any:
    headers = {name: value for name, value in request.headers.items() if name != "Content-Length"}
    assert request.method is not None
    return browser.client.request(
        request.method, str(request.url), content=request.body, headers=headers
    )


def records(pages: Pages) -> list[bytes]:
    """What somebody would have changed."""
    files = (pages.plan.ledger, pages.plan.deliveries)
    return [
        part.read_bytes() for file in files for part in (file, Path(f"{file}-wal")) if part.exists()
    ]


@pytest.fixture
def filled(pages: Pages) -> Pages:
    fill(pages)
    pages.account("Ana", Role.ADMIN)
    return pages


def test_some_doors_stand_some_requests(filled: Pages) -> None:
    """All of them, and more, in the slow tests below."""
    before = records(filled)
    for door in _CLOSED[::6]:
        not_signed_in(door, filled, 2)
    assert records(filled) == before
    for door in ENDING[::6]:
        signed_in(door, filled, 2)


@pytest.mark.slow
@pytest.mark.parametrize("door", ENDING, ids=lambda door: f"{door.method} {door.path}")
def test_no_request_makes_a_door_fail(filled: Pages, door: Door) -> None:
    signed_in(door, filled, 60)


@pytest.mark.slow
@pytest.mark.parametrize("door", _CLOSED, ids=lambda door: f"{door.method} {door.path}")
def test_no_request_comes_in(filled: Pages, door: Door) -> None:
    before = records(filled)
    not_signed_in(door, filled, 60)
    assert records(filled) == before
