from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.events import ItemSorted, utc_text
from edge.ledger.export.reading import read_items
from edge.ledger.reports.reading import audited_items
from edge.ledger.upkeep.auditing import newest_audits
from edge.ledger.upkeep.reviewing import ReviewDecision, decided_items, review
from edge.samples.chance import chance_of
from edge.samples.photograph_store import photograph_file
from edge.web import review_queue
from edge.web.review_queue import CONTROL_EVERY, CONTROL_SHARE, ReviewQueue
from tests.edge.ledger.entries import entry
from tests.edge.web.browsing import NOON, Browser, Pages


def add(pages: Pages, *numbers: int, **changes: Any) -> list[ItemSorted]:
    """Items with photographs, a second apart."""
    found = [
        replace(
            entry(number, time=utc_text(NOON - 600 + number), **changes),
            photograph=photograph_file(entry(number).id),
        )
        for number in numbers
    ]
    pages.write(found)
    for one in found:
        file = pages.plan.photographs / str(one.photograph)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"\xff\xd8\xff")
    return found


def rejected(pages: Pages, *numbers: int, label: str = "can") -> list[ItemSorted]:
    return add(
        pages,
        *numbers,
        label=label,
        accepted=False,
        reject="low_confidence",
        lane="rest",
        confidence=0.4,
    )


@pytest.fixture
def pages(tmp_path: Path) -> Pages:
    return Pages(tmp_path, kept="all", share=0.0, kept_days=30.0)


def shown(browser: Browser) -> str | None:
    """The id of the item that the page shows."""
    found = re.search('class="large" src="/photographs/(.*?)"', browser.get("/review").text)
    return None if found is None else found[1]


def press(browser: Browser, key: str) -> None:
    """Presses the button of a key, as the script does."""
    text = browser.get("/review").text
    forms = re.findall('<form method="post" action="(.*?)".*?>(.*?)</form>', text, re.DOTALL)
    for action, inside in forms:
        button = re.search(f'<button([^>]*) data-key="{key}"', inside)
        if button is None:
            button = re.search(f'<button() data-key="{key}"', inside)
        if button is not None:
            form = dict(re.findall('type="hidden" name="(.*?)" value="(.*?)"', inside))
            form |= dict(re.findall('name="(.*?)" value="(.*?)"', button[1]))
            assert browser.client.post(action, data=form).status_code == 303
            return
    raise AssertionError(f"no button has the key {key}")


def labels(pages: Pages) -> dict[int, str]:
    """The labels that count now, by item."""
    return {
        item.row["item"]: str(item.corrected.get("label", item.row["label"]))
        for item in read_items(pages.plan.ledger)
    }


def test_one_key_decides_each_item(pages: Pages) -> None:
    first, second = rejected(pages, 1, 2)
    browser = pages.browser()
    there = {first.id: first.item, second.id: second.item}
    one = shown(browser)
    assert one in there
    press(browser, "2")  # the second label: bottle
    other = shown(browser)
    assert {one, other} == set(there)
    press(browser, "1")
    assert shown(browser) is None
    assert "Nothing is to be looked at." in browser.get("/review").text
    assert labels(pages) == {there[str(one)]: "bottle", there[str(other)]: "can"}
    assert decided_items(pages.plan.ledger, 0) == set(there)


def test_what_was_decided_last_is_taken_back_and_shown_again(pages: Pages) -> None:
    rejected(pages, 1)
    browser = pages.browser()
    press(browser, "2")
    assert labels(pages) == {1: "bottle"}
    press(browser, "u")
    assert labels(pages) == {1: "can"}
    assert shown(browser) == entry(1).id
    press(browser, "1")
    assert shown(browser) is None
    press(browser, "u")
    answer = browser.post("/review/undo", on="/review")
    assert "Nothing is to be undone." in browser.get(answer.headers["location"]).text


