"""Who may come in where: every door with every right, and what is sent by others than a person."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from markupsafe import escape

from edge.web.doors import DOORS, Door, Right
from edge.web.people.accounts import Role
from edge.web.people.cookies import SEAT, SESSION
from edge.web.visit import NAVIGATION
from tests.edge.ledger.entries import entry
from tests.edge.web.browsing import PASSWORD, Browser, Pages

RIGHTS: Mapping[tuple[str, str], Right] = {
    ("GET", "/static/{name}"): Right.ANYONE,
    ("GET", "/sign-in"): Right.ANYONE,
    ("POST", "/sign-in"): Right.ANYONE,
    ("POST", "/language"): Right.ANYONE,
    ("POST", "/sign-out"): Right.OPERATOR,
    ("GET", "/events"): Right.OPERATOR,
    ("GET", "/photographs/{item}"): Right.OPERATOR,
    ("GET", "/"): Right.OPERATOR,
    ("GET", "/picture"): Right.OPERATOR,
    ("GET", "/teach"): Right.OPERATOR,
    ("POST", "/teach/take"): Right.OPERATOR,
    ("POST", "/teach/discard"): Right.OPERATOR,
    ("GET", "/teach/region"): Right.OPERATOR,
    ("GET", "/teach/lanes"): Right.OPERATOR,
    ("POST", "/teach/lanes/begin"): Right.ADMIN,
    ("POST", "/teach/lanes/move"): Right.ADMIN,
    ("POST", "/teach/lanes/end"): Right.ADMIN,
    ("GET", "/health/pictures"): Right.OPERATOR,
    ("GET", "/health"): Right.OPERATOR,
    ("GET", "/delivery"): Right.OPERATOR,
    ("GET", "/deliveries"): Right.OPERATOR,
    ("POST", "/delivery/open"): Right.OPERATOR,
    ("POST", "/delivery/scan"): Right.OPERATOR,
    ("POST", "/delivery/correct"): Right.OPERATOR,
    ("POST", "/delivery/undo"): Right.OPERATOR,
    ("POST", "/delivery/close"): Right.OPERATOR,
    ("POST", "/delivery/reopen"): Right.ADMIN,
    ("GET", "/delivery/report"): Right.OPERATOR,
    ("GET", "/delivery/report.csv"): Right.OPERATOR,
    ("GET", "/review"): Right.OPERATOR,
    ("POST", "/review/decide"): Right.OPERATOR,
    ("POST", "/review/sweep"): Right.OPERATOR,
    ("POST", "/review/skip"): Right.OPERATOR,
    ("POST", "/review/undo"): Right.OPERATOR,
    ("GET", "/history"): Right.OPERATOR,
    ("GET", "/history/export"): Right.ADMIN,
    ("POST", "/pause"): Right.OPERATOR,
    ("POST", "/resume"): Right.OPERATOR,
    ("POST", "/reset"): Right.OPERATOR,
    ("POST", "/clear"): Right.ADMIN,
}
"""Who may use each door, written down a second time: one that is added must be added here."""


def test_every_door_has_the_right_that_is_written_here() -> None:
    assert {(door.method, door.path): door.right for door in DOORS} == RIGHTS


def address(door: Door) -> str:
    return re.sub(r"\{\w+\}", "x", door.path)


def knock(browser: Browser, door: Door) -> int:
    """The status that a door answers."""
    if door.method == "POST":
        return browser.post(address(door)).status_code
    return browser.get(address(door)).status_code


CLOSED = [door for door in DOORS if door.right is not Right.ANYONE]
ENDING = [door for door in CLOSED if door.path != "/events"]
"""Those whose answer has an end."""


@pytest.mark.parametrize("door", CLOSED, ids=lambda door: f"{door.method} {door.path}")
def test_who_has_not_signed_in_is_let_in_nowhere(pages: Pages, door: Door) -> None:
    pages.account("Ana")
    answer = pages.browser().client.request(door.method, address(door))
    assert answer.status_code == (303 if door.is_page else 401)
    if door.is_page:
        assert answer.headers["location"].startswith("/sign-in?next=")
        assert answer.text == ""


@pytest.mark.parametrize("door", ENDING, ids=lambda door: f"{door.method} {door.path}")
@pytest.mark.parametrize("role", list(Role))
def test_who_has_signed_in_is_let_in_as_the_role_says(pages: Pages, door: Door, role: Role) -> None:
    pages.account("Ana", role)
    refused = knock(pages.browser("Ana"), door) == 403
    assert refused == (door.right is Right.ADMIN and role is Role.OPERATOR)


@pytest.mark.parametrize(
    "door", [d for d in DOORS if d.method == "POST"], ids=lambda door: door.path
)
@pytest.mark.parametrize("token", [None, "", "x", "ä", "another's"])
def test_a_form_without_its_token_does_nothing(pages: Pages, door: Door, token: str | None) -> None:
    pages.account("Ana", Role.ADMIN)
    browser = pages.browser("Ana")
    if token == "another's":
        found = re.search('name="token" value="(.+)"', pages.browser("Ana").get("/").text)
        assert found is not None
        token = found[1]
    form = {} if token is None else {"token": token}
    answer = browser.client.post(address(door), data=form)
    assert answer.status_code == 403
    assert "Nothing was done" in answer.text
    assert browser.get("/").status_code == 200  # still signed in


def test_what_another_site_sends_is_refused_though_it_has_all_cookies(pages: Pages) -> None:
    browser = pages.browser()
    for place in ("cross-site", "same-site"):
        answer = browser.post("/language", {"language": "id"}, **{"Sec-Fetch-Site": place})
        assert answer.status_code == 403
    assert browser.post("/language", {"language": "id"}).status_code == 303


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost", 303), ("http://localhost:81", 403), ("http://evil.example", 403),
        ("null", 403), ("http://[", 403), ("", 403),
    ],
)  # fmt: skip
def test_a_browser_that_tells_the_origin_alone_is_listened_to(
    pages: Pages, origin: str, status: int
) -> None:
    """Beyond this machine, without TLS, browsers send no Sec-Fetch-Site."""
    answer = pages.browser().post("/language", {"language": "id"}, Origin=origin)
    assert answer.status_code == status


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8040", "10.0.0.7", "", "[::2]"])
def test_pages_for_this_machine_alone_have_no_other_name(pages: Pages, host: str) -> None:
    assert pages.browser().get("/", Host=host).status_code == 421


@pytest.mark.parametrize("host", ["localhost", "localhost:8040", "127.0.0.1:8040", "[::1]:8040"])
def test_this_machine_has_several_names(pages: Pages, host: str) -> None:
    assert pages.browser().get("/", Host=host).status_code == 200


def test_beyond_this_machine_nobody_is_let_in_without_an_account(tmp_path: Path) -> None:
    pages = Pages(tmp_path, host="0.0.0.0")
    assert pages.browser().get("/").status_code == 303
    assert pages.browser().get("/events").status_code == 401


def test_the_first_account_closes_the_pages_of_this_machine_at_once(pages: Pages) -> None:
    browser = pages.browser()
    assert browser.get("/").status_code == 200
    pages.account("Ana")
    assert browser.get("/").status_code == 303


def test_a_damaged_file_of_accounts_lets_nobody_in(pages: Pages) -> None:
    pages.account("Ana")
    browser = pages.browser("Ana")
    pages.plan.accounts.write_text("{")
    answer = browser.get("/")
    assert answer.status_code == 503
    assert "is not a file of accounts" in answer.text


def test_cookies_are_for_these_pages_alone(pages: Pages) -> None:
    pages.account("Ana")
    browser = pages.browser()
    said = browser.get("/sign-in").headers["set-cookie"]
    assert said.startswith(f"{SEAT}=")
    token = re.search('name="token" value="(.+)"', browser.get("/sign-in").text)
    assert token is not None
    form = {"token": token[1], "name": "Ana", "password": PASSWORD}
    session = browser.client.post("/sign-in", data=form).headers["set-cookie"]
    assert session.startswith(f"{SESSION}=")
    for cookie in (said, session):
        assert "httponly" in cookie.lower()
        assert "samesite=strict" in cookie.lower()


@pytest.mark.parametrize("path", ["/", "/health", "/static/pilah.js", "/nowhere", "/sign-in"])
def test_every_answer_has_a_strict_policy(pages: Pages, path: str) -> None:
    headers = pages.browser().get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"


def test_no_page_has_a_script_or_a_style_in_it(pages: Pages) -> None:
    pages.account("Ana")
    for text in (pages.browser("Ana").get("/").text, pages.browser().get("/sign-in").text):
        assert re.findall(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=|javascript:", text) == []
        assert re.findall(r'(?:src|href|action)="(?!/|#)', text) == []  # nothing from elsewhere


def test_what_people_and_files_name_things_is_never_markup(tmp_path: Path) -> None:
    label, lane, person = "<script>alert(1)</script>", "<b>lane</b>", "<img src=x onerror=alert(1)>"
    pages = Pages(
        tmp_path, lanes={lane: (label,)}, names={"en": {label: f"{label}!"}}, kept="all",
        kept_days=30.0,
    )  # fmt: skip
    pages.write([entry(1, label=label, lane=lane, source=label, photograph="2026-11-21/a.jpg")])
    pages.control.shown = {"state": "Held", "reason": "paused", "who": person}
    pages.account(person, Role.ADMIN)
    browser = pages.browser(person)
    for path, _ in NAVIGATION:
        answer = browser.get(path)
        assert answer.status_code == 200
        assert escape(person) in answer.text
        assert not [raw for raw in (label, lane, person) if raw in answer.text], path


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "X"])
def test_other_methods_are_not_understood(pages: Pages, method: str) -> None:
    assert pages.browser().client.request(method, "/").status_code == 405


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"token=" + b"x" * 70_000, 413),
        (b"\xff\xfe", 400),
        (b"token=%ff", 400),
        (b"no form", 400),
        (b"&".join(b"a=1" for _ in range(400)), 400),
        (b"", 403),
    ],
    ids=["large", "no text", "no UTF-8", "no form", "many fields", "empty"],
)
def test_what_is_no_form_is_refused(pages: Pages, body: bytes, status: int) -> None:
    browser = pages.browser()
    assert browser.client.post("/language", content=body).status_code == status
    streamed = (body[at : at + 1000] for at in range(0, len(body), 1000))
    assert browser.client.post("/language", content=streamed).status_code == status


def test_a_page_that_fails_says_so_and_nothing_else(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages.site.plan = None  # type: ignore[assignment]
    browser = pages.browser()
    browser.client = type(browser.client)(
        browser.client.app, base_url="http://localhost", raise_server_exceptions=False
    )
    answer = browser.get("/health")
    assert answer.status_code == 500
    assert answer.text == "This page failed: the log of the pages says why.\n"
