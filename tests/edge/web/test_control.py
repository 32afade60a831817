from __future__ import annotations

import logging
from pathlib import Path

import pytest

from edge.control.messages import ControlAnswer, ControlCommand, ControlRequest
from edge.control.place import control_path
from edge.control.server import ControlServer
from edge.core.errors import ControlRefusedError, ControlUnreachableError
from edge.telemetry import status as statuses
from edge.telemetry.newest_log import NewestLog
from edge.web.control import StationControl


@pytest.fixture
def control(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StationControl:
    monkeypatch.setattr(statuses, "SERVICE_FOLDER", tmp_path)
    # However busy the machine is:
    monkeypatch.setattr("edge.web.control._STATE_SECONDS", 120.0)
    monkeypatch.setitem(StationControl._asked.__kwdefaults__, "seconds", 120.0)
    return StationControl("bin-1", tmp_path / "ledger.sqlite")


def socket_of(folder: Path) -> Path:
    """Where the station `bin-1` would open its socket as a service."""
    path = control_path("bin-1", folder / "ledger.sqlite", {"RUNTIME_DIRECTORY": str(folder)})
    assert path is not None
    return path


def answering(request: ControlRequest) -> ControlAnswer:
    if request.command is ControlCommand.RESUME:
        return ControlAnswer(False, error=f"no, {request.who}")
    return ControlAnswer(True, state={"state": "Execute", "who": request.who})


def test_the_log_is_that_of_the_station(control: StationControl, tmp_path: Path) -> None:
    with NewestLog() as log:
        logging.getLogger("edge.here").warning("warning    the belt stands")
        shown = ControlAnswer(True, shown=log.shown())
        with ControlServer(socket_of(tmp_path), lambda _: shown):
            assert control.log("Ana") == log.lines()
        assert [line.text for line in log.lines()] == ["warning the belt stands"]


def test_a_station_of_a_pilah_without_this_question_tells_no_log(
    control: StationControl, tmp_path: Path
) -> None:
    refused = ControlAnswer(False, error="there is no command 'log'")
    with ControlServer(socket_of(tmp_path), lambda _: refused):
        assert control.log("Ana") is None
    assert control.log("Ana") is None


def test_a_running_station_is_asked(control: StationControl, tmp_path: Path) -> None:
    with ControlServer(socket_of(tmp_path), answering):
        assert control.state("Ana") == {"state": "Execute", "who": "Ana"}
        control.command(ControlCommand.PAUSE, "Ana")
        with pytest.raises(ControlRefusedError, match="no, Ana"):
            control.command(ControlCommand.RESUME, "Ana")


def test_one_that_does_not_run_says_nothing(control: StationControl) -> None:
    assert control.state("Ana") is None
    with pytest.raises(ControlUnreachableError):
        control.command(ControlCommand.PAUSE, "Ana")


def test_a_socket_that_nobody_hears_says_nothing(control: StationControl, tmp_path: Path) -> None:
    socket_of(tmp_path).write_text("")
    assert control.state("Ana") is None
