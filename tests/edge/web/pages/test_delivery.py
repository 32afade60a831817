from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from markupsafe import escape

from edge.events import Stamps
from edge.receiving.code import read_code
from edge.receiving.delivery import Line
from edge.receiving.desk import Desk
from edge.receiving.events import UNDOABLE, DeliveryEvent
from edge.receiving.scan import NO_CODE, Scan
from edge.receiving.state import DeliveryState
from edge.receiving.store import Deliveries
from edge.web.people.accounts import Role
from tests.edge.ledger.entries import entry
from tests.edge.receiving.goods_lists import PACK_OF_SHOES, SHOE, SOCK, UNKNOWN, goods
from tests.edge.web.browsing import Browser, Pages


@contextmanager
def desk(pages: Pages) -> Iterator[Desk]:
    with Deliveries(pages.plan.deliveries) as deliveries:
        yield Desk(deliveries, Stamps("bin-1", lambda: pages.now), "station")


@pytest.fixture
def counting(pages: Pages) -> Pages:
    """The delivery D1 is being counted."""
    with desk(pages) as work:
        work.import_goods([goods()], "goods.csv")
        work.open("D1")
    return pages


def state(pages: Pages, name: str = "D1") -> DeliveryState:
    with desk(pages) as work:
        return work.known(name)


def counted_events(pages: Pages) -> list[DeliveryEvent]:
    """What was done on D1 and can be undone."""
    with desk(pages) as work:
        return [one for one in work.deliveries.events("D1") if isinstance(one, UNDOABLE)]


def notice(browser: Browser, path: str, **form: str) -> str:
    """What the page says after a form was sent."""
    answer = browser.post(path, {"name": "D1", **form}, on="/delivery?name=D1")
    assert answer.status_code == 303, answer.text
    text = browser.get(answer.headers["location"]).text
    bar = text.partition('id="notice"')[2].partition(">")[2].partition("<section")[0]
    return re.sub(r"\s+", " ", re.sub("<.*?>", "", bar)).strip()


def test_without_deliveries_the_page_says_how_they_are_announced(pages: Pages) -> None:
    for path in ("/delivery", "/deliveries"):
        answer = pages.browser().get(path)
        assert answer.status_code == 200
        assert "No delivery was announced." in answer.text
    assert not pages.plan.deliveries.exists()  # looking makes no file


def test_a_delivery_is_opened_from_the_list(pages: Pages) -> None:
    with desk(pages) as work:
        work.import_goods([goods(), goods(delivery="D 2/ä&<b>")], "goods.csv")
    browser = pages.browser()
    assert "D 2/ä&amp;&lt;b&gt;" in browser.get("/delivery").text
    answer = browser.post("/delivery/open", {"name": "D 2/ä&<b>"}, on="/deliveries")
    assert browser.get(answer.headers["location"]).status_code == 200
    with desk(pages) as work:
        current = work.deliveries.current()
    assert current is not None
    assert current.delivery == "D 2/ä&<b>"


def test_a_scan_counts_one_piece_and_the_pack_its_pieces(counting: Pages) -> None:
    browser = counting.browser()
    assert notice(browser, "/delivery/scan", code=SHOE) == "Counted 1: SH, 1 of 8"
    assert notice(browser, "/delivery/scan", code=PACK_OF_SHOES) == "Counted 6: SH, 7 of 8"
    assert notice(browser, "/delivery/scan", code=SHOE, pieces="3", damaged="1").endswith("10 of 8")
    found = state(counting).count(1)
    assert (found.counted, found.damaged) == (10, 3)
    assert "▲ +2" in browser.get("/delivery").text


def test_a_scan_that_is_sent_again_is_counted_once(counting: Pages) -> None:
    browser, scan = counting.browser(), "0f8fad5bd9cb469fa16570867728950e"
    assert notice(browser, "/delivery/scan", code=SHOE, scan=scan) == "Counted 1: SH, 1 of 8"
    assert notice(browser, "/delivery/scan", code=SHOE, scan=scan) == f"counted: SH {SHOE} × 1"
    assert notice(browser, "/delivery/scan", code=UNKNOWN, scan=scan[::-1]).startswith("Not on")
    assert notice(browser, "/delivery/scan", code=UNKNOWN, scan=scan[::-1]).startswith("put aside")
    assert "must be a UUID" in notice(browser, "/delivery/scan", code=SHOE, scan="x")
    found = state(counting)
    assert (found.count(1).counted, len(found.asides)) == (1, 1)


def test_what_was_done_is_in_the_name_of_who_signed_in(counting: Pages) -> None:
    counting.account("Ana")
    notice(counting.browser("Ana"), "/delivery/scan", code=SHOE)
    with desk(counting) as work:
        assert work.deliveries.events("D1")[-1].by == "Ana"


