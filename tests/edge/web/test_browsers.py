"""Every page in a real Chromium: sizes, languages, keys, colours, accessibility, and silence."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from edge.events import Stamps, utc_text
from edge.receiving.desk import Desk
from edge.receiving.store import Deliveries
from edge.telemetry.status import StatusReading
from tests.edge.ledger.entries import entry
from tests.edge.receiving.goods_lists import PACK_OF_SHOES, SHOE, UNKNOWN, goods
from tests.edge.telemetry.statuses import SIGNS, status
from tests.edge.web.browsing import NOON, Pages
from tests.edge.web.chromium import SIZES, Browser, Screen, chromium, served
from tests.edge.web.gallery import FEW, SCENES, Scene, gallery, well

LANGUAGES = ("en", "id")
COLOURS = ("light", "dark", "forced", "contrast")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    return gallery(tmp_path_factory.mktemp("browsers"))


@pytest.fixture(scope="module")
def address(pages: Pages) -> Iterator[str]:
    with served(pages) as found:
        yield found


@pytest.fixture(autouse=True)
def _well(pages: Pages) -> Iterator[None]:
    well(pages)
    yield
    well(pages)


def look(screen: Screen, pages: Pages, scenes: Sequence[Scene], *, colours: str = "light") -> None:
    """Opens each scene: there is no error, all is on the screen, and large enough for a glove."""
    faults: dict[str, list[str]] = {}
    for scene in scenes:
        scene.prepare(pages)
        page = screen.open(scene.path)
        screen.settle()
        screen.keep(f"{scene.name}-{colours}")
        found = [*screen.small_targets(), *screen.cut_texts(), *screen.overlaps()]
        if scene.name != "report of a delivery":  # which is made for paper, in English
            if page.locator("html").get_attribute("lang") != screen.language:
                found.append("another language")
            if (wide := page.evaluate("document.documentElement.scrollWidth - innerWidth")) > 0:
                found.append(f"{wide} pixels wider than the screen")
        if found:
            faults[scene.name] = found
        well(pages)
    assert faults == {}


def check_with_axe(screen: Screen, pages: Pages, scenes: Sequence[Scene]) -> None:
    """Opens each scene: axe finds nothing."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    for scene in scenes:
        scene.prepare(pages)
        screen.open(scene.path)
        found = axe.run(screen.page).response["violations"]
        assert found == [], scene.name + json.dumps(found, indent=1)[:4000]
        well(pages)


def test_a_few_pages_on_a_phone_are_without_fault(
    browser: Browser, address: str, pages: Pages
) -> None:
    with closing(Screen(browser, address, "phone", "id", colours="forced")) as screen:
        look(screen, pages, FEW)
        check_with_axe(screen, pages, FEW)


@pytest.mark.slow
@pytest.mark.parametrize("colours", COLOURS)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("size", SIZES)
def test_pages_are_without_errors_fit_the_screen_and_have_large_targets(
    browser: Browser, address: str, pages: Pages, size: str, language: str, colours: str
) -> None:
    screen = Screen(browser, address, size, language, colours=colours)
    look(screen, pages, SCENES, colours=colours)
    screen.errors = [said for said in screen.errors if "404" not in said]  # of /nowhere itself
    screen.close()


@pytest.mark.slow
@pytest.mark.parametrize("colours", COLOURS)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing(
    browser: Browser, address: str, pages: Pages, size: str, language: str, colours: str
) -> None:
    screen = Screen(browser, address, size, language, colours=colours)
    check_with_axe(screen, pages, SCENES)
    screen.context.close()


@pytest.mark.slow
def test_a_page_says_that_the_station_is_silent_and_that_it_is_back(
    browser: Browser, address: str, pages: Pages
) -> None:
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


@pytest.mark.slow
def test_a_page_says_that_it_has_no_connection(browser: Browser, tmp_path: Path) -> None:
    with served(Pages(tmp_path)) as address:
        screen = Screen(browser, address, "phone")
        page = screen.open("/health")
        page.locator("#age", has_text="Live").wait_for()
    page.locator("#silent-page").wait_for(state="visible")
    screen.keep("no-connection")
    screen.context.close()


@pytest.mark.slow
def test_what_happens_is_on_the_page_without_a_press(
    browser: Browser, address: str, pages: Pages
) -> None:
    with closing(Screen(browser, address, "wall")) as screen:
        page = screen.open("/")
        newest = entry(150, time=utc_text(NOON))
        assert not page.locator(f"time[datetime='{newest.time}']").count()
        pages.write([newest])
        page.locator(f"#last time[datetime='{newest.time}']").wait_for()
        pages.reading = StatusReading(
            status(pages.plan.ledger, signs=replace(SIGNS, camera_lost=True)), 0.4
        )
        page.locator("#concerns", has_text="The camera is lost").wait_for()
        screen.keep("camera-lost")
        pages.reading = StatusReading(status(pages.plan.ledger), 0.4)
        page.locator("#concerns .calm").wait_for()


@pytest.mark.slow
def test_the_pages_work_by_keyboard_alone(browser: Browser, address: str) -> None:
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


@pytest.mark.slow
def test_a_scanner_that_types_quickly_loses_nothing(browser: Browser, tmp_path: Path) -> None:
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


@pytest.mark.slow
def test_a_mismatch_is_heard_once(browser: Browser, address: str, pages: Pages) -> None:
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
