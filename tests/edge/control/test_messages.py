"""The lines that go through the socket of a station."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.control.messages import (
    LONGEST_REQUEST,
    ControlAnswer,
    ControlCommand,
    ControlRequest,
    read_answer,
    read_request,
)
from edge.core.errors import ControlError, ControlRefusedError
from edge.core.terminal.sentence import Sentence


@given(st.sampled_from(ControlCommand), st.text("ab é猫\n\x07", min_size=1))
def test_a_request_is_read_as_it_was_written(command: ControlCommand, who: str) -> None:
    mode, lane = ("Manual" if command == "mode" else ""), ("a" if command == "move-lane" else "")
    label = "tin foil" if command == "take" else ""
    request = ControlRequest(command, who, mode=mode, lane=lane, label=label)
    if who.strip() == who and who.isprintable():
        assert read_request(request.line()) == request
    else:
        assert who.strip() != who or not who.isprintable()


def test_a_request_on_the_wire_is_one_line_of_json() -> None:
    line = ControlRequest(ControlCommand.PAUSE, "Siti").line()
    assert line == b'{"pilah":1,"command":"pause","who":"Siti"}\n'


@pytest.mark.parametrize(
    ("request_", "more"),
    [
        (ControlRequest(ControlCommand.MODE, "a", mode="Maintenance"), b'"mode":"Maintenance"'),
        (ControlRequest(ControlCommand.MOVE_LANE, "a", lane="warm"), b'"lane":"warm"'),
        (ControlRequest(ControlCommand.MOVE_LANE, "a", lane="warm", seconds=0.4),
         b'"lane":"warm","seconds":0.4'),
    ],
)  # fmt: skip
def test_a_mode_and_a_lane_go_with_their_command(request_: ControlRequest, more: bytes) -> None:
    assert request_.line().endswith(b'"who":"a",' + more + b"}\n")
    assert read_request(request_.line()) == request_


@pytest.mark.parametrize(
    "answer",
    [
        ControlAnswer(True, state={"state": "Held", "first_incident": None}),
        ControlAnswer(False, error="the station is paused already"),
        ControlAnswer(True, shown={"jpeg": "/9j/", "boxes": [[1, 2, 3, 4]]}),
    ],
)
def test_an_answer_is_read_as_it_was_written(answer: ControlAnswer) -> None:
    assert read_answer(answer.line()) == answer


def test_a_refusal_arrives_with_its_sentence_and_its_values_apart() -> None:
    said = Sentence("the station is not paused: it is {state}", state="Held")
    answer = read_answer(ControlAnswer.refusing(ControlRefusedError(said)).line())
    assert answer.error == str(answer.refusal()) == "the station is not paused: it is Held"
    assert answer.sentence is not None
    assert (answer.sentence.text, answer.sentence.values) == (said.text, said.values)
    assert str(read_answer(b'{"ok":false,"error":"no","sentence":5}\n').refusal()) == "no"


def test_who_may_be_far_away_says_so() -> None:
    request = ControlRequest(ControlCommand.RESUME, "a", remote=True)
    assert read_request(request.line()) == request
    assert b"remote" not in ControlRequest(ControlCommand.RESUME, "a").line()


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "must be one line of at most 4096 bytes"),
        (b'{"pilah":1', "must be one line"),
        (b'{"pilah":1,"command":"pause","who":"a"}\n\n{}', "must be one line"),
        (b"x" * LONGEST_REQUEST + b"\n", "must be one line of at most 4096 bytes"),
        (b"pause\n", "is not JSON"),
        (b"\xff\xfe\n", "is not JSON"),
        (b"[" * 4000 + b"\n", "is not JSON"),
        (b"[]\n", "must be a JSON object"),
        (b'{"command":"pause","who":"a"}\n', "edition None, and this station reads edition 1"),
        (b'{"pilah":2,"command":"pause","who":"a"}\n', "edition 2"),
        (b'{"pilah":true,"command":"pause","who":"a"}\n', "edition True"),
        (b'{"pilah":1,"who":"a"}\n', "no command None: a station knows pause, resume, reset"),
        (b'{"pilah":1,"command":["pause"],"who":"a"}\n', "there is no command"),
        (b'{"pilah":1,"command":"mode","who":"a"}\n', "`mode` must be a name. Received: 'None'"),
        (b'{"pilah":1,"command":"move-lane","who":"a","lane":""}\n', "`lane` must be a name"),
        (b'{"pilah":1,"command":"move-lane","who":"a","lane":["a"]}\n', "`lane` must be a name"),
        *((json.dumps({"pilah": 1, "command": "move-lane", "who": "a", "lane": "b", "seconds": s})
           .encode() + b"\n", "`seconds` must be a number above 0")
          for s in (0, -1, "1", True, float("nan"), float("inf"), [1], 10**400)),
        (b'{"pilah":1,"command":"start","who":"a"}\n', "there is no command 'start'"),
        (b'{"pilah":1,"command":"reset","who":"a","remote":1}\n', "`remote` must be true or false"),
        (b'{"pilah":1,"command":"pause"}\n', "`who` must be the name"),
        (b'{"pilah":1,"command":"pause","who":" "}\n', "`who` must be the name"),
        (b'{"pilah":1,"command":"pause","who":"a\\u0007"}\n', "`who` must be the name"),
        (json.dumps({"pilah": 1, "command": "pause", "who": "a" * 201}).encode() + b"\n",
         "`who` has 201 characters"),
    ],
)  # fmt: skip
def test_what_is_no_request_is_refused_with_a_sentence(raw: bytes, said: str) -> None:
    with pytest.raises(ControlError) as told:
        read_request(raw)
    assert said in str(told.value)


@pytest.mark.parametrize("raw", [b"{}\n", b'{"ok":1,"state":{}}\n', b'{"ok":true}\n', b"null\n"])
def test_what_is_no_answer_is_refused(raw: bytes) -> None:
    with pytest.raises(ControlError):
        read_answer(raw)


@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_be_refused(raw: bytes) -> None:
    with pytest.raises(ControlError):
        read_request(raw + b"\n")
