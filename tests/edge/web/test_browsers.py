"""Every page in a real Chromium: sizes, languages, keys, colours, accessibility, and silence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from edge.events import Stamps
from edge.receiving.code import read_code
from edge.receiving.desk import Desk
from edge.receiving.scan import Scan
from edge.receiving.store import Deliveries
from edge.telemetry.status import StatusReading
from tests.edge.ledger.entries import correction, entry
from tests.edge.receiving.goods_lists import PACK_OF_SHOES, SHOE, UNKNOWN, goods
from tests.edge.telemetry.statuses import SIGNS, status
from tests.edge.web.browsing import Pages
from tests.edge.web.chromium import SIZES, Screen, chromium, served

pytestmark = pytest.mark.slow  # a browser takes seconds

PATHS = ("/", "/health", "/history", "/review", "/delivery", "/deliveries", "/sign-in", "/nowhere")
LANGUAGES = ("en", "id")


@pytest.fixture(scope="module")
def browser():  # type: ignore[no-untyped-def]
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("browsers")


@pytest.fixture(scope="module")
def pages(folder: Path) -> Pages:
    """A station that has sorted, whose clock stands still."""
    found = Pages(folder)
    found.write(
        [
            *(entry(number, photograph="2026-11-21/a.jpg") for number in range(1, 10)),
            entry(10, accepted=False, reject="low_confidence", lane="rest", confidence=0.4),
            correction(3, "label", "can", "bottle"),
        ]
    )
    with Deliveries(found.plan.deliveries) as deliveries:
        desk = Desk(deliveries, Stamps("bin-1", lambda: found.now), "station")
        desk.import_goods([goods(), goods(delivery="D2")], "goods.csv")
        desk.open("D1")
        for code, seen in ((SHOE, None), (UNKNOWN, None), (SHOE, "nike")):
            desk.scan("D1", Scan(code=read_code(code), seen=seen))
    return found


@pytest.fixture(scope="module")
def address(pages: Pages) -> Iterator[str]:
    with served(pages) as found:
        yield found


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("size", SIZES)
def test_pages_are_without_errors_fit_the_screen_and_have_large_targets(
    browser, address: str, pages: Pages, size: str, language: str
) -> None:  # type: ignore[no-untyped-def]
    screen = Screen(browser, address, size, language)
    for path in PATHS:
        page = screen.open(path)
        assert page.locator("html").get_attribute("lang") == language
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{path} is {wide} pixels wider than the screen"
        assert screen.small_targets() == []
        screen.keep(path)
    screen.errors = [said for said in screen.errors if "404" not in said]  # of /nowhere itself
    screen.close()


@pytest.mark.parametrize("colours", ["light", "dark", "forced", "contrast"])
@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing(browser, address: str, size: str, colours: str) -> None:  # type: ignore[no-untyped-def]
    axe_playwright = pytest.importorskip("axe_playwright_python.sync_playwright")
    axe = axe_playwright.Axe()
    for language in LANGUAGES:
        screen = Screen(browser, address, size, language)
        screen.page.emulate_media(
            color_scheme="dark" if colours == "dark" else "light",
            forced_colors="active" if colours == "forced" else "none",
            contrast="more" if colours == "contrast" else "no-preference",
        )
        for path in PATHS:
            screen.open(path)
            found = axe.run(screen.page).response["violations"]
            assert found == [], json.dumps(found, indent=1)[:4000]
        screen.context.close()


def test_a_page_says_that_the_station_is_silent_and_that_it_is_back(
    browser, address: str, pages: Pages
) -> None:  # type: ignore[no-untyped-def]
    screen = Screen(browser, address, "tablet")
    with closing(screen):
        page = screen.open("/")
        page.locator("#age", has_text="Live").wait_for()
        assert page.locator("#silent").is_hidden()
        well = pages.reading
        pages.reading = StatusReading(status(pages.plan.ledger), 3.0)
        page.locator("#silent-station").wait_for(state="visible")
        assert "What you see may be out of date." in page.locator("#silent").inner_text()
        page.locator("#age.old", has_text="s old").wait_for()
        screen.keep("silent")
        pages.reading = well
        page.locator("#silent").wait_for(state="hidden")
        page.locator("#age", has_text="Live").wait_for()


def test_a_page_says_that_it_has_no_connection(browser, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    with served(Pages(tmp_path)) as address:
        screen = Screen(browser, address, "phone")
        page = screen.open("/health")
        page.locator("#age", has_text="Live").wait_for()
    page.locator("#silent-page").wait_for(state="visible")
    screen.keep("no-connection")
    screen.context.close()


def test_what_happens_is_on_the_page_without_a_press(browser, address: str, pages: Pages) -> None:  # type: ignore[no-untyped-def]
    with closing(Screen(browser, address, "wall")) as screen:
        page = screen.open("/")
        before = page.locator("#last .item").count()
        pages.write([entry(50, label="bottle", lane="glass")])
        page.locator(f"#last .item:nth-child({before + 1})").wait_for()
        pages.reading = StatusReading(
            status(pages.plan.ledger, signs=replace(SIGNS, camera_lost=True)), 0.4
        )
        page.locator("#concerns", has_text="The camera is lost").wait_for()
        screen.keep("camera-lost")
        pages.reading = StatusReading(status(pages.plan.ledger), 0.4)
        page.locator("#concerns .calm").wait_for()


def test_the_pages_work_by_keyboard_alone(browser, address: str) -> None:  # type: ignore[no-untyped-def]
    with closing(Screen(browser, address, "wall")) as screen:
        page = screen.open("/")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.tagName") == "MAIN"
        page.keyboard.press("Shift+Tab")
        assert page.evaluate("document.activeElement.textContent") == "Health"
        page.keyboard.press("Enter")
        page.wait_for_url("**/health")
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline is not None


def test_a_scanner_that_types_quickly_loses_nothing(browser, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    pages = Pages(tmp_path)
    with Deliveries(pages.plan.deliveries) as deliveries:
        desk = Desk(deliveries, Stamps("bin-1", lambda: pages.now), "station")
        desk.import_goods([goods()], "goods.csv")
        desk.open("D1")
        with served(pages) as address, closing(Screen(browser, address, "tablet")) as screen:
            page = screen.open("/delivery")
            page.locator("h1").click()  # no field has the keyboard
            for code in (SHOE, UNKNOWN, PACK_OF_SHOES, SHOE, SHOE):
                page.keyboard.type(code)
                page.keyboard.press("Enter")
            page.locator("#lines tr", has_text="SH").locator("td", has_text="9").wait_for()
            page.locator("#asides", has_text=UNKNOWN).wait_for()
            assert page.locator("#code").input_value() == ""
        assert desk.known("D1").count(1).counted == 9


def test_a_mismatch_is_heard_once(browser, address: str, pages: Pages) -> None:  # type: ignore[no-untyped-def]
    with closing(Screen(browser, address, "phone")) as screen:
        screen.page.add_init_script(
            "window.tones = 0; const make = AudioContext.prototype.createOscillator;"
            "AudioContext.prototype.createOscillator = function () {"
            "  tones += 1; return make.call(this); }"
        )
        page = screen.open("/delivery")
        page.wait_for_function("tones === 3")
        width = page.locator("#stopped .alarm").bounding_box()
        assert width is not None
        assert width["width"] == 390  # the whole of it
        page.reload()
        page.locator("#age", has_text="Live").wait_for()
        assert page.evaluate("tones") == 0
