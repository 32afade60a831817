"""Every action of the pages in a real Chromium, by the keyboard alone, and how many it takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from edge.ledger.export.reading import read_items
from edge.ledger.upkeep.auditing import newest_audits
from edge.ledger.upkeep.reviewing import decided_items
from edge.receiving.code import read_code
from edge.receiving.scan import Scan
from edge.web.doors import DOORS
from edge.web.people.accounts import Role
from tests.edge.receiving.goods_lists import SHOE, SOCK, goods
from tests.edge.web.browsing import PASSWORD, Pages
from tests.edge.web.chromium import SIZES, Browser, Screen, chromium, served
from tests.edge.web.gallery import jam, photographed, well
from tests.edge.web.pages.test_delivery import desk

pytestmark = pytest.mark.slow  # a browser takes seconds

ELSEWHERE = ("/teach", "/live")
"""The beginnings of addresses whose pages have tests of their own for what is done on them."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def pages(tmp_path: Path) -> Pages:
    found = Pages(tmp_path, kept="all", share=0.0, kept_days=30.0)
    well(found)
    return found


class Keyboard:
    """A person who has a keyboard and nothing else.

    Attributes:
        presses: how many keys were pressed.
        done: the addresses that forms were sent to.
    """

    def __init__(self, screen: Screen) -> None:
        self.page, self.presses, self.done = screen.page, 0, set[str]()
        self.page.on("request", lambda sent: self._note(sent.method, sent.url))

    def _note(self, method: str, url: str) -> None:
        if method == "POST":
            self.done.add(re.sub(r"^\w+://[^/]+|\?.*", "", url))

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)
        self.presses += 1

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)
        self.presses += len(text)

    def reach(self, selector: str) -> None:
        """Goes on with Tab until what is wanted has the focus, and shows it."""
        self.page.locator(selector).first.wait_for()
        for _ in range(120):
            if self.page.evaluate("wanted => document.activeElement.matches(wanted)", selector):
                outline = self.page.evaluate(
                    "getComputedStyle(document.activeElement).outlineStyle"
                )
                assert outline == "solid", f"it is not to be seen that {selector} has the focus"
                return
            self.press("Tab")
        raise AssertionError(f"no Tab leads to {selector}")

    def use(self, selector: str, key: str = "Enter") -> None:
        """Reaches a button or a link and presses it, and waits for the page that follows."""
        self.reach(selector)
        with self.page.expect_navigation():
            self.press(key)

    def fill(self, selector: str, text: str) -> None:
        self.reach(selector)
        self.press("ControlOrMeta+a")
        self.type(text)


@contextmanager
def visiting(browser: Browser, pages: Pages, size: str, language: str) -> Iterator[Keyboard]:
    """A person at the station's page, who has signed in by the keyboard."""
    pages.account("Ana", Role.ADMIN)
    with served(pages) as address, closing(Screen(browser, address, size, language)) as screen:
        hands = Keyboard(screen)
        screen.open("/health")
        hands.fill("#name", "Ana")
        hands.fill("#password", PASSWORD)
        hands.use("main button")
        assert hands.page.url.endswith("/health")
        yield hands


@pytest.mark.parametrize("language", ["en", "id"])
@pytest.mark.parametrize("size", SIZES)
def test_everything_is_done_by_keyboard_alone(
    browser: Browser, pages: Pages, size: str, language: str
) -> None:
    pages.write([*(photographed(pages, n, accepted=False, reject="unknown") for n in range(9)),
                 jam(pages)])  # fmt: skip
    with desk(pages) as work:
        work.import_goods([goods(), goods(delivery="D2")], "goods.csv")
    with visiting(browser, pages, size, language) as hands:
        _station(hands, pages)
        _delivery(hands, pages)
        _review(hands, pages)
        _history(hands)
        other = "id" if language == "en" else "en"
        hands.use(f"footer button[lang={other}]")
        assert hands.page.locator("html").get_attribute("lang") == other
        hands.use("footer form[action='/sign-out'] button")
        assert hands.page.url.endswith("/sign-in")
        every = {door.path for door in DOORS if door.method == "POST"}
        assert {path for path in every if not path.startswith(ELSEWHERE)} <= hands.done


def _station(hands: Keyboard, pages: Pages) -> None:
    hands.use("nav a[href='/']")
    for state, reason, command in (
        ("Execute", "", "pause"), ("Held", "paused", "resume"), ("Held", "jam", "reset"),
        ("Aborted", "emergency_stop", "clear"),
    ):  # fmt: skip
        pages.control.shown = {"state": state, "reason": reason}
        hands.page.reload()
        hands.use(f"button[formaction='/{command}']")
        assert pages.control.taken[-1] == (command, "Ana")
    well(pages)