def test_a_code_of_several_lines_is_chosen_by_one_press(counting: Pages) -> None:
    browser = counting.browser()
    said = notice(browser, "/delivery/scan", code=SOCK)
    assert said.startswith(f"Several lines have the code {SOCK}. Choose one.")
    assert "SO-7, lot L7" in said
    assert notice(browser, "/delivery/scan", code=SOCK, line="3").startswith("Counted 1: SO-8")


def test_what_is_not_on_the_delivery_is_put_aside_and_heard(counting: Pages) -> None:
    browser = counting.browser()
    answer = browser.post("/delivery/scan", {"code": UNKNOWN}, on="/delivery")
    text = browser.get(answer.headers["location"]).text
    assert "Not on this delivery, put it aside" in text
    assert "data-alarm=" in text
    assert state(counting).asides[0].code == UNKNOWN


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"code": ""}, "a code has 1 to 128 printable characters"),
        ({"code": "x" * 129}, "a code has 1 to 128 printable characters"),
        ({"code": "a\nb"}, "a code has 1 to 128 printable characters"),
        ({"code": SHOE, "pieces": "0"}, "the pieces must be 1 to 100000"),
        ({"code": SHOE, "pieces": "-1"}, "the pieces must be a whole number"),
        ({"code": SHOE, "pieces": "9999999999999"}, "the pieces must be a whole number"),
        ({"code": SHOE, "pieces": "١"}, "the pieces must be a whole number"),
        ({"code": SHOE, "line": "99"}, "has no line"),
    ],
)
def test_a_scan_that_is_none_counts_nothing(
    counting: Pages, form: dict[str, str], said: str
) -> None:
    assert said in notice(counting.browser(), "/delivery/scan", **form)
    assert state(counting).counts == {}


def stopped(pages: Pages, item: int = 1) -> str:
    """The id of the event by which a shoe is stopped whose picture, of this item, shows another."""
    with desk(pages) as work:
        work.scan("D1", Scan(code=read_code(SHOE), seen="nike", item_id=entry(item).id))
    (event,) = re.findall(
        '<div class="alarm" data-alarm="(.*?)"', pages.browser().get("/delivery").text
    )
    return str(event)


def test_a_mismatch_is_seen_and_cleared_by_one_press(counting: Pages) -> None:
    for item, (clear, counted) in enumerate((("/delivery/undo", 0), ("/delivery/scan", 1))):
        event, browser = stopped(counting, item), counting.browser()
        text = browser.get("/delivery").text
        assert "The code 4006381333931 says adidas (SH), the picture says nike." in text
        form = {"event": event} | ({} if clear.endswith("undo") else {"code": SHOE})
        notice(browser, clear, **form)
        assert 'data-alarm="' not in browser.get("/delivery").text
        assert state(counting).count(1).counted == counted


def test_only_what_was_stopped_counts_by_decision_and_once(counting: Pages) -> None:
    """A form cannot say by itself that somebody has looked, nor of which piece."""
    event, browser = stopped(counting), counting.browser()
    said = notice(browser, "/delivery/scan", code=SHOE, force="1")
    assert "the picture" in said.lower()
    assert state(counting).count(1).counted == 0
    for other in ({"code": UNKNOWN}, {"code": SOCK, "line": "3"}):
        assert "somebody has decided" in notice(browser, "/delivery/scan", event=event, **other)
    assert [one.id for one in state(counting).disagreements] == [event]
    assert "Counted 1" in notice(browser, "/delivery/scan", code=SHOE, event=event)
    again = notice(counting.browser(), "/delivery/scan", code=SHOE, event=event)
    assert "somebody has decided" in again  # two people pressed at once
    assert state(counting).count(1).counted == 1


def test_what_is_undone_is_named_in_full(counting: Pages) -> None:
    browser = counting.browser()
    notice(browser, "/delivery/scan", code=SHOE)
    (event,) = [one.id for one in counted_events(counting)]
    for named in ({}, {"event": event[-6:]}, {"event": event[:-1] + "x"}):
        assert "Not done" in notice(browser, "/delivery/undo", **named)
    assert state(counting).count(1).counted == 1
    assert "Undone" in notice(browser, "/delivery/undo", event=event)


def test_a_figure_is_corrected_with_a_reason_and_the_correction_undone(counting: Pages) -> None:
    browser = counting.browser()
    form = {"line": "2", "figure": "counted", "now": "2"}
    assert "say why" in notice(browser, "/delivery/correct", **form)
    assert notice(browser, "/delivery/correct", **form, why="under the table") == "Corrected."
    assert state(counting).count(2).counted == 2
    event = counted_events(counting)[-1].id
    assert "corrected: SO-7 0 → 2" in notice(browser, "/delivery/undo", event=event)
    assert state(counting).count(2).counted == 0
    assert "1 damaged of 0 pieces" in notice(
        browser, "/delivery/correct", line="2", figure="damaged", now="1", why="wet"
    )


