"""Every page in a real Chromium: sizes, languages, keys, colours, accessibility, and silence."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from edge.events import Stamps, utc_text
from edge.receiving.code import read_code
from edge.receiving.desk import Desk
from edge.receiving.scan import Scan
from edge.receiving.store import Deliveries
from edge.telemetry.status import StatusReading
from edge.web.notices import PageNotice
from edge.web.people.guesses import WINDOW_SECONDS
from tests.edge.ledger.entries import entry
from tests.edge.receiving.goods_lists import PACK_OF_SHOES, SHOE, UNKNOWN, goods
from tests.edge.telemetry.statuses import SIGNS, status
from tests.edge.web.browsing import NOON, Pages
from tests.edge.web.chromium import SIZES, Browser, Screen, chromium, served
from tests.edge.web.gallery import (
    AS_OPERATOR,
    FEW,
    LONG,
    SCENES,
    SIGNED_OUT,
    Scene,
    gallery,
    guarded,
    well,
)

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


def look(
    screen: Screen, pages: Pages, scenes: Sequence[Scene], *, colours: str, asks_axe: bool = True
) -> None:
    """Opens each scene: there is no error, all is on the screen, and large enough for a glove; axe
    finds nothing.

    Args:
        asks_axe: whether axe looks, which takes longer than all else.
    """
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe() if asks_axe else None
    faults: dict[str, list[str]] = {}
    for scene in scenes:
        page = screen.open(scene.prepare(pages) or scene.path)
        if scene.act:
            with page.expect_navigation():
                page.evaluate(scene.act)
        screen.settle()
        screen.keep(f"{scene.name}-{colours}")
        found = [*screen.small_targets(), *screen.cut_texts(), *screen.overlaps()]
        if scene.name != "report of a delivery":  # which is made for paper
            if page.locator("html").get_attribute("lang") != screen.language:
                found.append("another language")
            if (wide := page.evaluate("document.documentElement.scrollWidth - innerWidth")) > 0:
                found.append(f"{wide} pixels wider than the screen")
        if axe is not None:
            found += [json.dumps(one)[:2000] for one in axe.run(page).response["violations"]]
        if found:
            faults[scene.name] = found
        well(pages)
    screen.errors = [said for said in screen.errors if "the server responded" not in said]
    assert faults == {}


def test_a_few_pages_on_a_phone_are_without_fault(
    browser: Browser, address: str, pages: Pages
) -> None:
    with closing(Screen(browser, address, "phone", "id", colours="forced")) as screen:
        look(screen, pages, FEW, colours="forced")


@pytest.mark.slow
@pytest.mark.parametrize("colours", COLOURS)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("size", SIZES)
def test_pages_are_without_errors_fit_the_screen_and_can_be_used_by_all(
    browser: Browser, address: str, pages: Pages, size: str, language: str, colours: str
) -> None:
    """What axe finds depends on colours only by their contrast, so that it looks at the dark ones
    and those of more contrast in one size and language."""
    asks_axe = colours in ("light", "forced") or (size, language) == ("tablet", "en")
    with closing(Screen(browser, address, size, language, colours=colours)) as screen:
        look(screen, pages, SCENES, colours=colours, asks_axe=asks_axe)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "language", "colours"),
    [
        ("phone", "en", "forced"), ("phone", "id", "light"), ("tablet", "en", "dark"),
        ("tablet", "id", "forced"), ("wall", "en", "light"), ("wall", "id", "contrast"),
    ],
)  # fmt: skip
def test_so_are_those_of_who_signs_in_and_of_an_operator_with_nothing_to_do(
    browser: Browser, tmp_path: Path, size: str, language: str, colours: str
) -> None:
    """Each size, language and kind of colours, and not each with each: the pages share all that
    these change."""
    pages = guarded(tmp_path)
    well(pages)
    with (
        served(pages) as address,
        closing(Screen(browser, address, size, language, colours=colours)) as screen,
    ):
        look(screen, pages, SIGNED_OUT, colours=colours)
        pages.now += WINDOW_SECONDS  # what was guessed is forgotten
        screen.sign_in("Ana")
        look(screen, pages, AS_OPERATOR, colours=colours)


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
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_card_of_a_wall_screen_is_cut_however_long_its_names_are(
    browser: Browser, address: str, pages: Pages, language: str
) -> None:
    """Nobody scrolls a wall screen: a card is there as a whole, or not at all."""
    pages.reading = StatusReading(
        status(pages.plan.ledger, signs=replace(SIGNS, camera_lost=True)), 0.4
    )
    soon = utc_text(NOON - 5)
    pages.write([entry(n, time=soon, label=LONG, lane=f"bales-of-{LONG}") for n in range(160, 172)])
    with closing(Screen(browser, address, "wall", language=language)) as screen:
        page = screen.open("/")
        screen.keep(f"long-names-{language}")
        whole, cut = page.evaluate(
            """() => {
                const list = document.querySelector("#last .items").getBoundingClientRect();
                const cards = [...document.querySelectorAll("#last .item")]
                    .map(card => card.getBoundingClientRect());
                const seen = cards.filter(box => box.left < list.right && box.top < innerHeight);
                const whole = seen.filter(box => box.right <= list.right + 1
                    && box.bottom <= list.bottom + 1 && box.bottom <= innerHeight);
                return [whole.length, seen.length - whole.length];
            }"""
        )
    assert cut == 0
    assert whole >= 2


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
        for before in ("To the delivery", "Health"):  # a mismatch waits
            page.keyboard.press("Shift+Tab")
            assert page.evaluate("document.activeElement.textContent") == before
        page.keyboard.press("Enter")
        page.wait_for_url("**/health")
        page.keyboard.press("Tab")
        shown = "(one => [one.className, getComputedStyle(one).outline])"
        name, outline = page.evaluate(f"{shown}(document.activeElement)")
        assert name == "skip"
        assert "solid 4px" in outline  # where the keyboard is can be seen


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


TONES = (
    "window.tones = 0; const make = AudioContext.prototype.createOscillator;"
    "AudioContext.prototype.createOscillator = function () {"
    "  tones += 1; return make.call(this); }"
)
"""Counts the tones that a page has made; a sound has three."""


@pytest.mark.slow
def test_a_mismatch_is_heard_once(browser: Browser, address: str, pages: Pages) -> None:
    with closing(Screen(browser, address, "phone")) as screen:
        screen.page.add_init_script(TONES)
        page = screen.open("/delivery")
        page.wait_for_function("tones === 3")
        width = page.locator("#stopped .alarm").bounding_box()
        assert width is not None
        assert width["width"] == 390  # the whole of it
        page.reload()
        page.locator("#age", has_text="Live").wait_for()
        assert page.evaluate("tones") == 0
        assert page.locator("#mismatch").is_hidden()  # it is on the page itself


@pytest.mark.slow
def test_a_mismatch_is_seen_and_heard_on_every_page(browser: Browser, tmp_path: Path) -> None:
    pages = Pages(tmp_path)
    well(pages)
    with Deliveries(pages.plan.deliveries) as deliveries, served(pages) as address:
        desk = Desk(deliveries, Stamps("bin-1", lambda: pages.now), "station")
        desk.import_goods([goods()], "goods.csv")
        desk.open("D1")
        with closing(Screen(browser, address, "wall")) as screen:
            screen.page.add_init_script(TONES)
            page = screen.open("/history")  # which follows nothing else
            assert page.locator("#mismatch").is_hidden()
            desk.scan("D1", Scan(code=read_code(SHOE), seen="nike"))
            page.locator("#mismatch").wait_for()
            page.wait_for_function("tones === 3")
            screen.keep("mismatch elsewhere")
            screen.open("/health")
            page.locator("#mismatch").wait_for()
            page.locator("#age", has_text="Live").wait_for()
            assert page.evaluate("tones") == 0  # it was heard
            desk.undo("D1", desk.known("D1").disagreements[0].id)
            page.locator("#mismatch").wait_for(state="hidden")


@pytest.mark.slow
def test_a_notice_that_is_loaded_again_does_not_sound_again(
    browser: Browser, tmp_path: Path
) -> None:
    pages = Pages(tmp_path)
    well(pages)
    mark = pages.site.notices.keep(PageNotice("aside", "Put it aside"))
    with served(pages) as address, closing(Screen(browser, address, "tablet")) as screen:
        screen.page.add_init_script(TONES)
        page = screen.open(f"/deliveries?said={mark}")
        page.wait_for_function("tones === 3")
        page.reload()
        page.locator("#age", has_text="Live").wait_for()
        assert page.evaluate("tones") == 0


@pytest.mark.slow
def test_a_page_that_follows_nothing_says_how_old_it_is(browser: Browser, address: str) -> None:
    with closing(Screen(browser, address, "tablet")) as screen:
        for path in ("/review", "/history", "/teach", "/teach/region", "/health/pictures"):
            page = screen.open(path)
            page.locator("#age", has_text="0 s old").or_(
                page.locator("#age", has_text="1 s old")
            ).wait_for()
        screen.page.add_init_script(
            "const now = Performance.prototype.now;"
            "Performance.prototype.now = function () {"
            "  return now.call(this) + (window.later || 0); }"
        )
        page = screen.open("/history")
        page.locator("#age", has_text="s old").wait_for()
        page.evaluate("window.later = 245000")
        page.locator("#age", has_text="4 min old").wait_for()
        assert page.locator("#age.old").count() == 0  # nothing is wrong with that


@pytest.mark.slow
def test_one_letter_keys_are_switched_off_and_stay_so(browser: Browser, tmp_path: Path) -> None:
    pages = Pages(tmp_path)
    well(pages)
    with served(pages) as address, closing(Screen(browser, address, "tablet")) as screen:
        page = screen.open("/history")
        assert page.locator("#letters").is_hidden()  # it has none
        page = screen.open("/teach")
        page.locator("#letters", has_text="One-letter keys: on").click()
        page.locator("#letters", has_text="One-letter keys: off").wait_for()
        page.reload()
        assert page.locator("kbd").first.is_hidden()
        page.keyboard.press("1")
        page.locator("#letters").click()
        with page.expect_navigation():
            page.keyboard.press("2")
        assert [command for command, _ in pages.control.taken] == ["take bottle"]
