from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edge.events import CameraLost, IncidentEnded, IncidentRaised, LaneMoved, Stamps
from edge.ledger.ledger import Ledger
from edge.publish.publisher_file import PublisherFile
from edge.state.incidents.kinds import INCIDENTS
from edge.telemetry.newest_log import LogLine
from edge.telemetry.status import StatusReading
from edge.web.people.accounts import Role
from edge.web.plan import ModelFacts, Outgoing
from tests.edge.outbox.test_table import keep_at
from tests.edge.telemetry.statuses import SIGNS, status
from tests.edge.web.browsing import NOON, Pages, items

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
    assert "those older than 30 days are deleted" in text


@pytest.mark.parametrize(
    ("host", "live", "kept", "said"),
    [
        ("127.0.0.1", True, 30.0, False),
        ("0.0.0.0", True, None, True),
        ("0.0.0.0", False, None, False),
    ],
)
def test_pictures_that_other_machines_are_sent_are_among_what_leaves(
    tmp_path: Path, host: str, live: bool, kept: float | None, said: bool
) -> None:
    pages = Pages(tmp_path, host=host, live=live, kept_days=kept)
    if host == "0.0.0.0":
        pages.account("Ana")
    text = pages.browser("Ana" if host == "0.0.0.0" else None).get("/health").text
    assert ("Whoever signs in from another machine is sent the pictures" in text) is said


def test_what_is_not_well_is_marked_and_not_by_colour_alone(pages: Pages) -> None:
    pages.reading = StatusReading(
        status(pages.plan.ledger, signs=replace(SIGNS, camera_lost=True, items_spilled=3)), 0.1
    )
    text = pages.browser().get("/health").text
    assert text.count("▲") == 2
    assert "Check its cable and its power." in text


def test_a_bundle_that_the_station_refused_is_shown_with_what_to_do(pages: Pages) -> None:
    stamps, kind = Stamps("bin-1", lambda: NOON), INCIDENTS["model_refused"]
    words = (kind.name, "", "golden/0.png gets other scores.", kind.what_to_do, "itself")
    refused = IncidentRaised(*stamps.now(), *words)
    pages.write([refused])
    text = pages.browser().get("/health").text
    assert "go back with `pilah-edge rollback`" in text
    assert "Nothing is to be done." not in text
    text = pages.browser(language="id").get("/health").text
    assert "kembali dengan `pilah-edge rollback`" in text
    pages.write([IncidentEnded(*stamps.now(), refused.id, kind.name, "", 3.0)])
    assert "Nothing is to be done." in pages.browser().get("/health").text


def test_what_waits_to_be_sent_and_why_it_does_is_shown(tmp_path: Path) -> None:
    keep = keep_at(tmp_path, receivers=("mqtt", "postgres"))
    with Ledger(tmp_path / "ledger.sqlite", keep=keep) as ledger:
        ledger.append(items(3))
    with PublisherFile(keep.positions) as file:
        file.set_trouble("mqtt", "the broker b.example is not <reached>")
    pages = Pages(tmp_path, outbox=keep.as_json())
    text = pages.browser().get("/health").text
    assert text.count("3 waiting, 0 sent, 0 refused, 0 deleted unsent") == 2
    assert "the broker b.example is not &lt;reached&gt;" in text
    assert text.count("Nothing is sent since") == 1
    keep.positions.write_bytes(b"this is no database" * 100)
    text = pages.browser().get("/health").text
    assert "How many wait is not known" in text


def test_a_station_that_sends_nothing_has_no_such_part(pages: Pages) -> None:
    assert "Events for other systems" not in pages.browser().get("/health").text


LINES = [
    LogLine("2026-11-30T10:00:01.000000Z", "warning", "the belt <stands>"),
    LogLine("2026-11-30T10:00:00.000000Z", "info", "camera usb"),
]


def test_the_log_of_the_station_is_for_admins(pages: Pages) -> None:
    pages.control.lines = LINES
    pages.account("Ana", Role.ADMIN)
    pages.account("Budi")
    text = pages.browser("Ana").get("/health").text
    assert "▲</span> <b>the belt &lt;stands&gt;</b>" in text
    assert "camera usb" in text
    text = pages.browser("Budi").get("/health").text
    assert "Only people with the role admin see the log" in text
    assert "the belt" not in text
    assert "camera usb" not in text


def test_a_station_that_tells_no_log_has_it_in_the_journal(pages: Pages) -> None:
    assert "journalctl -u pilah" in pages.browser().get("/health").text
    pages.control.lines = LINES
    pages.reading = None
    assert "camera usb" not in pages.browser().get("/health").text


def test_what_happened_last_is_told_in_the_language_of_the_page(pages: Pages) -> None:
    stamps = Stamps("bin-1", lambda: pages.now)
    pages.write([CameraLost(*stamps.now(), "usb"), LaneMoved(*stamps.now(), "glass", 0.1, "ana")])
    text = pages.browser().get("/health").text
    assert text.index("glass was moved by hand.</td><td>ana") < text.index("gives no more pictures")
    assert "glass digerakkan" in pages.browser(language="id").get("/health").text


def test_a_station_that_does_not_run_has_a_page_of_its_machine(pages: Pages) -> None:
    pages.reading = None
    answer = pages.browser().get("/health")
    assert answer.status_code == 200
    assert "GB free" in answer.text
