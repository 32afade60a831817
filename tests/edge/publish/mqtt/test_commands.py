"""Commands of a real broker reach a station, and its answer comes back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.control.messages import ControlAnswer, ControlCommand, ControlRequest
from edge.control.place import control_path
from edge.control.server import ControlServer
from edge.publish.mqtt.commands import BUTTONS, StationCommands
from tests.edge.publish.broker import Broker, Listener
from tests.edge.publish.mqtt.test_receiver import receiver_at, settings
from tests.logged import listen


class Station:
    """In place of a station: keeps what it is asked, and refuses `clear`."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def answer(self, request: ControlRequest) -> ControlAnswer:
        assert request.remote
        self.asked.append((request.command.value, request.who))
        if request.command is ControlCommand.CLEAR:
            return ControlAnswer(False, error="the station is not aborted")
        return ControlAnswer(True, state={"state": "Held"})


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def station(ledger: Path) -> Iterator[Station]:
    station = Station()
    with ControlServer(control_path("cell-1", ledger), station.answer):
        yield station


def commands_of(ledger: Path) -> StationCommands:
    return StationCommands("cell-1", ledger, "pilah")


def told(commands: StationCommands) -> list[dict[str, object]]:
    """What is published of the commands that wait."""
    found = list(commands.pass_on())
    assert {message.topic for message in found} <= {"pilah/cell-1/answer"}
    assert not any(message.retain for message in found)
    return [json.loads(message.payload) for message in found]


def test_a_command_is_handed_to_the_station_and_its_answer_is_published(
    ledger: Path, station: Station
) -> None:
    commands = commands_of(ledger)
    commands.take("pilah/cell-1/command/pause", b'{"who": "ana"}', retained=False)
    commands.take("pilah/cell-1/command/clear", b"PRESS", retained=False)
    assert commands.waiting
    assert told(commands) == [
        {"command": "pause", "who": "ana by MQTT", "ok": True, "state": {"state": "Held"}},
        {
            "command": "clear",
            "who": "MQTT",
            "ok": False,
            "error": "the station is not aborted",
        },
    ]
    assert not commands.waiting
    assert station.asked == [("pause", "ana by MQTT"), ("clear", "MQTT")]


@pytest.mark.parametrize("payload", [b"", b"PRESS", b"\xff", b"5", b"{}", b"[" * 100_000])
def test_a_command_says_who_gives_it_or_nothing(
    ledger: Path, station: Station, payload: bytes
) -> None:
    commands = commands_of(ledger)
    commands.take("pilah/cell-1/command/reset", payload, retained=False)
    assert [one["ok"] for one in told(commands)] == [True]
    assert station.asked == [("reset", "MQTT")]


@pytest.mark.parametrize("who", ["", " ", "a\nb", "x" * 101, 5, ["ana"]], ids=repr)
def test_a_name_that_is_none_is_refused(ledger: Path, station: Station, who: object) -> None:
    commands = commands_of(ledger)
    payload = json.dumps({"who": who}).encode()
    commands.take("pilah/cell-1/command/reset", payload, retained=False)
    (answer,) = told(commands)
    assert (answer["ok"], answer["who"]) == (False, None)
    assert "`who` must be a name" in str(answer["error"])
    assert station.asked == []


def test_what_is_no_command_or_was_kept_by_the_broker_is_ignored(ledger: Path) -> None:
    said: list[str] = []
    listen(said.append)
    commands = commands_of(ledger)
    commands.take("pilah/cell-1/command/state", b"", retained=False)
    commands.take("pilah/cell-2/command/pause", b"", retained=False)
    assert said == []
    commands.take("pilah/cell-1/command/pause", b"", retained=True)
    assert not commands.waiting
    assert "the command pause in pilah/cell-1/command/pause is retained, and ignored" in said[0]


def test_no_more_commands_wait_than_the_station_can_answer_soon(
    ledger: Path, station: Station
) -> None:
    commands = commands_of(ledger)
    for _ in range(20):
        commands.take("pilah/cell-1/command/pause", b"", retained=False)
    assert len(told(commands)) == len(station.asked) == 16


def test_a_station_that_does_not_run_is_the_answer(ledger: Path) -> None:
    commands = commands_of(ledger)
    commands.take("pilah/cell-1/command/pause", b"", retained=False)
    (answer,) = told(commands)
    assert answer["ok"] is False
    assert "the station cell-1 does not run" in str(answer["error"])


def buttons_of(listener: Listener, number: int) -> dict[str, str]:
    """The topics of the buttons in the announcement with this number."""
    listener.wait(lambda: len(listener.of("pilah_cell-1/config")) == number)
    components = json.loads(listener.of("pilah_cell-1/config")[-1].payload)["components"]
    return {
        name: one["command_topic"]
        for name, one in components.items()
        if one["platform"] == "button" and one.get("payload_press") == "PRESS"
    }


def test_commands_come_from_a_broker_where_the_station_file_says_so(
    tmp_path: Path, ledger: Path, station: Station
) -> None:
    with Broker(tmp_path / "broker") as broker, Listener(broker) as listener:
        listener.say("pilah/cell-1/command/clear", "kept", retain=True)
        with receiver_at(tmp_path, settings(broker, home_assistant="homeassistant")):
            assert buttons_of(listener, 1) == {}
            listener.say("pilah/cell-1/command/resume", "PRESS")
        found = settings(broker, home_assistant="homeassistant", commands=True)
        with receiver_at(tmp_path, found):
            topics = buttons_of(listener, 2)
            assert topics == {each: f"pilah/cell-1/command/{each}" for each in BUTTONS}
            listener.say(topics["pause"], "PRESS")  # it is heard before it is announced
            listener.wait(lambda: bool(listener.of("cell-1/answer")))
            (answer,) = listener.of("cell-1/answer")
            assert json.loads(answer.payload)["ok"] is True
            assert not answer.retained
        with receiver_at(tmp_path, settings(broker, home_assistant="homeassistant")):
            assert buttons_of(listener, 3) == {}
    assert station.asked == [("pause", "MQTT")]
