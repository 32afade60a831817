from __future__ import annotations

from typing import Any

import pytest

from edge.web.language.languages import read_languages
from edge.web.words.inputs import input_words
from tests.edge.teaching.test_inputs import FOUND

INDONESIAN = read_languages()["id"].gettext
KINDS = sorted({one.kind for one in FOUND} | {"button"})


def told(kind: str, **changes: Any) -> dict[str, Any]:
    return {"kind": kind, "lane": "", "pin": 5, "active_high": False, "active": False, **changes}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_said_in_each_language(kind: str) -> None:
    english, other = (input_words(told(kind), to, str) for to in (str, INDONESIAN))
    assert kind not in (english.name, other.name)
    assert (english.name, english.now) != (other.name, other.now)
    assert english.now != input_words(told(kind, active=True), str, str).now


@pytest.mark.parametrize(
    ("active", "active_high", "now", "level"),
    [
        (True, False, "reached", "low"),
        (False, False, "not reached", "high"),
        (True, True, "reached", "high"),
        (False, True, "not reached", "low"),
        (None, True, "not read", ""),
    ],
)
def test_the_level_is_that_of_the_pin(
    active: bool | None, active_high: bool, now: str, level: str
) -> None:
    found = input_words(told("home", active=active, active_high=active_high), str, str)
    assert (found.now, found.level, found.active, found.pin) == (now, level, active, 5)


def test_a_lane_is_called_by_its_name() -> None:
    assert input_words(told("exit", lane="warm"), str, str.upper).name == "Exit: WARM"


def test_what_a_newer_station_reads_keeps_its_word() -> None:
    found = input_words(told("door", active=True), str, str)
    assert (found.name, found.now) == ("door", "active")
