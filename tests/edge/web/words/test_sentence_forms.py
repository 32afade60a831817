from __future__ import annotations

import pytest

from edge.receiving import asides
from edge.web.language.languages import read_languages
from edge.web.words.counting import aside_words
from edge.web.words.sentence_forms import SentenceForms

FORMS = SentenceForms("{free} GB in {folder}, full", "{free} GB in {folder}", "a {b} c")
INDONESIAN = read_languages()["id"].gettext


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("5 GB in /a, full", "<{free} GB in {folder}, full>"),
        ("5 GB in /a", "<{free} GB in {folder}>"),
        ("a {x} %s\n c", "<a {b} c>"),
        ("a newer sentence", "a newer sentence"),
        ("", ""),
    ],
)
def test_a_sentence_is_found_by_its_form(said: str, found: str) -> None:
    forms = []

    def noted(form: str) -> str:
        forms.append(form)
        return f"<{form}>"

    translated = FORMS.translated(said, noted)
    assert [f"<{form}>" for form in forms] == ([found] if found != said else [])
    assert translated == (f"<{said}>" if forms else said)


def test_what_stands_in_a_place_is_translated_too() -> None:
    words = {"b": str.upper, "folder": str.lower}
    assert FORMS.translated("a word c", str, words) == "a WORD c"


@pytest.mark.parametrize("form", asides.FORMS)
def test_each_reason_to_put_a_piece_aside_is_translated(form: str) -> None:
    places = dict.fromkeys(
        ("code", "label", "count", "lines", "goods", "serial"), "(01) x, {y}: z"
    ) | {"reject": "low_confidence"}
    said = aside_words(form.format_map(places), INDONESIAN)
    assert said == INDONESIAN(form).format_map(places | {"reject": "tidak yakin"}) != form
