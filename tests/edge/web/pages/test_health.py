from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from edge.telemetry.status import StatusReading
from edge.web.plan import ModelFacts, Outgoing
from tests.edge.telemetry.statuses import SIGNS, status
from tests.edge.web.browsing import Pages

MODEL = ModelFacts(
    digest=SIGNS.model_digest, accuracy=0.941, interval=(0.885, 0.977), images=220, verdict="good"
)


def test_what_the_status_holds_is_shown(pages: Pages) -> None:
    text = pages.browser().get("/health").text
    for said in ("0.04 s old", "tiny 1", "abababababab", "90 MB", "Nothing is to be done."):
        assert said in text


def test_the_figures_are_those_of_the_bundle_that_sorts(tmp_path: Path) -> None:
    said = "94.1% (95 % interval 88.5% to 97.7%, 220 pictures)"
    assert said in Pages(tmp_path, model=MODEL).browser().get("/health").text
    other = Pages(tmp_path, model=replace(MODEL, digest="0" * 64))
    assert "another bundle was installed" in other.browser().get("/health").text


def test_what_leaves_the_machine_is_listed(tmp_path: Path) -> None:
    quiet = Pages(tmp_path).browser().get("/health").text
    assert "Nothing: the station file names none." in quiet
    assert "None is kept." in quiet
    pages = Pages(tmp_path, outgoing=(Outgoing(name="mqtt", place="b.example"),), kept_days=30.0)
    text = pages.browser().get("/health").text
    assert "<dt>mqtt</dt><dd>b.example</dd>" in text
    assert "for 30 days, and are sent nowhere" in text


def test_what_is_not_well_is_marked_and_not_by_colour_alone(pages: Pages) -> None:
    pages.reading = StatusReading(
        status(pages.plan.ledger, signs=replace(SIGNS, camera_lost=True, items_spilled=3)), 0.1
    )
    text = pages.browser().get("/health").text
    assert text.count("▲") == 2
    assert "Check its cable and its power." in text


def test_a_station_that_does_not_run_has_a_page_of_its_machine(pages: Pages) -> None:
    pages.reading = None
    answer = pages.browser().get("/health")
    assert answer.status_code == 200
    assert "GB free" in answer.text
