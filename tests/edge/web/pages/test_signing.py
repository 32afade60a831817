from __future__ import annotations

import html
import re

import pytest

from edge.web.people.guesses import MOST_OF_ONE, WINDOW_SECONDS
from edge.web.people.sessions import SHIFT_SECONDS, WALL_SECONDS
from tests.edge.web.browsing import PASSWORD, Pages

RIGHT = {"name": "Ana", "password": PASSWORD}


@pytest.fixture(autouse=True)
def _ana(pages: Pages) -> None:
    pages.account("Ana")


def test_who_signs_in_comes_to_the_page_that_was_asked_for(pages: Pages) -> None:
    browser = pages.browser()
    asked = browser.get("/health").headers["location"]
    assert 'name="next" value="/health"' in browser.get(asked).text
    answer = browser.post("/sign-in", RIGHT | {"next": "/health"}, on="/sign-in")
    assert answer.headers["location"] == "/health"
    assert browser.get("/health").status_code == 200
    assert browser.get("/sign-in").headers["location"] == "/"


@pytest.mark.parametrize(
    "place",
    [
        "https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "evil",
        "javascript:alert(1)", "/\tx", "http:///x", "//[", "/ä", "/" + "x" * 600, "",
    ],
)  # fmt: skip
def test_no_address_leads_to_another_site(pages: Pages, place: str) -> None:
    answer = pages.browser().post("/sign-in", RIGHT | {"next": place}, on="/sign-in")
    assert answer.headers["location"] == "/"


def test_a_wrong_password_is_said_without_saying_what_is_wrong(pages: Pages) -> None:
    found = [
        pages.browser().post("/sign-in", form, on="/sign-in")
        for form in ({"name": "Ana", "password": "wrong"}, {"name": "Budi", "password": PASSWORD})
    ]
    assert [answer.status_code for answer in found] == [403, 403]
    for answer in found:
        assert "The name or the password is wrong." in answer.text
        assert "pilah_session" not in answer.headers.get("set-cookie", "")


def test_many_wrong_passwords_make_wait_even_for_the_right_one(pages: Pages) -> None:
    browser = pages.browser()
    for _ in range(MOST_OF_ONE):
        browser.post("/sign-in", RIGHT | {"password": "wrong"}, on="/sign-in")
    answer = browser.post("/sign-in", RIGHT, on="/sign-in")
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= WINDOW_SECONDS
    assert "Too many wrong passwords. Try again in 5 minutes." in answer.text
    pages.now += WINDOW_SECONDS
    assert browser.post("/sign-in", RIGHT, on="/sign-in").status_code == 303


@pytest.mark.parametrize(("wall", "seconds"), [("", SHIFT_SECONDS), ("1", WALL_SECONDS)])
def test_a_person_is_signed_in_for_a_shift_and_a_wall_screen_for_longer(
    pages: Pages, wall: str, seconds: int
) -> None:
    browser = pages.browser()
    answer = browser.post("/sign-in", RIGHT | {"wall": wall}, on="/sign-in")
    assert f"Max-Age={seconds}" in answer.headers["set-cookie"]
    pages.now += seconds - 100
    assert browser.get("/").status_code == 200
    pages.now += 100
    assert browser.get("/").status_code == 303


def test_who_signs_out_is_out_with_every_copy_of_the_cookie(pages: Pages) -> None:
    browser = pages.browser("Ana")
    copied = browser.client.cookies["pilah_session"]
    assert browser.post("/sign-out").headers["location"] == "/sign-in"
    browser.client.cookies.set("pilah_session", copied)
    assert browser.get("/").status_code == 303


def test_a_language_is_chosen_and_stays(pages: Pages) -> None:
    browser = pages.browser("Ana")
    assert '<html lang="en">' in browser.get("/").text
    answer = browser.post("/language", {"language": "id", "next": "/health"})
    assert answer.headers["location"] == "/health"
    assert '<html lang="id">' in browser.get("/").text
    browser.post("/language", {"language": "xx"})
    assert '<html lang="id">' in browser.get("/").text


def test_the_browser_s_language_is_taken_where_none_was_chosen(pages: Pages) -> None:
    assert "Kata sandi" in pages.browser(language="id-ID,id;q=0.9,en;q=0.8").get("/sign-in").text
    assert "Password" in pages.browser(language="de,en;q=0.5").get("/sign-in").text


def test_an_address_is_kept_whole_over_the_sign_in_and_the_choice_of_a_language(
    pages: Pages,
) -> None:
    wanted = "/history?from=2026-11-20&verdict=rejected"
    browser = pages.browser()
    text = browser.get(browser.get(wanted).headers["location"]).text
    back = html.unescape(re.search('name="next" value="(/history.*?)"', text)[1])  # type: ignore[index]
    assert back == wanted
    assert browser.post("/sign-in", RIGHT | {"next": back}, on="/sign-in").headers[
        "location"] == wanted  # fmt: skip
    text = browser.get(f"{wanted}&said=x").text
    back = html.unescape(re.search('name="next" value="(.*?)"', text)[1])  # type: ignore[index]
    assert back == wanted  # what was said before is not said again


def test_signing_out_of_encrypted_pages_clears_what_the_browser_kept(pages: Pages) -> None:
    for scheme, said in (("http", None), ("https", '"cache"')):
        browser = pages.browser()
        browser.client.base_url = f"{scheme}://localhost"
        browser.post("/sign-in", RIGHT, on="/sign-in")
        assert browser.post("/sign-out").headers.get("clear-site-data") == said
