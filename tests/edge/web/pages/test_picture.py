from __future__ import annotations

from pathlib import Path

from tests.edge.web.browsing import SEEN, Pages


def test_the_newest_picture_is_given(pages: Pages) -> None:
    pages.control.seen = SEEN
    answer = pages.browser().get("/picture")
    assert answer.json() == SEEN
    assert answer.headers["cache-control"] == "no-store"


def test_there_may_be_none(pages: Pages) -> None:
    assert pages.browser().get("/picture").json() == {}


def test_it_can_be_switched_off(tmp_path: Path) -> None:
    pages = Pages(tmp_path, live=False)
    pages.control.seen = SEEN
    assert pages.browser().get("/picture").json() == {}
    assert "data-picture" not in pages.browser().get("/").text
    assert "data-picture" in Pages(tmp_path).browser().get("/").text
