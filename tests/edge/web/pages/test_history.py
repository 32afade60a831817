from __future__ import annotations

import csv
import io
import json
import re
import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from edge.events import ItemAudited, Stamps
from edge.ledger.export.reading import Selection
from edge.web.pages import history
from edge.web.people.accounts import Role
from tests.edge.ledger.entries import correction, entry
from tests.edge.web.browsing import NOON, Pages


def at(days_ago: float) -> str:
    moment = datetime.fromtimestamp(NOON, UTC) - timedelta(days=days_ago)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def day(days_ago: int) -> str:
    return (datetime.fromtimestamp(NOON).date() - timedelta(days=days_ago)).isoformat()


def rows(text: str, title: str) -> list[list[str]]:
    """The cells of the rows of a table."""
    body = text.partition(f'id="{title}"')[2].partition("<tbody>")[2].partition("</tbody>")[0]
    return [
        [
            re.sub(r"\s+", " ", re.sub("<.*?>", "", cell)).strip()
            for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)
        ]
        for row in re.findall("<tr>(.*?)</tr>", body, re.DOTALL)
    ]


@pytest.fixture
def sorted_week(pages: Pages) -> Pages:
    pages.write(
        [
            *(entry(number, time=at(0.001 * number)) for number in range(1, 8)),
            entry(10, time=at(1), label="bottle", lane="glass"),
            entry(11, time=at(1.001), accepted=False, reject="unknown", lane="rest"),
            entry(12, time=at(20)),
            correction(10, "label", "bottle", "can"),
        ]
    )
    return pages


def test_the_last_week_is_shown_by_day_and_item(sorted_week: Pages) -> None:
    text = sorted_week.browser().get("/history").text
    days = rows(text, "days-title")
    assert len(days) == 7
    assert [one[1] for one in days[:3]] == ["7", "2", "0"]
    assert days[1][2] == "1 (50.0%)"
    assert days[0][3] == "not known: nothing was audited"
    items = rows(text, "items-title")
    assert len(items) == 9
    assert items[7][1] == "bottle can"  # with what it was corrected to
    assert items[8][4] == "✕ like nothing it knows"


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 9),
        (f"from={day(30)}", 10),
        (f"from={day(1)}&to={day(1)}", 2),
        ("label=bottle", 1),
        ("lane=rest", 1),
        ("verdict=accepted", 8),
        ("verdict=rejected", 1),
        ("verdict=unknown", 1),
        ("verdict=late", 0),
        ("label=nothing", 0),
        (f"from={day(0)}&to={day(5)}", 0),
    ],
)
def test_items_are_filtered(sorted_week: Pages, query: str, count: int) -> None:
    text = sorted_week.browser().get(f"/history?{query}").text
    assert len(rows(text, "items-title")) == count


@pytest.mark.parametrize(
    "query",
    [
        "from=yesterday", "to=2026-13-01", "from=0001-01-01", "to=9999-12-31", "verdict=maybe",
        "from=%00", "from=2026-11-21&from=x",
    ],
)  # fmt: skip
def test_what_is_no_day_or_verdict_is_said(sorted_week: Pages, query: str) -> None:
    answer = sorted_week.browser().get(f"/history?{query}")
    assert answer.status_code == 200
    assert "These days or this verdict are not known." in answer.text


@pytest.mark.parametrize(
    "query",
    ["before=x&row=1", "before=2026&row=x", "row=1", "before=x&row=" + "9" * 30, "before=%ff"],
)
def test_a_place_that_is_none_is_no_error(sorted_week: Pages, query: str) -> None:
    assert sorted_week.browser().get(f"/history?{query}").status_code == 200


def test_pages_follow_each_other_and_leave_nothing_out(
    sorted_week: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "_ITEMS", 4)
    browser, path, found = sorted_week.browser(), "/history", []
    for _ in range(5):
        text = browser.get(path).text
        found += [row[0] for row in rows(text, "items-title")]
        following = re.search('href="([^"]*)" rel="next"', text)
        if following is None:
            break
        path = following[1].replace("&amp;", "&")
    assert len(found) == 9
    assert "Newest" in text


def test_purity_is_that_of_audited_items_with_its_interval(sorted_week: Pages) -> None:
    stamps = Stamps("bin-1", lambda: NOON)
    audits = [
        ItemAudited(*stamps.now(), item_id=entry(number).id, label="can", lane=lane, who="Ana",
                    drawn=drawn)
        for number, lane, drawn in
        [(1, "metal", True), (2, "metal", True), (3, "glass", True), (4, "glass", False)]
    ]  # fmt: skip
    sorted_week.write(audits)
    days = rows(sorted_week.browser().get("/history").text, "days-title")
    assert days[0][3] == "66.7% (95 % interval 20.8% to 93.9%; 2 of 3)"
    assert days[1][3] == "not known: nothing was audited"


def test_only_an_admin_exports(sorted_week: Pages) -> None:
    sorted_week.account("Ana")
    sorted_week.account("Budi", Role.ADMIN)
    assert sorted_week.browser("Ana").get("/history/export").status_code == 403
    assert "/history/export" not in sorted_week.browser("Ana").get("/history").text
    assert "/history/export" in sorted_week.browser("Budi").get("/history").text


def test_an_export_is_that_of_the_command_line(sorted_week: Pages) -> None:
    browser = sorted_week.browser()
    answer = browser.get(f"/history/export?format=csv&from={day(30)}&label=can")
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
    found = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(found) == 9
    lines = browser.get("/history/export?format=jsonl").text.splitlines()
    assert [json.loads(line)["item"] for line in lines][-1] == 1
    assert json.loads(browser.get("/history/export?format=epcis").text)["type"] == "EPCISDocument"


def test_an_export_that_fails_does_not_end_as_if_it_were_whole(
    sorted_week: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(items: object, out: io.BytesIO) -> None:
        out.write(b"half")
        raise OSError("the disk is gone")

    monkeypatch.setitem(history.FORMATS, "csv", broken)  # type: ignore[attr-defined]
    with pytest.raises(OSError, match="the disk is gone"):
        sorted_week.browser().get("/history/export")
    assert not history._exports


def test_an_export_that_nobody_reads_gives_its_place_back(
    sorted_week: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(items: object, out: io.BufferedWriter) -> None:
        while True:
            out.write(b"x" * 65536)

    monkeypatch.setitem(history.FORMATS, "csv", endless)  # type: ignore[attr-defined]
    monkeypatch.setattr(history, "_PATIENCE_SECONDS", 0.01)
    visit = SimpleNamespace(site=sorted_week.site)
    blocks = history._exported(visit, Selection(), "csv")  # type: ignore[arg-type]
    (thread,) = history._exports
    assert isinstance(thread, threading.Thread)
    thread.join()
    assert not history._exports
    with pytest.raises(TimeoutError):
        list(blocks)


def test_few_exports_run_at_a_time(sorted_week: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "_exports", {1, 2})
    answer = sorted_week.browser().get("/history/export")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "30"


@pytest.mark.parametrize(
    ("query", "status"), [("format=parquet", 400), ("format=..%2f", 400), ("from=x", 400)]
)
def test_an_export_of_nothing_known_is_refused(sorted_week: Pages, query: str, status: int) -> None:
    assert sorted_week.browser().get(f"/history/export?{query}").status_code == status


def test_without_a_ledger_there_is_no_history(pages: Pages) -> None:
    assert "No item is like that." in pages.browser().get("/history").text
    assert pages.browser().get("/history/export").status_code == 404
