"""The page of a simulated run: its figures are those of the report, and it needs nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from edge.simulation.account.account import REJECTED, Account
from edge.simulation.account.fates import Judgement, LanePlace, Pending
from edge.simulation.account.gallery import Gallery
from edge.simulation.account.page import write_page
from edge.simulation.account.report import Report, Setting
from edge.simulation.account.spread import Spread
from edge.simulation.world import TrueItem
from tests.edge.simulation.account.test_fates import row

PLACES = [LanePlace("<tins>", ("can",), None, None), LanePlace("rest", (), None, None)]


class Nothing:
    """A world in which nothing passes."""

    kind = "belt"
    count = 0
    metres_per_second = None
    longest_stay = 0.0


def report(places: list[LanePlace] = PLACES, **changed: bool) -> Report:
    account = Account(places, default="rest", world=Nothing(), commit_seconds=1)  # type: ignore[arg-type]
    account.items = 14
    account.verdicts.update({1: 12, 0: 2})
    account.fallen.update({("can", "<tins>"): 9, ("cup", "<tins>"): 1, ("can", "rest"): 4})
    account.confusion.update({("can", "can"): 9, ("cup", "can"): 1, ("can", REJECTED): 4})
    account.rejects.update({"low_confidence": 4})
    for error in (-3.0, 2.0, 2.0):
        account.landing_ms.add(error)
    times: dict[str, Any] = {"seconds": 1.5, "trigger_ms": {"p50": 2}, "model_ms": {"p50": 3}}
    return Report(
        Setting(
            "s<1>", "m 1", "belt", "drawn", 7, None, ("can", "cup"), 0.5, ("light",), ("codes",)
        ),
        account,
        virtual_seconds=60.0,
        frames={"looked at": 100},
        frame_age_ms=Spread(),
        missed={"overdue": 2},
        machine=times,
        **changed,
    )


def test_the_page_says_what_the_report_says_and_loads_nothing(tmp_path: Path) -> None:
    gallery = Gallery(PLACES)
    pending = Pending(TrueItem(3, "cup", "", entered=1.0, passes=None))
    picture = np.full((20, 30, 3), 90, np.uint8)
    pending.judgements.append(Judgement(3, "can", 1.0, 1.0, picture, row("rest")))
    gallery(pending, "<tins>")
    write_page(tmp_path / "page.html", report(stopped=True), gallery)
    text = (tmp_path / "page.html").read_text("utf-8")
    words = re.sub(r"<style>.*?</style>|<[^>]+>", " ", text, flags=re.DOTALL)
    for said in (
        "s&lt;1&gt;: a simulated belt",
        "Purity: 59% to 99% (9 of 10), of what is in the lanes.",
        "stopped before the last item",
        "Faults: light. Left out: codes.",
        "can 100%, is cup",
        "item 3, 3 frames, sent to rest",
        "Landing error of 3 items",
        "In a wrong lane: 1, which the pictures show first.",
        "Rejected: low confidence 4. Late: 2.",
    ):
        assert said in words, said
    assert "<tins>" not in text
    assert not re.search(r'(src|href)="(?!#|data:)', text)
    assert "<script" not in text


def test_of_each_lane_a_few_pictures_are_kept() -> None:
    gallery = Gallery(PLACES)
    for number in range(100):
        gallery(Pending(TrueItem(number, "can", "", entered=0.0, passes=None)), "<tins>")
    assert len(gallery.of("<tins>")) == 12
    assert gallery.of("<tins>")[0].caption == "can: no verdict"
    assert gallery.of("rest") == []


def test_where_nothing_passed_there_is_a_page_too(tmp_path: Path) -> None:
    nothing = report()
    for counts in (nothing.account.fallen, nothing.account.confusion):
        counts.clear()
    nothing.account.landing_ms = Spread()
    write_page(tmp_path / "page.html", nothing, Gallery(PLACES))
    assert "Purity: none" in (tmp_path / "page.html").read_text("utf-8")


def test_the_lines_for_a_terminal_have_the_figures() -> None:
    text = "\n".join(report().lines())
    assert "purity     59% to 99% (9 of 10), of what is in the lanes" in text
    assert "rejects    low_confidence 4" in text
    assert "late       2" in text
    assert re.search(r"^can +9 +0 +4 +0$", text, re.MULTILINE)
    assert re.search(r"^landing error +2.00 +3.00 +3.00 +3.00 ms", text, re.MULTILINE)
    assert re.search(r"^landing error +1.00 +1.50 +1.50 +1.50 mm", text, re.MULTILINE)


def test_what_was_not_measured_is_told_in_words(tmp_path: Path) -> None:
    nothing = report()
    nothing.machine["trigger_ms"]["p50"] = nothing.machine["model_ms"]["p50"] = None
    write_page(tmp_path / "page.html", nothing, Gallery(PLACES))
    texts = ["\n".join(nothing.lines()), (tmp_path / "page.html").read_text("utf-8")]
    assert all("no trigger ran, no model ran" in text for text in texts)
    assert not any("None" in text for text in texts)


def test_what_falls_off_the_end_shows_as_a_lane() -> None:
    found = report()
    found.account.fallen["can", "past all lanes"] += 1
    assert found.lanes["past all lanes"].found == {"can": 1}
    assert found.recovery.total == 14
