"""What is taught in a real Chromium: by keyboard alone, by a mouse and by a finger."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.edge.web.chromium import GLASS_MILLIMETRE, MILLIMETRE, Browser, Screen, chromium, served
from tests.edge.web.gallery import gallery, maintained, well
from tests.edge.web.test_actions import Keyboard

pytestmark = pytest.mark.slow  # a browser takes seconds


@pytest.fixture(scope="module")
def screens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Browser, str]]:
    pages = gallery(tmp_path_factory.mktemp("teaching"))
    well(pages)
    with chromium() as browser, served(pages) as address:
        _PAGES.append(pages)
        yield browser, address


_PAGES = []


@pytest.fixture
def screen(screens: tuple[Browser, str]) -> Iterator[Screen]:
    well(_PAGES[-1])
    _PAGES[-1].control.taken.clear()
    with closing(Screen(*screens, "tablet")) as found:
        yield found


def values(screen: Screen) -> list[int]:
    """The four fields of the region."""
    return [int(screen.page.input_value(f"#{name}")) for name in ("left", "top", "width", "height")]


def test_the_picture_is_live_with_its_region_and_what_is_in_view(screen: Screen) -> None:
    page = screen.open("/")
    page.locator(".picture-age", has_text="s old").wait_for()
    assert page.locator(".picture .things rect.line").count() == 1
    assert page.locator(".picture .region rect.line").get_attribute("width") == "400"
    assert page.evaluate("document.querySelector('.picture image').href.baseVal.length") > 1000
    _PAGES[-1].control.seen = {**_PAGES[-1].control.seen, "age_seconds": 7.0}
    page.locator(".picture.stale .picture-age", has_text="OLD").wait_for()
    screen.keep("picture that is old")


def test_pictures_are_taken_by_one_key_each(screen: Screen) -> None:
    page = screen.open("/teach")
    for key in ("1", "2"):
        with page.expect_navigation():
            page.keyboard.press(key)
    page.locator("#notice", has_text="Taken: bottle").wait_for()
    with page.expect_navigation():
        page.keyboard.press("d")
    taken = [command for command, _ in _PAGES[-1].control.taken]
    assert taken == ["take can", "take bottle", "discard"]


def test_a_region_is_drawn_by_keys_alone(screen: Screen) -> None:
    page = screen.open("/teach/region")
    hands = Keyboard(screen)
    page.locator(".picture-age", has_text="s old").wait_for()
    hands.reach("#draw")
    for key in ("ArrowRight", "ArrowDown", "Control+ArrowLeft", "Shift+ArrowRight",
                "Control+Shift+ArrowUp"):  # fmt: skip
        hands.press(key)
    assert values(screen) == [107, 88, 408, 299]
    page.locator("#place", has_text="From 107, 88: 408 × 299 pixels").wait_for()
    for _ in range(100):
        hands.press("ArrowLeft")
    assert values(screen)[0] == 0
    hands.use("form#region button")
    assert page.locator("pre.lines").inner_text() == (
        "region: {left: 0, top: 88, width: 408, height: 299}"
    )


@pytest.mark.parametrize("size", ["phone", "wall"])
def test_a_region_is_pulled_by_its_middle_and_its_corner(
    screens: tuple[Browser, str], size: str
) -> None:
    well(_PAGES[-1])
    with closing(Screen(*screens, size)) as screen:
        page = screen.open("/teach/region")
        page.locator(".picture-age", has_text="s old").wait_for()
        scale = page.evaluate("document.querySelector('#draw svg').getScreenCTM().a")
        corner = page.locator("rect.corner")
        corner.scroll_into_view_if_needed()
        box = corner.bounding_box()
        assert box is not None
        millimetre = MILLIMETRE if size == "wall" else GLASS_MILLIMETRE
        assert min(box["width"], box["height"]) >= 20 * millimetre - 1.5
        _pull(screen, box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, -100 * scale)
        left, top, width, height = values(screen)
        assert (left, top) == (100, 80)
        assert abs(width - 300) <= 2
        assert abs(height - 200) <= 2
        inside = page.locator("rect.hit").bounding_box()
        assert inside is not None
        _pull(screen, inside["x"] + 20, inside["y"] + 20, -50 * scale)
        assert abs(values(screen)[0] - 50) <= 2
        assert abs(values(screen)[1] - 30) <= 2
        assert values(screen)[2:] == [width, height]


def _pull(screen: Screen, x: float, y: float, way: float) -> None:
    """Pulls from a place of the screen, so far to the right and down."""
    mouse = screen.page.mouse
    mouse.move(x, y)
    mouse.down()
    mouse.move(x + way / 2, y + way / 2)
    mouse.move(x + way, y + way)
    mouse.up()


def test_a_lane_is_moved_by_keys_alone_and_maintenance_ended(screen: Screen) -> None:
    page = screen.open("/teach/lanes")
    hands = Keyboard(screen)
    hands.use("form[action='/teach/lanes/begin'] button")
    maintained(_PAGES[-1])
    page.reload()
    assert page.locator("#maintenance").is_visible()
    hands.use("form[action='/teach/lanes/move'] button[value=metal]")
    hands.use("form[action='/teach/lanes/end'] button")
    taken = [command for command, _ in _PAGES[-1].control.taken]
    assert taken == ["stop", "mode Maintenance", "move-lane metal", "mode Production", "reset"]


def test_an_input_that_changes_is_seen_without_a_press(screen: Screen) -> None:
    pages = _PAGES[-1]
    maintained(pages)
    page = screen.open("/teach/lanes")
    switch = page.locator("#inputs dd").first
    assert switch.inner_text() == "● reached (low)"
    pages.control.levels = [{**one, "active": False} for one in pages.control.levels or ()]
    assert pages.reading is not None
    status = pages.reading.status  # which a station writes anew twice a second
    later = replace(status, monotonic=status.monotonic + 0.5)
    pages.reading = pages.reading._replace(status=later)
    switch.filter(has_text="○ not reached (high)").wait_for()


def test_a_session_that_ends_leads_from_the_picture_to_the_sign_in(
    screens: tuple[Browser, str], tmp_path: Path
) -> None:
    pages = gallery(tmp_path)
    well(pages)
    with served(pages) as address, closing(Screen(screens[0], address, "phone")) as screen:
        pages.account("Ana")
        screen.sign_in("Ana")
        page = screen.open("/teach/region")
        page.locator(".picture-age", has_text="s old").wait_for()
        screen.context.clear_cookies()
        page.wait_for_url(re.compile("/sign-in"))
        screen.errors.clear()  # of what was not answered any more
