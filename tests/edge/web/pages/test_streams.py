from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from edge.samples.photograph_store import photograph_file
from edge.web.people.accounts import remove_account
from tests.edge.ledger.entries import entry
from tests.edge.web.browsing import Pages

ITEM = entry(1).id
JPEG = b"\xff\xd8\xff\xe0 a photograph"


def put(pages: Pages, content: bytes = JPEG) -> Path:
    file = pages.plan.photographs / photograph_file(ITEM)
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    return file


def test_a_photograph_is_sent_by_its_item_s_id(pages: Pages) -> None:
    put(pages)
    answer = pages.browser().get(f"/photographs/{ITEM}")
    assert answer.content == JPEG
    assert answer.headers["content-type"] == "image/jpeg"
    assert "private" in answer.headers["cache-control"]


@pytest.mark.parametrize(
    "item",
    [
        "../ledger.sqlite", "..%2f..%2fledger.sqlite", "%2e%2e", "x", "%00", ITEM[:-1], ITEM + "0",
        "ffffffff-ffff-ffff-ffff-ffffffffffff", entry(2).id,
    ],
)  # fmt: skip
def test_nothing_else_is(pages: Pages, item: str) -> None:
    put(pages)
    pages.write([entry(1)])
    assert pages.browser().get(f"/photographs/{item}").status_code == 404


def test_what_is_no_jpeg_is_not_sent_as_one(pages: Pages) -> None:
    put(pages, b"<script>alert(1)</script>")
    assert pages.browser().get(f"/photographs/{ITEM}").status_code == 404


def test_a_pipe_in_its_place_is_not_waited_for(pages: Pages) -> None:
    file = put(pages)
    file.unlink()
    os.mkfifo(file)
    assert pages.browser().get(f"/photographs/{ITEM}").status_code == 404


def test_files_of_pages_may_be_kept_for_ever_by_their_mark(pages: Pages) -> None:
    browser = pages.browser()
    mark = pages.site.files["pilah.css"].mark
    assert "immutable" in browser.get(f"/static/pilah.css?v={mark}").headers["cache-control"]
    assert browser.get("/static/pilah.css?v=x").headers["cache-control"] == "no-cache"
    assert browser.get("/static/pilah.js").headers["content-type"].startswith("text/javascript")
    for name in ("nothing.css", "..%2fapp.py", "%2e%2e%2fsite.py"):
        assert browser.get(f"/static/{name}").status_code == 404


@pytest.mark.parametrize("leave", ["sign out", "no account", "stay"])
def test_who_may_see_the_pages_no_more_is_told_nothing_more(
    pages: Pages, monkeypatch: pytest.MonkeyPatch, leave: str
) -> None:
    asked: list[Callable[[], bool]] = []

    async def stream(is_welcome: Callable[[], bool]) -> AsyncIterator[str]:
        asked.append(is_welcome)
        yield "retry: 500\n\n"

    monkeypatch.setattr(pages.site.live, "stream", stream)
    pages.account("Ana")
    browser = pages.browser("Ana")
    assert browser.get("/events").status_code == 200
    assert asked[0]()
    if leave == "sign out":
        browser.post("/sign-out")
    elif leave == "no account":
        remove_account(pages.plan.accounts, "Ana")
    assert asked[0]() == (leave == "stay")


def test_the_first_account_ends_what_was_open_to_all_of_this_machine(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Callable[[], bool]] = []

    async def stream(is_welcome: Callable[[], bool]) -> AsyncIterator[str]:
        asked.append(is_welcome)
        yield ""

    monkeypatch.setattr(pages.site.live, "stream", stream)
    pages.browser().get("/events")
    assert asked[0]()
    pages.account("Ana")
    assert not asked[0]()


def test_a_photograph_is_kept_by_a_browser_for_minutes_alone(pages: Pages) -> None:
    put(pages)
    kept = pages.browser().get(f"/photographs/{ITEM}").headers["cache-control"]
    assert kept == "private, max-age=600"
