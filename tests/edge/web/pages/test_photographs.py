from __future__ import annotations

from pathlib import Path

import pytest

from tests.edge.web.browsing import Pages


def test_a_station_that_keeps_none_says_so(pages: Pages) -> None:
    text = pages.browser().get("/health/pictures").text
    assert "✓ None is kept." in text
    assert "It is kept nowhere." in text
    assert "ledger-taught" in text or "taught" in text


@pytest.mark.parametrize(
    ("kept", "share", "said"),
    [
        ("all", 0.0, "of all"),
        ("rejected", 0.02, "of those that were rejected; of the others, drawn by chance: 2.0%"),
        ("none", 0.01, "only those drawn by chance"),
        ("mismatch", 0.0, "of those whose code says another thing"),
    ],
)
def test_what_is_kept_and_how_to_switch_it_off_is_said(
    tmp_path: Path, kept: str, share: float, said: str
) -> None:
    pages = Pages(tmp_path, kept=kept, share=share, kept_days=30.0, kept_megabytes=1000.0)
    text = pages.browser().get("/health/pictures").text
    assert said in text
    assert "30 days; before that, the oldest are deleted beyond 1,000 MB" in text
    assert str(pages.plan.photographs) in text
    assert "Take the section “photographs” out of the station file" in text


def test_the_live_picture_may_be_off(tmp_path: Path) -> None:
    text = Pages(tmp_path, live=False).browser().get("/health/pictures").text
    assert "✓ It is switched off." in text


def test_health_leads_there(pages: Pages) -> None:
    assert 'href="/health/pictures"' in pages.browser().get("/health").text
