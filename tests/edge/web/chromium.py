"""A real browser that looks at pages which a thread of this process serves."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn

from edge.web.app import make_app
from tests.edge.web.browsing import PASSWORD, Pages

playwright = pytest.importorskip("playwright.sync_api")
from playwright.sync_api import (  # noqa: E402 - only where it is installed
    Browser,
    BrowserContext,
    Page,
    sync_playwright,
)

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SCREENSHOTS = os.environ.get("PILAH_SCREENSHOTS") or None
"""The folder where pictures of the pages are kept; none is without it."""

SIZES = {
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
    "tablet": {"viewport": {"width": 820, "height": 1180}, "has_touch": True, "is_mobile": True},
    "wall": {"viewport": {"width": 1920, "height": 1080}},
}
"""Screens: of a technician, of a clerk in gloves, and one that nobody touches."""
MILLIMETRE = 96 / 25.4
"""Pixels of CSS in a millimetre of CSS."""
GLASS_MILLIMETRE = 160 / 25.4
"""Pixels of CSS in a millimetre of glass in hand: Android's baseline. Phones of Apple have 153 to
the inch, its tablets 132 (the small one 163); what has fewer has larger targets."""


@contextmanager
def served(pages: Pages) -> Iterator[str]:
    """The address at which a thread serves `pages`."""
    server = uvicorn.Server(
        uvicorn.Config(
            make_app(pages.site), port=0, log_config=None, lifespan="off", ws="none",
            timeout_graceful_shutdown=1,
        )
    )  # fmt: skip
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.02)
        assert thread.is_alive()
    try:
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        pages.site.live.close()
        server.should_exit = True
        thread.join(20)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Chromium, without a window."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        try:
            yield browser
        finally:
            browser.close()


class Screen:
    """One tab of a browser of a size, in a language. What its console says of errors fails a test.

    Attributes:
        errors: what went wrong in the page.
    """

    def __init__(
        self,
        browser: Browser,
        address: str,
        size: str,
        language: str = "en",
        *,
        colours: str = "light",
    ) -> None:
        self.size, self.language, self._address = size, language, address
        self.context: BrowserContext = browser.new_context(
            locale=language,
            color_scheme="dark" if colours == "dark" else "light",
            forced_colors="active" if colours == "forced" else "none",
            contrast="more" if colours == "contrast" else "no-preference",
            **SIZES[size],
        )
        self.context.set_default_timeout(120_000)  # a busy machine may take its time
        self.page: Page = self.context.new_page()
        self.errors: list[str] = []
        self.page.on("console", lambda said: self._note(said.type, said.text))
        self.page.on("pageerror", lambda error: self._note("error", str(error)))

    def _note(self, kind: str, text: str) -> None:
        if kind == "error":
            self.errors.append(text)

    def open(self, path: str) -> Page:
        self.page.goto(self._address + path)
        return self.page

    def sign_in(self, name: str) -> None:
        self.open("/sign-in")
        self.page.fill("#name", name)
        self.page.fill("#password", PASSWORD)
        self.page.click("main button")
        self.page.wait_for_load_state()

    def small_targets(self) -> list[str]:
        """What can be pressed and is smaller than 20 mm, with its size: in hand, mm of glass for
        what a page is for, and of CSS for the ways between pages; on a wall, mm of CSS."""
        found: list[str] = self.page.evaluate(
            """([inside, outside]) => [...document.querySelectorAll(
                "a[href], button, input:not([type=hidden]), select, summary, label:has(input)")]
              .filter(one => one.checkVisibility() && !one.matches(".skip:not(:focus)")
                && !(one.matches("input[type=checkbox]") && one.closest("label")))
              .map(one => [one, one.getBoundingClientRect(),
                one.closest("main") ? inside : outside])
              .filter(([, box, least]) => box.width < least - 0.5 || box.height < least - 0.5)
              .map(([one, box]) => `${one.outerHTML.slice(0, 80)} ${box.width}x${box.height}`)""",
            [20 * (MILLIMETRE if self.size == "wall" else GLASS_MILLIMETRE), 20 * MILLIMETRE],
        )
        return found

    def settle(self) -> None:
        """Waits until the pictures of the page are there, or are known to be none."""
        self.page.wait_for_function(
            "[...document.images].every(one => one.complete || one.loading === 'lazy')"
        )

    def cut_texts(self) -> list[str]:
        """Texts that are wider than the place that they have."""
        found: list[str] = self.page.evaluate(
            """() => [...document.querySelectorAll(
                "p, h1, h2, button, a, summary, label, dt, dd, td, th, li")]
              .filter(one => one.checkVisibility() && getComputedStyle(one).display !== "inline"
                && one.scrollWidth > one.clientWidth + 1)
              .map(one => `${one.outerHTML.slice(0, 80)} ${one.scrollWidth}>${one.clientWidth}`)"""
        )
        return found

    def overlaps(self) -> list[str]:
        """Pairs of things that can be pressed, of which one lies on the other."""
        found: list[str] = self.page.evaluate(
            """() => { const all = [...document.querySelectorAll(
                "a[href], button, input:not([type=hidden]), select, summary, label:has(input)")]
              .filter(one => one.checkVisibility() && !one.matches(".skip:not(:focus)"))
              .map(one => [one, one.getBoundingClientRect()]);
              return all.flatMap(([one, a], at) => all.slice(at + 1).filter(([other, b]) =>
                !one.contains(other) && !other.contains(one)
                && Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
                && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1)
              .map(([other]) => one.outerHTML.slice(0, 60) + " " + other.outerHTML.slice(0, 60)))
            }"""
        )
        return found

    def keep(self, name: str) -> None:
        """Keeps a picture of the page, where pictures are kept."""
        if SCREENSHOTS is not None:
            name = re.sub(r"\W+", "-", name).strip("-") or "station"
            file = Path(SCREENSHOTS) / f"{name}-{self.size}-{self.language}.png"
            self.page.screenshot(path=file, full_page=self.size != "wall")

    def close(self) -> None:
        self.context.close()
        assert self.errors == []
