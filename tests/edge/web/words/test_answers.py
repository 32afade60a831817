from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edge.control.messages import ControlAnswer, read_answer
from edge.control.place import find_control
from edge.core.errors import ControlRefusedError, ControlUnreachableError, PilahError
from edge.core.terminal.sentence import Sentence
from edge.lanes.by_hand import seconds_by_hand
from edge.lanes.schedule import Timing
from edge.state.machine import Mode, State
from edge.state.stops import Cause, Stops
from edge.web.language.languages import read_languages
from edge.web.words.answers import StationWords, station_words

INDONESIAN = read_languages()["id"].gettext


def said(error: PilahError) -> StationWords:
    """The words for an error that came through the socket."""
    answer = read_answer(ControlAnswer.refusing(error).line())
    names = {"metal": "logam", "glass": "kaca"}
    return station_words(answer.refusal(), INDONESIAN, lambda lane: names.get(lane, lane))


def sorting() -> Stops:
    stops = Stops(0.0)
    stops.begin(0.0)
    stops.ready(0.0)
    return stops


def in_state(cause: str, stop: State) -> Stops:
    stops = sorting()
    stops.add(Cause(cause, stop, 1.0), 1.0)
    return stops


def by_hand(lane: str) -> None:
    timing = Timing(hold_seconds=0.5, max_on_seconds=2.0)
    seconds_by_hand({"metal": timing, "glass": timing}, lane, 9.0)


@pytest.mark.parametrize(
    ("refused", "words"),
    [
        (
            lambda: in_state("camera_lost", State.HELD).resume(2.0, "ana"),
            f"Stasiun tidak sedang dijeda. Keadaannya: {INDONESIAN('Stopped for now')}.",
        ),
        (
            lambda: in_state("emergency_stop", State.ABORTED).clear(2.0, "ana"),
            "Stasiun tetap dalam henti darurat, karena ini masih berlaku: ",
        ),
        (
            lambda: sorting().change_mode(Mode.MAINTENANCE, 1.0, "ana"),
            "Mode tidak berubah dalam keadaan ini: ",
        ),
        (
            lambda: by_hand("metal"),
            "Jalur logam boleh aktif selama 0.01 sampai 2 detik (max_on_seconds), bukan 9.",
        ),
        (
            lambda: by_hand("gold"),
            "Tidak ada jalur 'gold' yang memiliki aktuator. Yang memilikinya: logam, kaca.",
        ),
    ],
)
def test_a_refusal_is_said_in_the_language_of_the_page(
    refused: Callable[[], object], words: str
) -> None:
    with pytest.raises(ControlRefusedError) as found:
        refused()
    shown = said(found.value)
    assert not shown.foreign
    assert shown.text.startswith(words)
    for english in ("Held", "Execute", "Stopped", "Maintenance", "emergency_stop", "{"):
        assert english not in shown.text


def test_no_answer_is_said_so_too(tmp_path: Path) -> None:
    with pytest.raises(ControlUnreachableError) as found:
        find_control("a-1", tmp_path / "ledger.sqlite", {})
    words = station_words(found.value, INDONESIAN, str)
    assert words.text.startswith("Stasiun a-1 tidak berjalan, atau tidak dapat dihubungi: ")
    assert not words.foreign


@pytest.mark.parametrize(
    "error",
    [ControlRefusedError("no"), ControlRefusedError(Sentence("of a {day} to come", day="day"))],
)
def test_what_these_pages_do_not_know_stays_as_it_was_said(error: PilahError) -> None:
    assert said(error) == (str(error), True)
