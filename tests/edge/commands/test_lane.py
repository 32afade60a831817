from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from edge.cli import main
from edge.core.closing import Closing
from edge.core.errors import EXIT_CONFIG, EXIT_OK, EXIT_UNAVAILABLE
from edge.lanes.keep_alive import KeepAlive
from edge.neighbours.claims import Neighbour

STATION = """\
station: bin-1
lanes:
  warm:
    labels: [red]
    actuator: {kind: servo, pin: 18, rest_angle: 0, active_angle: 60, hold_seconds: 0.01}
  cold:
    labels: [blue]
    actuator: {kind: solenoid, pin: 23, hold_seconds: 50, max_on_seconds: 60}
  rest: {labels: [green]}
"""
"""The beginning of a station: no bundle, no camera."""

SCRIPT = """
import json, os, sys
from gpiozero.pins import mock
seen = {}
change = mock.MockPin._change_state
def watched(pin, state):
    if change(pin, state):
        seen.setdefault(repr(pin), []).append(float(state))
        coil = repr(pin) in ("GPIO21", "GPIO23") and state
        if coil or repr(pin) == "GPIO18" and abs(state - 0.0917) < 1e-4:
            "ON" in os.environ and os.write(int(os.environ["ON"]), b"on\\n")
mock.MockPin._change_state = watched
from edge.cli import main
try:
    code = main(["lane", "test", *sys.argv[1:]])
finally:
    print(json.dumps(seen), flush=True)
sys.exit(code)
"""
"""Runs the command, and tells when a lane is active, or the keep-alive pin is high (in a pipe of
its own, the descriptor `ON`, for the command writes to its outputs meanwhile) and what became of
every pin. The servo's pulse at 60 degrees is 1.83 of 20 ms."""


class Active(Closing):
    """The pipe in which SCRIPT tells that a lane is active."""

    def __init__(self) -> None:
        self._ours, self.theirs = os.pipe()
        self.environment = os.environ | {"ON": str(self.theirs)}

    def wait(self) -> None:
        """Waits until a lane is active; fails when the command has ended before."""
        os.close(self.theirs)
        assert os.read(self._ours, 3) == b"on\n"

    def lane_test(self, station: Path, lane: str) -> subprocess.Popen[str]:
        """`lane test` in a process of its own, which tells here."""
        return subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(station), lane],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            pass_fds=[self.theirs],
            env=self.environment,
        )

    def close(self) -> None:
        os.close(self._ours)


@pytest.fixture
def station(tmp_path: Path) -> Path:
    file = tmp_path / "station.yaml"
    file.write_text(STATION, encoding="utf-8")
    return file


def test_a_lane_is_moved_before_there_is_a_bundle_and_the_others_are_left_alone(
    station: Path,
) -> None:
    # With a hold time of a minute no actuation is overdue, however late the lane's thread is.
    station.write_text(STATION.replace("hold_seconds: 0.01", "hold_seconds: 60"), encoding="utf-8")
    with Active() as active, active.lane_test(station, "warm") as process:
        assert process.stdin is not None
        process.stdin.write("]]rs ")
        process.stdin.flush()
        active.wait()
        written, said = process.communicate("q")
        assert process.wait() == EXIT_OK, said
    *shown, seen = written.splitlines(keepends=True)
    found = yaml.safe_load("".join(shown))["lanes"]["warm"]["actuator"]
    assert (found["rest_angle"], found["active_angle"]) == (10, 60)
    assert list(json.loads(seen)) == ["GPIO18"]
    assert 60 / 180 / 20 + 1.5 / 20 in [pytest.approx(s) for s in json.loads(seen)["GPIO18"]]
    assert "mock (no Raspberry Pi" in said
    assert "nothing moves" in said
    assert "keys: space actuates once" in said


@pytest.mark.parametrize(
    ("lane", "words"),
    [
        ("wram", "there is no lane 'wram'. Did you mean warm?"),
        ("x", "there is no lane 'x'. Known: warm, cold, rest"),
        (
            "rest",
            "the lane 'rest' has no actuator, so nothing moves there. Lanes with one: warm, cold",
        ),
    ],
)
def test_a_lane_that_cannot_be_moved_says_which_can(
    station: Path, lane: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["lane", "test", str(station), lane]) == 2
    assert f"{station}: {words}\n" in capsys.readouterr().err


