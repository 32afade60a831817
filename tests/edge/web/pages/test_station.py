from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from markupsafe import escape

from edge.core.terminal.sentence import Sentence
from edge.core.verdict import RejectReason
from edge.events import IncidentEnded, IncidentRaised, Stamps
from edge.telemetry.status import StatusReading
from edge.web.language.languages import read_languages
from edge.web.pages.station import _hours
from edge.web.words.reasons import reject_words
from tests.edge.ledger.entries import correction, entry
from tests.edge.telemetry.statuses import status
from tests.edge.web.browsing import NOON, Pages


def at(hours_ago: float) -> str:
    moment = datetime.fromtimestamp(NOON, UTC) - timedelta(hours=hours_ago)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def rows(text: str) -> dict[str, list[str]]:
    """The cells of the counters by lane."""
    body = text.partition('id="counters"')[2].partition("</table>")[0]
    return {
        re.sub("<.*?>", "", cells[0]): [re.sub("<.*?>", "", cell) for cell in cells[1:]]
        for row in re.findall("<tr>(.*?)</tr>", body)
        if (cells := re.findall("<t[hd][^>]*>.*?</t[hd]>", row))
    }


def test_items_are_counted_by_lane_and_hour(pages: Pages) -> None:
    pages.write(
        [
            entry(1, time=at(0.1)), entry(2, time=at(0.2)),
            entry(3, time=at(1.1), lane="glass"), entry(4, time=at(30), lane="old lane"),
        ]
    )  # fmt: skip
    found = rows(pages.browser().get("/").text)
    assert list(found) == ["Lane", "metal", "glass", "rest", "All"]
    assert found["metal"][1] == "2"  # in the hour that has not ended
    assert found["glass"][2] == "1"
    assert sum(map(int, found["All"][1:])) == 3


def test_hours_go_back_to_midnight_and_leave_nothing_out() -> None:
    for hour, first in ((23, 0), (5, 22)):
        found = list(_hours(datetime(2026, 11, 21, hour, 40, tzinfo=UTC)))
        assert found[0][0].hour == first
        assert all(end == begin for (_, end), (begin, _) in pairwise(found))
        assert found[-1][0].hour == hour


def test_the_last_items_are_shown_with_what_was_corrected(pages: Pages) -> None:
    rejected = entry(
        2, accepted=False, reject="unknown", lane="rest", confidence=0.42, label="bottle"
    )
    pages.write([entry(1), rejected, correction(1, "label", "can", "bottle")])
    text = pages.browser().get("/").text
    second, first = text.partition('class="items"')[2].split("<li ")[1:3]
    assert "rejected" in second
    assert "like nothing it knows" in second
    assert "42%" in second
    assert '<b dir="auto">bottle</b> 90%' in first


def test_a_photograph_is_shown_where_it_is_there_still(pages: Pages) -> None:
    found = entry(1, photograph="2026-11-21/a.jpg")
    pages.write([found])
    assert "<img" not in pages.browser().get("/").text
    folder = pages.plan.photographs / "2026-11-21"
    folder.mkdir(parents=True)
    (folder / "a.jpg").write_bytes(b"\xff\xd8\xff")
    assert f'<img src="/photographs/{found.id}"' in pages.browser().get("/").text


@pytest.mark.parametrize(
    "label", ["<script>alert(1)</script>", '"><img src=x>', "{{ 7*7 }}", "&lt;"]
)
def test_no_text_of_a_row_is_markup(pages: Pages, label: str) -> None:
    pages.write([entry(1, label=label, lane=label, accepted=False, reject=label)])
    text = pages.browser().get("/").text
    assert text.count(f">{escape(label)}<") == 2  # as a lane and as a label
    assert f">{label}<" not in text or escape(label) == label


def test_a_station_that_has_no_ledger_yet_has_nothing_sorted(pages: Pages) -> None:
    answer = pages.browser().get("/")
    assert answer.status_code == 200
    assert "Nothing was sorted yet." in answer.text


def test_a_ledger_that_cannot_be_read_is_said_on_the_page(pages: Pages) -> None:
    pages.plan.ledger.write_bytes(b"no ledger at all" * 100)
    answer = pages.browser().get("/")
    assert answer.status_code == 200
    assert "cannot read the ledger" in answer.text


@pytest.mark.parametrize(
    ("age", "title"), [(0.4, "Sorting"), (2.5, "Silent"), (None, "Not running")]
)
def test_the_state_is_what_is_known_now(pages: Pages, age: float | None, title: str) -> None:
    pages.reading = StatusReading(status(pages.plan.ledger), age)
    text = pages.browser().get("/").text
    assert f'<h1 id="state" data-live>{title}</h1>' in text
    silent = re.search(r'<div id="silent"[^>]*>', text)
    assert silent is not None
    assert silent[0].endswith(" hidden>") == (title == "Sorting")
    assert f'data-age="{"" if age is None else age}"' in text


def test_names_of_labels_are_those_of_the_language(tmp_path: Path) -> None:
    pages = Pages(tmp_path, names={"id": {"can": "kaleng", "metal": "logam"}})
    pages.write([entry(1)])
    assert ">kaleng<" in pages.browser(language="id").get("/").text
    assert "logam" in rows(pages.browser(language="id").get("/").text)
    assert ">can<" in pages.browser().get("/").text