def _delivery(hands: Keyboard, pages: Pages) -> None:
    said = hands.page.locator("#notice")
    hands.use("nav a[href='/delivery']")
    hands.use("form[action='/delivery/open'] button")
    name = hands.page.locator("h1").inner_text().split()[0]
    hands.page.locator("#code:focus").wait_for()  # a scanner can begin at once
    hands.type(SHOE)
    hands.press("Enter")
    said.locator(".said").wait_for()
    hands.type(SOCK)
    hands.press("Enter")
    hands.use("#notice button[name=line]")  # one of two lines
    hands.use("#latest button")
    hands.fill("#code", SHOE)
    hands.fill("#pieces", "2")
    hands.reach("input[name=damaged]")
    hands.press("Space")
    hands.reach(".scan button.main")
    hands.press("Enter")
    hands.page.locator("#lines td.figure:last-child", has_text="2").wait_for()
    with desk(pages) as work:
        for _ in range(2):
            work.scan(name, Scan(code=read_code(SHOE), seen="nike"))
    hands.page.locator("#stopped .alarm + .alarm").wait_for()
    hands.use("#stopped form[action='/delivery/undo'] button")
    hands.use("#stopped form[action='/delivery/scan'] button")
    hands.page.locator("#stopped .alarm").wait_for(state="detached")
    hands.reach("details:has([action='/delivery/correct']) summary")
    hands.press("Enter")
    hands.fill("#now", "8")
    hands.fill("#why", "counted by hand")
    hands.use("form[action='/delivery/correct'] button")
    hands.reach("details:has([action='/delivery/close']) summary")
    hands.press("Enter")
    hands.reach("input[name=as_counted]")
    hands.press("Space")
    hands.use("form[action='/delivery/close'] button")
    hands.reach("a[href^='/delivery/report.csv']")
    with hands.page.expect_download():
        hands.press("Enter")
    hands.reach("a[href^='/delivery/report?']")
    with hands.page.expect_popup() as paper:
        hands.press("Enter")
    paper.value.close()
    hands.reach("details:has([action='/delivery/reopen']) summary")
    hands.press("Enter")
    hands.fill("#reopen-why", "a box was found")
    hands.use("form[action='/delivery/reopen'] button")
    hands.use("a[href='/deliveries']")


def _review(hands: Keyboard, pages: Pages) -> None:
    hands.use("nav a[href='/review']")
    for key in ("1", "n", "s", "u"):
        with hands.page.expect_navigation():
            hands.press(key)
    assert len(decided_items(pages.plan.ledger, 0)) == 1
    hands.use("a[href^='/review?sweep=']")
    hands.reach("input[type=checkbox]")
    hands.press("Space")
    hands.use("form[action='/review/sweep'] button.main")
    assert len(decided_items(pages.plan.ledger, 0)) == 7


def _history(hands: Keyboard) -> None:
    hands.use("nav a[href='/history']")
    hands.reach("#verdict")
    hands.press("ArrowDown")
    hands.use("main form[action='/history'] button")
    assert "verdict=accepted" in hands.page.url
    for kind in ("csv", "jsonl", "epcis"):
        hands.reach(f"a[href$='format={kind}']")
        with hands.page.expect_download():
            hands.press("Enter")


def test_a_hundred_pictures_take_a_hundred_keys_and_one_to_undo(
    browser: Browser, pages: Pages
) -> None:
    found = [photographed(pages, n, accepted=False, reject="unknown") for n in range(1, 101)]
    pages.write(found)
    with visiting(browser, pages, "tablet", "en") as hands:
        hands.use("nav a[href='/review']")
        hands.presses = 0
        for number in range(101):
            with hands.page.expect_navigation():
                hands.press("u" if number == 60 else "12n"[number % 3])
        assert hands.presses == 101
        assert len(decided_items(pages.plan.ledger, 0)) == 99  # and the one that was undone
        assert hands.page.locator("h1 small").inner_text() == "1 to look at"


def test_a_hundred_of_one_label_take_four_presses(browser: Browser, pages: Pages) -> None:
    pages.write([photographed(pages, n, accepted=False, reject="unknown") for n in range(1, 101)])
    with visiting(browser, pages, "tablet", "en") as hands:
        page, presses = hands.page, 0
        for selector in (
            "nav a[href='/review']", "a[href='/review?sweep=can']", "li:nth-child(7) label.pick",
            "form[action='/review/sweep'] button.main",
        ):  # fmt: skip
            page.locator(selector).tap()
            page.wait_for_load_state()
            presses += 1
        page.locator("h1 small", has_text="1 to look at").wait_for()  # what had its mark taken
        assert presses == 4
    assert len(decided_items(pages.plan.ledger, 0)) == 99
    assert sum(1 for _ in read_items(pages.plan.ledger)) == 100


def test_a_second_key_before_the_next_page_is_there_does_nothing(
    browser: Browser, pages: Pages
) -> None:
    """Its picture was not to be seen yet; one that bounces is none that a person meant."""
    pages.write([photographed(pages, n, accepted=False, reject="unknown") for n in range(1, 5)])
    with visiting(browser, pages, "tablet", "en") as hands:
        for path, key, sent in (("/review", "2", "/review/decide"), ("/teach", "1", "/teach/take")):
            hands.use(f"nav a[href='{path}']")
            posts: list[str] = []
            hands.page.on(
                "request",
                lambda one, to=posts: to.append(one.url) if one.method == "POST" else None,
            )
            with hands.page.expect_navigation():
                hands.page.evaluate(
                    "key => { for (const one of [key, '1', 'd', 'n', 's', 'u'])"
                    " document.dispatchEvent(new KeyboardEvent('keydown', {key: one})); }", key
                )  # fmt: skip
            hands.page.locator("h1").wait_for()
            assert [one.endswith(sent) for one in posts] == [True]
    assert len(newest_audits(pages.plan.ledger)) == 1
    assert [command for command, _ in pages.control.taken] == ["take can"]