def test_a_delivery_that_differs_is_closed_only_as_counted(counting: Pages) -> None:
    browser = counting.browser()
    notice(browser, "/delivery/scan", code=SHOE)
    assert notice(browser, "/delivery/close").startswith("Not closed: it differs.")
    said = notice(browser, "/delivery/close", as_counted="1", back_order="1")
    assert said == "Closed. What is missing is expected as D1-B1."
    assert "closed: short" in browser.get("/delivery?name=D1").text
    assert "D1 is closed" in notice(browser, "/delivery/scan", code=SHOE)


def test_only_an_admin_counts_a_closed_delivery_again(counting: Pages) -> None:
    counting.account("Ana")
    counting.account("Budi", Role.ADMIN)
    notice(counting.browser("Ana"), "/delivery/close", as_counted="1")
    form = {"name": "D1", "why": "a box was found"}
    assert counting.browser("Ana").post("/delivery/reopen", form).status_code == 403
    answer = counting.browser("Budi").post("/delivery/reopen", form)
    assert answer.headers["location"] == "/delivery?name=D1-R1"
    assert "Say why." in notice(counting.browser("Budi"), "/delivery/reopen", why=" ")


def test_a_blind_count_shows_what_is_expected_to_nobody(pages: Pages) -> None:
    line = Line(number=1, sku="SH", gtin="04006381333931", expected=87654)
    with desk(pages) as work:
        work.import_goods([goods(line, blind=True)], "goods.csv")
        work.open("D1")
    browser = pages.browser()
    assert notice(browser, "/delivery/scan", code=SHOE) == "Counted 1: SH, 1 now"
    for path in ("/delivery", "/delivery/report?name=D1", "/delivery/report.csv?name=D1"):
        assert "87" not in re.sub(r'token" value="[^"]*"|sha256-\S+|\?v=\w+|data-marks="[^"]*"'
                                  r'|[0-9a-f-]{36}', "",
                                  browser.get(path).text.replace("87,", ""))  # fmt: skip
    notice(browser, "/delivery/close", as_counted="1")
    assert "87,654" in browser.get("/delivery?name=D1").text


def test_the_report_is_printed_with_photographs_and_nothing_else(counting: Pages) -> None:
    photograph = counting.plan.photographs / "2026-11-21" / "a.jpg"
    photograph.parent.mkdir(parents=True)
    photograph.write_bytes(b"\xff\xd8\xff photograph")
    secret = counting.plan.ledger.with_name("secret.jpg")
    secret.write_bytes(b"\xff\xd8\xff secret")
    with desk(counting) as work:
        for place in ("2026-11-21/a.jpg", "../secret.jpg", str(secret)):
            work.scan("D1", Scan(code=NO_CODE, line=None, seen="thing", photograph=place))
    answer = counting.browser().get("/delivery/report?name=D1")
    assert answer.text.count("data:image/jpeg") == 1
    assert "style-src 'sha256-" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]


def test_the_csv_is_named_as_the_delivery(counting: Pages) -> None:
    answer = counting.browser().get("/delivery/report.csv?name=D1")
    assert answer.headers["content-disposition"] == 'attachment; filename="D1.csv"'
    assert "SO-7" in answer.text


@pytest.mark.parametrize("path", ["/delivery/report", "/delivery/report.csv", "/delivery"])
def test_a_delivery_that_is_not_there_is_said(counting: Pages, path: str) -> None:
    answer = counting.browser().get(f"{path}?name=D9")
    assert answer.status_code == (200 if path == "/delivery" else 400)


def test_no_text_of_a_delivery_is_markup(pages: Pages) -> None:
    evil = '<script>alert("x")</script>'
    line = Line(number=1, sku=evil, description=evil, label=evil, expected=1)
    with desk(pages) as work:
        work.import_goods([goods(line, delivery=evil)], "goods.csv")
        work.open(evil)
    browser = pages.browser()
    browser.post("/delivery/scan", {"code": evil, "name": evil}, on="/delivery")
    for path in ("/delivery", "/deliveries"):
        text = browser.get(path).text
        assert evil not in text
        assert str(escape(evil)) in text


def test_a_file_of_another_program_is_said(pages: Pages, tmp_path: Path) -> None:
    pages.plan.deliveries.write_bytes(b"not SQLite" * 200)
    answer = pages.browser().get("/delivery")
    assert answer.status_code == 503
    assert "cannot read the file of deliveries" in answer.text or "damaged" in answer.text
