from __future__ import annotations

import re
from pathlib import Path

import pytest

from edge.web.pages import teach
from edge.web.plan import LearningForecast, ModelFacts
from tests.edge.telemetry.statuses import SIGNS
from tests.edge.web.browsing import Browser, Pages

FORECAST = LearningForecast(more=50, gain=0.021, low=0.008, high=0.034)


def take(browser: Browser, **form: str) -> str:
    """What the page says after a picture was asked for."""
    answer = browser.post("/teach/take", form)
    assert answer.status_code == 303
    return browser.get(answer.headers["location"]).text


def test_each_label_has_its_count_and_what_is_missing(pages: Pages) -> None:
    text = pages.browser().get("/teach").text
    assert '<kbd>1</kbd> <span dir="auto">can</span>&nbsp;(3)' in text
    assert "3 before a training begins, 97 for a good start" in text  # can
    assert "6 before a training begins, 100 for a good start" in text  # bottle
    assert "✓ a good start" in text  # cork, which is no label of the lanes yet
    assert "pilah-trainer train /var/lib/pilah/ledger-taught" in text


def test_a_press_takes_a_picture_in_the_name_of_who_presses(pages: Pages) -> None:
    pages.account("Ana")
    pages.control.taught["counts"]["can"] = 4
    said = take(pages.browser("Ana"), label="can")
    assert pages.control.taken == [("take can", "Ana")]
    assert "Taken: can, 4 in all." in said


def test_a_new_label_may_be_typed_and_one_of_names_is_shown_by_it(tmp_path: Path) -> None:
    pages = Pages(tmp_path, names={"id": {"can": "kaleng"}})
    assert "Taken: tin foil, 0 in all." in take(pages.browser(), new=" tin foil ")
    assert pages.control.taken[-1] == ("take tin foil", "operator")
    assert "kaleng" in take(pages.browser(language="id"), label="can")


@pytest.mark.parametrize("label", ["../etc", "a,b", "=1", "-x", "é" * 60])
def test_what_cannot_be_a_label_is_not_asked_for(pages: Pages, label: str) -> None:
    said = take(pages.browser(), new=label)
    assert "a label must be usable as the name of a folder" in said
    assert pages.control.taken == []


def test_nothing_is_taken_without_a_label(pages: Pages) -> None:
    assert "Say what the picture shows." in take(pages.browser(), new="  ")
    assert pages.control.taken == []


def test_why_not_is_said_in_the_language_of_the_page(pages: Pages) -> None:
    pages.control.outcome = {"failure": "several", "said": "2 things are in view: leave one there"}
    assert "several things are in view" in take(pages.browser(), label="can")
    said = take(pages.browser(language="id"), label="can")
    assert "beberapa benda" in said
    assert "leave one" not in said


def test_a_word_of_a_newer_station_is_shown_as_it_says_it(pages: Pages) -> None:
    pages.control.outcome = {"failure": "eclipse", "said": "the sun is gone"}
    assert '<p lang="en"><strong>the sun is gone</strong>' in take(pages.browser(), label="can")


def test_a_poor_picture_is_said_to_be_one(pages: Pages) -> None:
    pages.control.outcome["faults"] = ["too dark", "blurred"]
    said = take(pages.browser(), label="can")
    assert "But it is too dark, blurred: look whether to delete it." in said


def test_a_disk_that_hangs_does_not_hold_the_page_up(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(teach, "_PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(
        pages.control, "told",
        lambda command, who, label="": {"order": 9} if label else pages.control.taught,
    )  # fmt: skip
    assert "The station has not answered in time." in take(pages.browser(), label="can")


def test_the_last_one_is_deleted(pages: Pages) -> None:
    pages.control.outcome = {"label": "can"}
    answer = pages.browser().post("/teach/discard")
    assert pages.control.taken == [("discard", "operator")]
    said = pages.browser().get(answer.headers["location"]).text
    assert "Deleted: the last of can, 3 are left." in said
    pages.control.taught["can_discard"] = False
    assert 'data-key="d" disabled' in pages.browser().get("/teach").text


def test_a_station_that_sorts_can_be_paused_first(pages: Pages) -> None:
    warning = "what you put before the camera is sorted, too"
    assert warning not in pages.browser().get("/teach").text
    pages.control.shown = {"state": "Execute"}
    assert warning in pages.browser().get("/teach").text


def test_a_pause_from_here_leads_back_here(pages: Pages) -> None:
    pages.control.shown = {"state": "Execute"}
    answer = pages.browser().post("/pause", {"next": "/teach"})
    assert answer.headers["location"] == "/teach"


def test_a_station_that_does_not_run_takes_none(pages: Pages) -> None:
    pages.reading = None
    assert "The station does not run." in pages.browser().get("/teach").text


def test_one_that_cannot_be_asked_is_not_said_to_stand(pages: Pages) -> None:
    pages.control.answers = False
    text = pages.browser().get("/teach").text
    assert "The station could not be asked." in text
    assert "start it first" not in text
    assert "The station could not be asked." in take(pages.browser(), label="can")


def test_a_folder_that_cannot_be_used_is_said_and_no_count_is_made_up(pages: Pages) -> None:
    pages.control.taught |= {"unusable": "the disk is gone", "counts": None}
    text = pages.browser().get("/teach").text
    assert "The folder of the pictures cannot be used." in text
    assert "the disk is gone" in text
    assert "How many pictures there are is not known now." in text
    assert "(0)" not in text


@pytest.mark.parametrize(
    ("forecast", "said"),
    [
        (FORECAST, "50 more pictures of each label would make 2.1 more of 100 items right"),
        (LearningForecast(more=50, gain=0.004, low=-0.01, high=0.02), "nothing that shows"),
    ],
)
def test_how_much_is_enough_comes_from_the_learning_curve(
    tmp_path: Path, forecast: LearningForecast, said: str
) -> None:
    pages = Pages(
        tmp_path, model=ModelFacts(digest=SIGNS.model_digest, forecast=forecast), kept="all"
    )
    for path in ("/teach", "/review"):
        assert said in pages.browser().get(path).text


def test_the_page_has_a_picture_unless_it_is_switched_off(tmp_path: Path) -> None:
    assert 'data-picture="/picture"' in Pages(tmp_path).browser().get("/teach").text
    text = Pages(tmp_path, live=False).browser().get("/teach").text
    assert "data-picture" not in text
    assert "web: {live_picture: false}" in text


def test_two_presses_on_one_page_take_one_picture(pages: Pages) -> None:
    browser = pages.browser()
    press = re.search('name="press" value="(.*?)"', browser.get("/teach").text)
    assert press is not None
    take(browser, label="can", press=press[1])
    assert "of two presses one counts" in take(browser, label="bottle", press=press[1])
    assert pages.control.taken == [("take can", "operator")]
