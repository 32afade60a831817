from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edge.control.messages import ControlCommand
from edge.core.errors import ControlRefusedError
from edge.telemetry.status import StateSigns, StatusReading
from edge.web.people.accounts import Role
from tests.edge.telemetry.statuses import SIGNS, status
from tests.edge.web.browsing import Browser, Pages

LOUD = "MAINTENANCE: nothing is sorted."
PATH = "/teach/lanes"


@pytest.fixture
def pages(tmp_path: Path) -> Pages:
    found = Pages(tmp_path, moving=("metal", "glass"))
    found.control.shown = {"state": "Execute", "mode": "Production"}
    return found


def pressed(browser: Browser, path: str, **form: str) -> str:
    """What the page says after a button was pressed."""
    answer = browser.post(f"{PATH}/{path}", form)
    assert answer.status_code == 303
    return browser.get(answer.headers["location"]).text


def test_nothing_can_be_moved_before_maintenance_begins(pages: Pages) -> None:
    text = pages.browser().get(PATH).text
    assert 'action="/teach/lanes/begin"' in text
    assert 'action="/teach/lanes/move"' not in text
    assert not _is_loud(text)


@pytest.mark.parametrize(
    ("state", "commands"),
    [
        ("Execute", ["stop", "mode Maintenance"]),
        ("Held", ["stop", "mode Maintenance"]),
        ("Stopped", ["mode Maintenance"]),
        ("Idle", ["mode Maintenance"]),
        ("Aborted", ["mode Maintenance"]),
    ],
)
def test_a_station_that_sorts_is_stopped_first(
    pages: Pages, state: str, commands: list[str]
) -> None:
    pages.control.shown = {"state": state, "mode": "Production"}
    assert "Maintenance has begun" in pressed(pages.browser(), "begin")
    assert [command for command, _ in pages.control.taken] == commands


def test_each_lane_that_moves_has_a_button_and_moves_in_the_name_of_who_presses(
    pages: Pages,
) -> None:
    pages.account("Ana", Role.ADMIN)
    pages.control.shown = {"state": "Stopped", "mode": "Maintenance"}
    browser = pages.browser("Ana")
    text = browser.get(PATH).text
    assert 'name="lane" value="metal"' in text
    assert 'name="lane" value="rest"' not in text
    assert "where nothing moves:" in text
    assert "glass has moved, and rests again after its time." in pressed(
        browser, "move", lane="glass"
    )
    assert pages.control.taken == [("move-lane glass", "Ana")]


@pytest.mark.parametrize("lane", ["", "rest", "nowhere", "metal "])
def test_what_is_no_lane_that_moves_is_not_moved(pages: Pages, lane: str) -> None:
    assert "There is no such lane that moves." in pressed(pages.browser(), "move", lane=lane)
    assert pages.control.taken == []


def test_maintenance_is_ended_and_the_station_waits_to_be_resumed(pages: Pages) -> None:
    pages.control.shown = {"state": "Stopped", "mode": "Maintenance"}
    text = pressed(pages.browser(), "end")
    assert [command for command, _ in pages.control.taken] == ["mode Production", "reset"]
    assert "Maintenance has ended." in text


def test_looking_at_other_pages_ends_nothing_and_they_say_it_loudly(pages: Pages) -> None:
    state = StateSigns(state="Stopped", mode="Maintenance", since="2026-11-21T16:00:00.000000Z")
    signs = replace(SIGNS, state=state)
    pages.reading = StatusReading(status(pages.plan.ledger, signs=signs), 0.1)
    for path in (
        "/", "/health", "/history", "/review", "/delivery", "/deliveries", "/teach", PATH,
        "/teach/region", "/health/pictures",
    ):  # fmt: skip
        assert _is_loud(pages.browser().get(path).text), path
    assert pages.control.taken == []
    pages.reading = StatusReading(status(pages.plan.ledger), 0.1)
    assert not _is_loud(pages.browser().get("/").text)