def test_an_item_is_skipped_for_one_person_alone(pages: Pages) -> None:
    rejected(pages, 1)
    pages.account("Ana")
    pages.account("Budi")
    ana = pages.browser("Ana")
    press(ana, "s")
    assert shown(ana) is None
    assert shown(pages.browser("Budi")) == entry(1).id
    assert decided_items(pages.plan.ledger, 0) == set()


def test_a_picture_with_nothing_in_it_is_no_item_and_counts_for_no_purity(pages: Pages) -> None:
    add(pages, 1)
    browser = pages.browser()
    press(browser, "n")
    assert shown(browser) is None
    assert labels(pages) == {1: "can"}
    assert audited_items(pages.plan.ledger, "", "~") == []


def test_a_sweep_decides_on_many_at_once_but_those_without_a_mark(pages: Pages) -> None:
    rejected(pages, *range(1, 6), label="bottle")
    browser = pages.browser()
    assert "/review?sweep=bottle" in browser.get("/review").text
    chosen = re.findall('name="(item-.*?)"', browser.get("/review?sweep=bottle").text)
    assert len(chosen) == 5
    form = dict.fromkeys(chosen[1:], "1") | {"label": "bottle"}
    assert browser.post("/review/sweep", form, on="/review").status_code == 303
    assert len(decided_items(pages.plan.ledger, 0)) == 4
    press(browser, "u")
    assert decided_items(pages.plan.ledger, 0) == set()
    answer = browser.post("/review/sweep", {"label": "bottle"}, on="/review")
    assert "Nothing was chosen." in browser.get(answer.headers["location"]).text


@pytest.mark.parametrize(
    "form",
    [
        {"item": "x", "label": "can"},
        {"item": entry(9).id, "label": "can"},
        {"item": entry(1).id, "label": "gold"},
        {"item": entry(1).id, "label": ""},
        {},
    ],
)
def test_what_is_no_decision_is_none(pages: Pages, form: dict[str, str]) -> None:
    rejected(pages, 1)
    browser = pages.browser()
    answer = browser.post("/review/decide", form, on="/review")
    assert answer.status_code == 303
    assert "alarm" in browser.get(answer.headers["location"]).text.partition('id="notice"')[2]
    assert decided_items(pages.plan.ledger, 0) == set()


def test_an_item_whose_photograph_is_gone_is_not_shown(pages: Pages) -> None:
    (found,) = rejected(pages, 1)
    (pages.plan.photographs / str(found.photograph)).unlink()
    assert shown(pages.browser()) is None


def test_a_drawn_share_is_among_them_in_an_order_that_no_score_has_a_part_in(
    tmp_path: Path,
) -> None:
    pages = Pages(tmp_path, kept="rejected", share=0.5, kept_days=30.0)
    for number in range(1, 41):
        add(pages, number, confidence=(number * 7 % 40) / 40)
    rejected(pages, *range(41, 81))
    found = ReviewQueue(pages.plan).waiting("Ana", NOON).items
    drawn = [one.id for one in found if one.drawn]
    assert set(drawn) == {entry(n).id for n in range(1, 41) if chance_of(entry(n).id) < 0.5}
    assert drawn == sorted(drawn, key=chance_of)
    assert [one.drawn for one in found[:20]] == [n % CONTROL_EVERY == 0 for n in range(20)]
    assert len(found) == 80


def test_only_drawn_items_tell_how_pure_the_lanes_are(tmp_path: Path) -> None:
    pages = Pages(tmp_path, kept="rejected", share=1.0, kept_days=30.0)
    add(pages, 1, 2)
    rejected(pages, 3)
    browser = pages.browser()
    for _ in range(3):
        press(browser, "1" if shown(browser) != entry(2).id else "2")
    found = [right for _, right in audited_items(pages.plan.ledger, "", "~")]
    assert sorted(found) == [False, True]


