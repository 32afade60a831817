from __future__ import annotations

from dataclasses import fields

import pytest

from edge.events import KINDS, Event
from edge.ledger.reports.newest_events import Happening
from edge.ledger.schema import HAPPENINGS
from edge.state.incidents.kinds import INCIDENTS
from edge.web.language.languages import read_languages
from edge.web.words.happenings import told

LANGUAGES = read_languages()
TIME = "2026-11-30T10:00:00.000000Z"


def said(kind: str, language: str = "en", **details: object) -> tuple[str, str, str]:
    names = {"warm": "Hangat"} if language == "id" else {}
    one = told(
        Happening(TIME, kind, details),
        lambda label: names.get(label, label),
        LANGUAGES[language].gettext,
    )
    assert one.time == TIME
    return one.said, one.detail, one.who


@pytest.mark.parametrize(
    ("kind", "details", "english", "detail"),
    [
        ("state_changed", {"state": "Execute"}, "State: Sorting", ""),
        ("lane_moved", {"lane": "warm", "who": "ana"}, "warm was moved by hand.", ""),
        ("camera_lost", {"camera": "usb"}, INCIDENTS["camera_lost"].cause, ""),
        ("camera_back", {}, f"Over: {INCIDENTS['camera_lost'].cause}", ""),
        ("ledger_failed", {"reason": "no room"}, INCIDENTS["ledger_failed"].cause, "no room"),
        (
            "incident_raised",
            {"name": "jam", "scope": "warm"},
            "Items were sent into the lane warm and its exit has seen none of them.",
            "",
        ),
        ("incident_ended", {"name": "bin_full", "scope": "warm"},
         "Over: The bin of the lane warm is full.", ""),
        ("incident_ended", {"name": "of_a_newer_pilah", "scope": ""}, "Over: of_a_newer_pilah", ""),
        (
            "incident_raised",
            {"name": "of_a_newer_pilah", "scope": "", "cause": "It broke.", "what_to_do": "Mend."},
            "Incident", "It broke. Mend.",
        ),
        ("incident_raised", {"name": "start_failed", "cause": "GPIO 6 is in use."},
         "The station could not be started, as a part of it cannot be opened.",
         "GPIO 6 is in use."),
        ("model_changed", {"bundle": "b 2"}, "New items are judged by another model.", "b 2"),
        ("station_stopped", {"reason": "SIGTERM"}, "The station has ended.", "SIGTERM"),
    ],
)  # fmt: skip
def test_what_happened_is_told(
    kind: str, details: dict[str, object], english: str, detail: str
) -> None:
    assert said(kind, **details) == (english, detail, details.get("who", ""))


def test_it_is_told_in_the_language_of_the_page_with_the_station_s_names() -> None:
    jam, _, _ = said("incident_raised", "id", name="jam", scope="warm")
    assert "Hangat" in jam
    assert "lane" not in jam
    assert said("lane_moved", "id", lane="warm")[0].startswith("Hangat ")


@pytest.mark.parametrize("kind", HAPPENINGS)
def test_each_kind_is_told_in_another_language(kind: str) -> None:
    event: type[Event] = KINDS[kind]
    details = {field.name: "x" for field in fields(event)}
    if "name" in details:
        details["name"] = "jam"
    assert said(kind, "id", **details)[0] != said(kind, "en", **details)[0]