def _is_loud(text: str) -> bool:
    assert LOUD in text
    return '<div id="maintenance" data-live class="alarm"' in text


def test_who_comes_second_finds_it_begun_or_ended(pages: Pages) -> None:
    pages.control.shown = {"state": "Stopped", "mode": "Maintenance"}
    assert "Maintenance has begun" in pressed(pages.browser(), "begin")
    pages.control.shown = {"state": "Idle", "mode": "Production"}
    assert "Maintenance has ended" in pressed(pages.browser(), "end")
    assert pages.control.taken == []


def test_what_was_done_is_said_where_the_rest_was_refused(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = pages.control.command

    def refusing(wanted: ControlCommand, who: str, **more: str) -> None:
        if wanted in (ControlCommand.MODE, ControlCommand.RESET):
            pages.control.refusal = "not now"
        command(wanted, who, **more)

    monkeypatch.setattr(pages.control, "command", refusing)
    said = pressed(pages.browser(), "begin")
    assert "The station was stopped, but maintenance has not begun." in said
    assert '<p lang="en">not now</p>' in said


def test_maintenance_that_is_not_written_down_has_begun_all_the_same(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages.control.shown = {"state": "Stopped", "mode": "Production"}

    def unkept(wanted: ControlCommand, who: str, **more: str) -> None:
        pages.control.shown = {"state": "Stopped", "mode": "Maintenance"}
        raise ControlRefusedError("its ledger has not written that down")

    monkeypatch.setattr(pages.control, "command", unkept)
    said = pressed(pages.browser(), "begin")
    assert "Maintenance has begun" in said
    assert "its ledger has not written that down" in said


def test_why_the_station_refuses_is_said(pages: Pages) -> None:
    pages.control.refusal = "the lane metal would be on for 9 s, and its limit is 2 s"
    assert "its limit is 2 s" in pressed(pages.browser(), "move", lane="metal")


def test_how_the_inputs_stand_is_shown_in_maintenance(pages: Pages) -> None:
    home = {"kind": "home", "lane": "metal", "pin": 16, "active_high": False, "active": False}
    pages.control.levels = [home]
    assert "GPIO&nbsp;16" not in pages.browser().get(PATH).text  # nobody tries anything now
    pages.control.shown = {"state": "Stopped", "mode": "Maintenance"}
    text = pages.browser().get(PATH).text
    assert "Home switch: metal" in text
    assert "not reached" in text
    assert "(high)" in text
    assert 'data-follow="state status"' in text  # which changes twice a second
    pages.control.levels = [{**home, "active": True}]
    text = pages.browser(language="id").get(PATH).text
    assert "Sakelar asal: metal" in text
    assert "</span> tercapai</b>" in text
    assert "(rendah)" in text


@pytest.mark.parametrize(
    ("levels", "said"),
    [(None, "does not tell how its inputs stand"), ([], "The station reads no pin")],
)
def test_inputs_that_are_not_told_or_not_there_are_said(
    pages: Pages, levels: list[object] | None, said: str
) -> None:
    pages.control.shown = {"state": "Stopped", "mode": "Manual"}
    pages.control.levels = levels  # type: ignore[assignment]
    assert said in pages.browser().get(PATH).text


def test_an_operator_sees_the_page_and_moves_nothing(pages: Pages) -> None:
    pages.account("Ana")
    pages.control.shown = {"state": "Stopped", "mode": "Maintenance"}
    text = pages.browser("Ana").get(PATH).text
    assert "Only people with the role admin may move lanes." in text
    assert 'action="/teach/lanes/move"' not in text
    for path in ("begin", "move", "end"):
        assert pages.browser("Ana").post(f"{PATH}/{path}").status_code == 403


def test_a_station_that_does_not_run_moves_nothing(pages: Pages) -> None:
    pages.reading = None
    assert "nothing can be moved from here" in pages.browser().get(PATH).text