def test_the_pages_know_themselves_which_items_were_drawn(tmp_path: Path) -> None:
    """Whoever could say so in a form would choose what purity is estimated from."""
    pages = Pages(tmp_path, kept="all", share=0.0, kept_days=30.0)
    numbers = range(1, 201)
    by_chance = {n for n in numbers if chance_of(entry(n).id) < CONTROL_SHARE}
    drawn, other = min(by_chance), min(set(numbers) - by_chance)
    add(pages, drawn, other)
    pages.write([entry(max(by_chance - {drawn}))])  # of which no photograph was kept
    browser = pages.browser()
    browser.post("/review/decide", {"item": entry(drawn).id, "label": "can"}, on="/review")
    for number in (other, max(by_chance - {drawn})):
        form = {"item": entry(number).id, "label": "can", "drawn": "1"}
        browser.post("/review/decide", form, on="/review")
    found = newest_audits(pages.plan.ledger).values()
    assert {(one.item_id, one.drawn) for one in found} == {
        (entry(drawn).id, True),
        (entry(other).id, False),
        (entry(max(by_chance - {drawn})).id, False),
    }


def test_a_station_without_photographs_says_how_to_keep_some(tmp_path: Path) -> None:
    text = Pages(tmp_path).browser().get("/review").text
    assert "The station keeps no photographs." in text


def sent_twice(browser: Browser, *forms: tuple[str, dict[str, str]]) -> list[str]:
    """What the pages say to forms that are sent from one page, before the next one is there."""
    text = browser.get("/review").text
    hidden = dict(re.findall('type="hidden" name="(.*?)" value="(.*?)"', text))
    answers = [browser.client.post(path, data=hidden | form) for path, form in forms]
    return [browser.get(answer.headers["location"]).text for answer in answers]


def test_of_two_keys_on_one_page_one_counts(pages: Pages) -> None:
    rejected(pages, 1, 2)
    browser = pages.browser()
    said = sent_twice(
        browser, ("/review/decide", {"label": "can"}), ("/review/decide", {"label": "bottle"})
    )
    assert "of two presses one counts" not in said[0]
    assert "of two presses one counts" in said[1]
    assert len(decided_items(pages.plan.ledger, 0)) == 1
    assert len(newest_audits(pages.plan.ledger)) == 1
    assert set(labels(pages).values()) == {"can"}


def test_undo_that_is_pressed_twice_takes_one_decision_back(pages: Pages) -> None:
    rejected(pages, 1, 2)
    browser = pages.browser()
    press(browser, "1")
    press(browser, "1")
    sent_twice(browser, ("/review/undo", {}), ("/review/undo", {}))
    assert len(decided_items(pages.plan.ledger, 0)) == 1


def test_what_somebody_else_has_decided_meanwhile_stays_as_it_is(pages: Pages) -> None:
    rejected(pages, 1, 2, 3)
    pages.account("Ana")
    pages.account("Budi")
    ana, budi = pages.browser("Ana"), pages.browser("Budi")
    press(ana, "2")
    (done,) = decided_items(pages.plan.ledger, 0)
    form = {"item": done, "label": "can"}
    answer = budi.post("/review/decide", form, on="/review")
    assert "Somebody has decided on this already" in budi.get(answer.headers["location"]).text
    form = {f"item-{entry(n).id}": "1" for n in (1, 2, 3)} | {"label": "can"}
    budi.post("/review/sweep", form, on="/review")
    found = newest_audits(pages.plan.ledger)
    assert len(found) == 3
    assert (found[done].who, found[done].label) == ("Ana", "bottle")


def test_a_form_cannot_say_that_an_item_was_drawn(pages: Pages) -> None:
    add(pages, 1)
    drawn = chance_of(entry(1).id) < CONTROL_SHARE
    form = {"item": entry(1).id, "label": "can", "drawn": "1"}
    pages.browser().post("/review/decide", form, on="/review")
    assert newest_audits(pages.plan.ledger)[entry(1).id].drawn == drawn