def test_no_lane_of_a_station_that_runs_is_tested(
    station: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody else may take a pin, but a servo board obeys every process."""
    others = [Neighbour("bin-2", "/elsewhere.yaml", (), 811), Neighbour("bin-1", "", (), 812)]
    monkeypatch.setattr("edge.neighbours.running.running_neighbours", lambda: others)
    with Path(os.devnull).open() as nothing:
        monkeypatch.setattr("sys.stdin", nothing)
        assert main(["lane", "test", str(station), "warm"]) == EXIT_OK
    others[1] = replace(others[1], file=str(station.absolute()))
    assert main(["lane", "test", str(station), "warm"]) == EXIT_UNAVAILABLE
    assert "process 812) runs, and moves the lane warm itself: stop" in capsys.readouterr().err


def test_mistakes_in_the_lanes_are_told_with_their_lines(
    station: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = STATION.replace("active_angle: 60", "active_angle: 160").replace("pin: 23", "pin: 18")
    station.write_text(text + "camra: {}\n", encoding="utf-8")
    assert main(["lane", "test", str(station), "warm"]) == EXIT_CONFIG
    err = capsys.readouterr().err
    for words in (
        ":5: lanes.warm.actuator.active_angle: must be between",
        ":8: ",
        "used by",
        "camra",
    ):
        assert words in err


def test_every_lane_can_be_made_safe_after_a_station_was_killed(station: Path) -> None:
    text = STATION.replace("active_angle: 60", "active_angle: 60, safe_angle: -90")
    station.write_text(text.replace("50,", "50, active_high: false,"), encoding="utf-8")
    script = SCRIPT.replace('"test"', '"safe"')
    done = subprocess.run(
        [sys.executable, "-c", script, str(station)], capture_output=True, text=True
    )
    assert done.returncode == EXIT_OK, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["GPIO18"] == pytest.approx([1 / 20, 0])
    assert seen["GPIO23"] == [1, 0]  # a mock pin that is let go is low


def test_a_lane_that_cannot_be_made_safe_does_not_keep_the_others(station: Path) -> None:
    script = SCRIPT.replace('"test"', '"safe"').replace(
        "from edge.cli import main",
        """
from edge.cli import main
from edge.core.closing import Closing
from edge.core.errors import PinError
from edge.lanes.servo import Servo
def broken(servo, settings, pins):
    raise PinError("GPIO 18 cannot be used")
Servo.__init__ = broken
""",
    )
    station.write_text(STATION.replace("50,", "50, active_high: false,"), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", script, str(station)], capture_output=True, text=True
    )
    assert done.returncode == EXIT_UNAVAILABLE
    assert json.loads(done.stdout.splitlines()[-1])["GPIO23"] == [1, 0]
    assert "warm: not made safe\n" in done.stderr
    assert "error: GPIO 18 cannot be used" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["test"], "lane test needs a LANE: one of warm, cold, rest"),
        (["safe", "warm"], "lane safe takes no LANE"),
        (["move"], "lane move needs a LANE"),
        (["test", "warm", "--seconds", "1"], "lane test takes no --seconds"),
    ],
)
def test_a_lane_is_named_to_be_tested_only(
    station: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["lane", words[0], str(station), *words[1:]]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_switches_the_coil_off(station: Path, number: signal.Signals) -> None:
    with Active() as active, active.lane_test(station, "cold") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(" ")
        process.stdin.flush()
        active.wait()
        process.send_signal(number)
        assert process.wait() == EXIT_OK
        assert json.loads(process.stdout.read())["GPIO23"] == [1, 0]


def test_a_terminal_shows_how_things_stand_and_is_left_as_it_was(station: Path) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(station), "warm"],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
    ) as process:
        os.close(theirs)
        try:
            _read_until(ours, "angle 0 ")
            os.write(ours, b"\x1b[C")
            _read_until(ours, "angle 1 ")
            os.write(ours, b"\x1b[A")
            _read_until(ours, "hold 0.02 s")
            os.write(ours, b"q")
        except BaseException:
            process.kill()
            raise
        assert process.stdout is not None
        assert json.loads(process.stdout.read())["GPIO18"][-1] == 0
        assert process.wait() == EXIT_OK
    os.close(ours)


def _read_until(terminal: int, words: str) -> None:
    shown = ""
    while words not in shown:
        shown += os.read(terminal, 4096).decode()  # fails when the process ends


KEEP_ALIVE = "keep_alive: {pin: 21, change_seconds: 0.02}\n"


def test_while_a_lane_is_tested_the_keep_alive_pin_changes_and_is_low_at_the_end(
    station: Path,
) -> None:
    station.write_text(STATION + KEEP_ALIVE, encoding="utf-8")
    with Active() as active, active.lane_test(station, "cold") as process:
        active.wait()
        written, said = process.communicate("q")
        assert process.wait() == EXIT_OK, said
    levels = json.loads(written.splitlines()[-1])["GPIO21"]
    assert (max(levels), levels[-1]) == (1, 0)


def test_the_keep_alive_pin_is_made_safe_with_the_lanes(
    station: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[int] = []
    close = KeepAlive.close
    monkeypatch.setattr(KeepAlive, "close", lambda pin: (closed.append(pin._pin), close(pin)))
    station.write_text(STATION + KEEP_ALIVE, encoding="utf-8")
    assert main(["lane", "safe", str(station)]) == EXIT_OK
    assert closed == [21]