@pytest.mark.parametrize(
    ("state", "reason", "words", "buttons"),
    [
        ("Execute", "", "Sorting", ["pause"]),
        ("Held", "paused", "Stopped for now <small>paused by Ana</small>", ["resume"]),
        ("Held", "jam", "Stopped for now", ["reset", "pause"]),
        ("Held", "camera_lost", "Stopped for now", ["pause"]),
        ("Suspended", "bin_full", "Waiting", ["pause"]),
        ("Idle", "", "Ready, not started", ["resume"]),
        ("Stopped", "", "Stopped", ["reset"]),
        ("Aborted", "emergency_stop", "Emergency stop", ["clear"]),
        ("Starting", "", "Starting", []),
        ("Newer", "", "Newer", []),
    ],
)
def test_a_station_is_given_the_commands_that_its_state_takes(
    pages: Pages, state: str, reason: str, words: str, buttons: list[str]
) -> None:
    pages.control.shown = {"state": state, "reason": reason, "scope": "metal", "who": "Ana"}
    text = pages.browser().get("/").text
    assert f'<h1 id="state" data-live>{words}</h1>' in text
    assert re.findall('formaction="/(.*?)"', text) == buttons


def test_a_command_is_given_in_the_name_of_who_signed_in(pages: Pages) -> None:
    pages.account("Ana")
    pages.control.shown = {"state": "Execute"}
    browser = pages.browser("Ana")
    assert browser.post("/pause").headers["location"] == "/"
    assert browser.post("/clear").status_code == 403
    assert pages.control.taken == [("pause", "Ana")]
    pages.control.refusal = "the station is paused already"
    answer = browser.post("/pause")
    assert answer.status_code == 409
    assert '<p lang="en">the station is paused already</p>' in answer.text


def test_a_refusal_is_said_in_the_language_of_the_page(pages: Pages) -> None:
    said = Sentence("there is nothing to pause: the station is {state}", state="Aborted")
    pages.control.refusal = said
    text = pages.browser(language="id").post("/pause").text
    assert "<p>Tidak ada yang dapat dijeda. Keadaan stasiun: Henti darurat.</p>" in text
    assert "nothing to pause" not in text


@pytest.mark.parametrize("reason", list(RejectReason))
def test_each_reason_of_a_reject_has_words_in_both_languages(reason: RejectReason) -> None:
    english, other = (
        reject_words(reason, language.gettext) for language in read_languages().values()
    )
    assert english != reason
    assert other != english


def test_only_an_admin_is_shown_how_to_clear_an_emergency_stop(pages: Pages) -> None:
    pages.account("Ana")
    pages.control.shown = {"state": "Aborted", "reason": "emergency_stop"}
    assert "/clear" not in pages.browser("Ana").get("/").text
    assert "Only people with the role admin may clear" in pages.browser("Ana").get("/").text
    assert "The emergency stop was pressed." in pages.browser("Ana").get("/").text


def test_open_incidents_are_shown_with_what_to_do_in_the_language(pages: Pages) -> None:
    stamps = Stamps("bin-1", lambda: NOON - 60)
    jam = IncidentRaised(*stamps.now(), "jam", "glass", "stuck", "clear it", "reset")
    newer = IncidentRaised(*stamps.now(), "flood", "", "Water comes in.", "Swim.", "itself")
    pages.write([jam, newer])
    text = pages.browser().get("/").text
    assert "Items were sent into the lane glass and its exit has seen none of them." in text
    assert "Water comes in." in text
    assert "Swim." in text
    assert "jalur glass" in pages.browser(language="id").get("/").text
    pages.write([IncidentEnded(*stamps.now(), jam.id, "jam", "glass", 3.0)])
    assert "lane glass and" not in pages.browser().get("/").text
    pages.reading = None  # of a station that does not run, nothing is known
    assert "Water" not in pages.browser().get("/").text


@pytest.mark.parametrize("page", ["/", "/health"])
def test_why_a_station_could_not_be_started_is_shown_while_it_does_not_run(
    pages: Pages, page: str
) -> None:
    stamps = Stamps("bin-1", lambda: NOON - 60)
    cause = "/dev/gpiochip0 cannot be opened: permission denied."
    pages.write([IncidentRaised(*stamps.now(), "start_failed", "", cause, "Mend it.", "itself")])
    pages.reading = None
    text = pages.browser().get(page).text
    assert f"The station could not be started, as a part of it cannot be opened. {cause}" in text
    assert "Mend what the reason names" in text
    assert f"tidak dapat dibuka. {cause}" in pages.browser(language="id").get(page).text


@pytest.mark.parametrize(
    ("state", "buttons"), [("Stopped", []), ("Idle", []), ("Aborted", ["clear"])]
)
def test_in_maintenance_nothing_is_reset_or_resumed_here(
    pages: Pages, state: str, buttons: list[str]
) -> None:
    pages.control.shown = {"state": state, "mode": "Maintenance"}
    assert re.findall('formaction="/(.*?)"', pages.browser().get("/").text) == buttons


def test_a_concern_that_comes_is_read_aloud(pages: Pages) -> None:
    """A live region must be there before what is announced in it, and stay."""
    text = pages.browser().get("/").text
    assert '<div aria-live="polite">\n<section id="concerns" data-live' in text
