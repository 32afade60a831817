from __future__ import annotations

import pytest
from starlette.requests import Request
from starlette.responses import Response

from edge.web.people.cookies import SESSION, give_cookie, read_cookie, take_cookie


def request(scheme: str, cookie: str = "") -> Request:
    headers = [(b"host", b"pi"), (b"cookie", cookie.encode())]
    return Request({"type": "http", "scheme": scheme, "path": "/", "query_string": b"",
                    "headers": headers, "server": ("pi", 80)})  # fmt: skip


@pytest.mark.parametrize(
    ("scheme", "name", "secure"),
    [("http", "pilah_session", False), ("https", "__Host-pilah_session", True)],
)
def test_a_cookie_of_an_encrypted_page_is_of_that_host_alone(
    scheme: str, name: str, secure: bool
) -> None:
    answer = Response()
    give_cookie(answer, request(scheme), SESSION, "x", 60)
    said = answer.headers["set-cookie"]
    assert said.startswith(f"{name}=x; ")
    assert ("Secure" in said) == secure
    for part in ("HttpOnly", "SameSite=strict", "Path=/", "Max-Age=60"):
        assert part in said
    assert "Domain" not in said
    assert read_cookie(request(scheme, f"{name}=x"), SESSION) == "x"
    gone = Response()
    take_cookie(gone, request(scheme), SESSION)
    assert gone.headers["set-cookie"].startswith(f'{name}=""; ')


def test_what_a_plain_connection_has_set_counts_for_no_encrypted_page() -> None:
    assert read_cookie(request("https", "pilah_session=x"), SESSION) is None