def test_a_drawn_item_that_was_skipped_comes_again_after_all_others(tmp_path: Path) -> None:
    pages = Pages(tmp_path, kept="rejected", share=1.0, kept_days=30.0)
    add(pages, 1, 2)
    rejected(pages, 3)
    browser = pages.browser()
    drawn = sorted((entry(n).id for n in (1, 2)), key=chance_of)
    seen = []
    for _ in range(5):
        seen.append(shown(browser))
        press(browser, "s")
    assert seen == [drawn[0], entry(3).id, drawn[1], drawn[0], drawn[1]]
    assert "you have skipped 2" in browser.get("/review").text
    press(browser, "1")
    assert shown(browser) == drawn[1]


def test_what_a_drawn_item_was_taken_for_is_not_told_before_the_answer(tmp_path: Path) -> None:
    pages = Pages(tmp_path, kept="rejected", share=1.0, kept_days=30.0)
    add(pages, 1, label="can", confidence=0.87)
    browser = pages.browser()
    text = browser.get("/review").text
    assert "drawn by chance" in text
    assert "87%" not in text
    assert 'class="main"' not in text
    assert text.count(">can<") == text.count(">bottle<") == 1  # its button
    press(browser, "1")
    rejected(pages, 2)
    text = browser.get("/review").text
    assert "40%" in text
    assert 'value="can" data-key="1" class="main"' in text


def test_older_items_are_shown_too_however_many_are_newer(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And neither those that were decided on nor those whose photograph is gone take a place."""
    monkeypatch.setattr(review_queue, "MOST", 5)
    doubtful = rejected(pages, *range(1, 21))
    add(pages, *range(30, 60), confidence=0.9)
    queue = ReviewQueue(pages.plan)
    for one in doubtful[:10]:
        (pages.plan.photographs / str(one.photograph)).unlink()
    found = queue.waiting("Ana", NOON).items
    assert len(found) == 5
    assert {one.id for one in found if not one.drawn} <= {one.id for one in doubtful[10:]}
    decisions = [ReviewDecision(one.id, "can") for one in doubtful[10:18]]
    review(pages.plan.ledger, decisions, pages.plan.lanes, who="Ana", wall=lambda: NOON)
    found = [one for one in queue.waiting("Ana", NOON).items if not one.drawn]
    assert [one.id for one in found[:2]] == [doubtful[19].id, doubtful[18].id]


def test_of_many_drawn_items_those_of_the_least_chance_are_held_and_all_are_shown_in_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(review_queue, "_MOST_DRAWN", 4)
    pages = Pages(tmp_path, kept="rejected", share=1.0, kept_days=30.0)
    add(pages, *range(1, 10))
    queue = ReviewQueue(pages.plan)
    order = sorted((entry(n).id for n in range(1, 10)), key=chance_of)
    seen = []
    while waiting := queue.waiting("Ana", NOON).items:
        assert len(waiting) <= 4
        seen.append(waiting[0].id)
        made = [ReviewDecision(waiting[0].id, "can", drawn=True)]
        review(pages.plan.ledger, made, pages.plan.lanes, who="Ana", wall=lambda: NOON)
        queue.note("Ana", made)
    assert seen == order
    (last,) = queue.take_back("Ana")
    for one in (last._replace(item_id=order[0], label=None), last._replace(label=None)):
        review(pages.plan.ledger, [one], pages.plan.lanes, who="Ana", wall=lambda: NOON + 9)
    assert [one.id for one in queue.waiting("Ana", NOON).items] == [order[0], order[-1]]


def test_items_that_come_later_and_another_ledger_in_its_place_are_seen(tmp_path: Path) -> None:
    pages = Pages(tmp_path, kept="rejected", share=1.0, kept_days=30.0)
    add(pages, 1, 2, 3)
    queue = ReviewQueue(pages.plan)
    assert len(queue.waiting("Ana", NOON).items) == 3
    add(pages, 4)
    assert len(queue.waiting("Ana", NOON).items) == 4
    for file in tmp_path.glob("ledger.sqlite*"):
        file.unlink()
    add(pages, 2)
    assert [one.id for one in queue.waiting("Ana", NOON).items] == [entry(2).id]
