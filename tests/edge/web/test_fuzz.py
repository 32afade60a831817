"""Every door with words that no person types: no failure, and no way in."""

from __future__ import annotations

import random
import re
from urllib.parse import quote

import pytest

from edge.web.doors import DOORS, Door, Right
from edge.web.people.accounts import Role
from tests.edge.ledger.entries import entry
from tests.edge.receiving.goods_lists import SHOE, goods
from tests.edge.web.browsing import Pages
from tests.edge.web.pages.test_delivery import desk

WORDS = (
    "", "0", "1", "-1", "99999999999999999999", "1e9", "NaN", "\x00", "a\nb", "ä", "\U0001f600",
    "%00", "../../etc/passwd", "<script>alert(1)</script>", "' OR 1=1 --", "{{7*7}}", "%s%n",
    "x" * 3000, "can", "metal", "D1", SHOE, entry(1).id, "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "2026-11-21", "9999-12-31", "0001-01-01", "accepted", "csv", "true", "//evil.example", "\ud800",
)  # fmt: skip
NAMES = (
    "name", "said", "code", "pieces", "line", "event", "force", "damaged", "figure", "now", "why",
    "as_counted", "back_order", "from", "to", "label", "lane", "verdict", "before", "row", "format",
    "item", "drawn", "sweep", "next", "language", "v", f"item-{entry(1).id}", "item-x",
)  # fmt: skip
ROUNDS = 12
"""Requests for each door."""


def fill(pages: Pages) -> None:
    """Has the station have items, and a delivery that is being counted."""
    pages.write([entry(1), entry(2, accepted=False, reject="unknown")])
    with desk(pages) as work:
        work.import_goods([goods()], "goods.csv")
        work.open("D1")


@pytest.fixture
def pages(pages: Pages) -> Pages:
    fill(pages)
    return pages


def address(door: Door, chance: random.Random) -> str:
    def word(_: object) -> str:
        return quote(_encodable(chance.choice(WORDS)) or "x", safe="")

    query = "&".join(f"{name}={word(0)}" for name in chance.sample(NAMES, 4))
    return f"{re.sub(r'{.*?}', word, door.path)}?{query}"


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


ENDING = [door for door in DOORS if door.path != "/events"]


@pytest.mark.parametrize("door", ENDING, ids=lambda door: f"{door.method} {door.path}")
def test_no_words_make_a_page_fail(pages: Pages, door: Door) -> None:
    chance = random.Random(f"{door.method} {door.path}")
    pages.account("Ana", Role.ADMIN)
    browser = pages.browser("Ana")
    found = re.search('name="token" value="([^"]+)"', browser.get("/").text)
    assert found is not None
    for _ in range(ROUNDS if "sign" not in door.path else 1):  # which ends the session
        path = address(door, chance)
        if door.method == "GET":
            answer = browser.get(path)
        else:
            form = {name: _encodable(chance.choice(WORDS)) for name in chance.sample(NAMES, 8)}
            answer = browser.client.post(path, data=form | {"token": found[1]})
        assert answer.status_code < 500, f"{path}: {answer.text[:500]}"
        assert "<script>alert" not in answer.text
        assert not answer.headers.get("location", "/").startswith("//")


@pytest.mark.parametrize(
    "door",
    [door for door in ENDING if door.right is not Right.ANYONE],
    ids=lambda door: f"{door.method} {door.path}",
)
def test_no_words_let_anybody_in(pages: Pages, door: Door) -> None:
    chance = random.Random(f"{door.method} {door.path}")
    pages.account("Ana", Role.ADMIN)
    browser = pages.browser()
    for _ in range(3):
        session = _encodable(chance.choice(WORDS))
        cookie = f"pilah_session={quote(session[:500])}.9999999999.{quote(session[:50])}"
        answer = browser.client.request(
            door.method, address(door, chance), headers={"Cookie": cookie}
        )
        assert answer.status_code in (303, 401, 404)
        if answer.status_code == 303:
            assert answer.headers["location"].startswith("/sign-in?next=")
