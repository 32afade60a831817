from __future__ import annotations

from typing import Any

import pytest

from edge.core.errors import ControlRefusedError, ControlUnreachableError
from edge.core.terminal.sentence import Sentence

SAID = Sentence("there is nothing to {what} in {state}", what="stop", state="Held")


def test_it_is_said_with_its_values() -> None:
    assert str(SAID) == "there is nothing to stop in Held"


def test_it_is_said_in_another_language_with_the_values_in_that_language() -> None:
    said = SAID.said(lambda text: "{state}: tidak ada {what}", lambda name, value: value.upper())
    assert said == "HELD: tidak ada STOP"


def test_a_value_is_never_taken_for_a_place() -> None:
    assert str(Sentence("{a}{b}{c}", a="{b}", b="{a.__class__}")) == "{b}{a.__class__}{c}"


def test_a_sentence_in_it_is_translated_too() -> None:
    whole = Sentence("{disk}, {wrong}", disk="a", wrong=Sentence("on {where}", where="b"))
    assert str(whole) == "a, on b"
    texts = {"{disk}, {wrong}": "{wrong}; {disk}", "on {where}": "di {where}"}
    assert whole.said(texts.__getitem__, lambda name, value: value * 2) == "di bb; aa"
    sent = Sentence.from_json(whole.as_json())
    assert sent is not None
    assert str(sent) == "a, on b"


@pytest.mark.parametrize("kind", [ControlRefusedError, ControlUnreachableError])
def test_an_error_has_the_sentence_that_it_was_raised_with(kind: type[Exception]) -> None:
    assert Sentence.of(kind(SAID)) is SAID
    assert str(kind(SAID)) == str(SAID)
    assert Sentence.of(kind("plain")) is None
    assert Sentence.of(kind()) is None


def test_another_process_gets_it_whole() -> None:
    found = Sentence.from_json(SAID.as_json())
    assert found is not None
    assert (found.text, found.values) == (SAID.text, SAID.values)


@pytest.mark.parametrize(
    "found",
    [
        None, "text", [], {}, {"text": "a"}, {"text": 1, "values": {}},
        {"text": "a", "values": {"b": 1}}, {"text": "a", "values": ["b"]},
        {"text": "a" * 1001, "values": {}}, {"text": "a", "values": {"b": "c" * 1001}},
    ],
)  # fmt: skip
def test_what_is_no_sentence_is_none(found: Any) -> None:
    assert Sentence.from_json(found) is None
