"""The languages of the pages: every text in every one, and how each writes numbers and times."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from edge.web.language.languages import (
    FOLDER,
    Language,
    chosen_language,
    local,
    read_languages,
)
from tests.edge.web.language.words import catalogue_of, texts

OTHERS = sorted(file.stem for file in FOLDER.glob("*.po"))
LANGUAGES = read_languages()
_VALUE = re.compile(r"%\(\w+\)s|%s|%%|\{\w+\}")


def test_there_are_english_and_bahasa_indonesia() -> None:
    assert list(LANGUAGES) == ["en", *OTHERS]
    assert {code: language.name for code, language in LANGUAGES.items()} == {
        "en": "English",
        "id": "Bahasa Indonesia",
    }


@pytest.mark.parametrize("code", OTHERS)
def test_a_language_has_each_text_of_the_pages_and_no_other(code: str) -> None:
    """`make language` brings the files up to date; somebody must translate what is new."""
    there = catalogue_of(code)
    wanted = {message.id for message in texts() if message.id}
    translated = {
        message.id
        for message in there
        if message.id and message.string and all(message.string) and not message.fuzzy
    }
    assert translated == wanted


@pytest.mark.parametrize("code", OTHERS)
def test_a_translation_has_the_values_of_its_text(code: str) -> None:
    for message in catalogue_of(code):
        if not message.id:
            continue
        text = message.id if isinstance(message.id, str) else message.id[1]
        said = [message.string] if isinstance(message.string, str) else message.string
        for one in said:
            assert sorted(_VALUE.findall(one)) == sorted(_VALUE.findall(text)), text
            assert not re.search("[<>&]", one), text  # a translation is no markup


@pytest.mark.parametrize(
    ("code", "number", "percent"), [("en", "1,234.5", "94.1%"), ("id", "1.234,5", "94,1%")]
)
def test_numbers_are_written_as_the_language_does(code: str, number: str, percent: str) -> None:
    language = LANGUAGES[code]
    assert language.number(1234.5, 1) == number
    assert language.percent(0.941, 1) == percent
    assert language.percent(None) == "–"


def test_times_are_those_of_this_machine_s_clock() -> None:
    time = "2026-11-21T23:04:36.123456Z"
    moment = local(time)
    assert moment == datetime(2026, 11, 21, 23, 4, 36, 123456, UTC)
    assert moment is not None
    assert moment.utcoffset() == moment.astimezone().utcoffset()
    assert LANGUAGES["en"].clock(time) == moment.strftime("%H:%M:%S")
    assert LANGUAGES["id"].day(date(2026, 11, 21)) == "Sab, 21 Nov 2026"
    assert LANGUAGES["en"].moment(None) == "–"


@pytest.mark.parametrize("text", ["yesterday", "", "9999-99-99"])
def test_a_time_that_somebody_wrote_by_hand_is_shown_as_it_is(text: str) -> None:
    assert local(text) is None
    assert LANGUAGES["en"].clock(text) == text


@pytest.mark.parametrize(
    ("wanted", "accepted", "code"),
    [
        (None, "", "en"),
        ("id", "en", "id"),
        ("xx", "id", "id"),
        (None, "de, id;q=0.5, en;q=0.9", "en"),
        (None, "de,ID-id", "id"),
        (None, "id;q=0, en;q=0.1", "en"),
        (None, "id;q=x, \x00, ;;;, *", "en"),
        (None, "," * 5000 + "id", "en"),
    ],
)
def test_a_language_is_chosen(wanted: str | None, accepted: str, code: str) -> None:
    assert chosen_language(LANGUAGES, wanted, accepted) is LANGUAGES[code]


def test_one_file_adds_a_language(tmp_path: Path) -> None:
    (tmp_path / "de.po").write_text('msgid ""\nmsgstr ""\n\nmsgid "Station"\nmsgstr "Anlage"\n')
    found = read_languages(tmp_path)
    assert list(found) == ["en", "de"]
    assert found["de"].gettext("Station") == "Anlage"
    assert found["de"].gettext("Health") == "Health"
    assert isinstance(found["de"], Language)
