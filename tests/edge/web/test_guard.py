"""What the guard does is shown with the whole application in test_app.py; here, whose names count
as this machine's."""

from __future__ import annotations

import asyncio

import pytest
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from edge.web.guard import Guard, came_encrypted, is_here, is_loopback, network_of


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("localhost", True), ("localhost:8040", True), ("127.0.0.1", True), ("127.8.9.1:80", True),
        ("[::1]", True), ("[::1]:8040", True), ("localhost.evil.example", False), ("", False),
        ("127.0.0.1.evil.example:80", False), ("0.0.0.0", False), ("192.168.1.7:8040", False),
        ("localhost@evil.example", False), ("evil.example#localhost", False),
    ],
)  # fmt: skip
def test_a_host_is_this_machine_s_or_another_s(host: str, here: bool) -> None:
    assert is_here(host) == here


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "pi.local", "", "10.0.0.1"])
def test_an_address_that_others_reach_is_no_loopback(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("192.168.1.7", "192.168.1.7"),
        ("::ffff:192.168.1.7", "192.168.1.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
    ],
)
def test_addresses_that_one_machine_may_take_are_one(host: str, network: str) -> None:
    assert network_of(host) == network


def answered(
    method: str, host: str, *, version: str = "1.1", is_open: bool = True, **headers: str
) -> tuple[int, str]:
    """Status and text of the answer to a request; 200 and its scheme where it was let through."""
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse(scope["scheme"])(scope, receive, send)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    found = {"host": host, **{name.replace("_", "-"): text for name, text in headers.items()}}
    scope: Scope = {
        "type": "http", "method": method, "path": "/", "scheme": "http", "http_version": version,
        "client": ("127.0.0.1", 5000), "query_string": b"",
        "headers": [(name.lower().encode(), text.encode()) for name, text in found.items()],
    }  # fmt: skip
    asyncio.run(Guard(app, is_open=lambda: is_open)(scope, receive, send))
    return int(sent[0]["status"]), sent[1]["body"].decode()


@pytest.mark.parametrize(
    "more",
    [
        {"X_Forwarded_For": "10.0.0.9"}, {"X_Real_IP": "10.0.0.9"}, {"Via": "1.1 front"},
        {"Forwarded": "for=10.0.0.9"}, {"X_Forwarded_Proto": "https"},
        {"X_Forwarded_Host": "pi.example"}, {"version": "1.0"},
    ],
)  # fmt: skip
def test_what_a_server_in_front_passes_on_is_refused_where_nobody_signs_in(
    more: dict[str, str],
) -> None:
    for method in ("GET", "HEAD", "POST"):
        status, said = answered(method, "localhost:8040", **more)
        assert status == 421
        assert method == "HEAD" or "make an account first" in said
    assert answered("GET", "localhost:8040") == (200, "http")
    assert answered("GET", "pi.example", is_open=False, **more)[0] == 200


def test_that_a_browser_came_by_https_is_believed_of_a_server_on_this_machine() -> None:
    assert answered("GET", "pi", is_open=False, X_Forwarded_Proto="https") == (200, "https")
    assert answered("GET", "pi", is_open=False, X_Forwarded_Proto="http") == (200, "http")
    assert not came_encrypted({"client": ("10.0.0.9", 1)}, Headers({"x-forwarded-proto": "https"}))


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"X_Forwarded_For": "10.0.0.9"}, "must pass on the header Host"),
        ({"Sec_Fetch_Site": "same-origin"}, "must pass on the header Host"),
        ({"Sec_Fetch_Site": "cross-site", "Via": "1.1 a"}, "the page of another site"),
        ({}, "the page of another site"),
    ],
)
def test_a_server_that_changes_the_host_is_told_so_and_nothing_is_done(
    headers: dict[str, str], said: str
) -> None:
    origin = {"Origin": "https://pi.example"}
    status, text = answered("POST", "127.0.0.1:8040", is_open=False, **origin, **headers)
    assert status == 403
    assert said in text
    assert answered("POST", "pi.example", is_open=False, **origin)[0] == 200
