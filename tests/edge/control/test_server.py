"""The socket of a station: who asks is answered, whatever others do there."""

from __future__ import annotations

import os
import pwd
import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from edge.control import server
from edge.control.client import ask
from edge.control.messages import ControlAnswer, ControlCommand, ControlRequest, read_answer
from edge.control.place import control_path, find_control, socket_address, unix_socket
from edge.control.server import ControlServer
from edge.core.errors import ControlUnreachableError
from edge.telemetry import status
from tests.logged import listen

PAUSE = ControlRequest(ControlCommand.PAUSE, "ana")


def echo(request: ControlRequest) -> ControlAnswer:
    return ControlAnswer(True, state={"command": request.command.value, "who": request.who})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A longer one than the address of a socket may be."""
    folder = tmp_path / ("folder-" * 20)
    folder.mkdir()
    return folder / "bin-1.sock"


@pytest.fixture
def served(path: Path) -> Iterator[Path]:
    with ControlServer(path, echo):
        yield path


def sent(path: Path, raw: bytes) -> bytes:
    with unix_socket() as connection, socket_address(path) as address:
        connection.settimeout(120)
        connection.connect(address)
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        found = b""
        while more := connection.recv(4096):
            found += more
    return found


def test_who_asks_is_answered_each_time(served: Path) -> None:
    for _ in range(3):
        assert ask(served, PAUSE) == ControlAnswer(True, {"command": "pause", "who": "ana"})


def test_the_user_and_the_group_of_the_station_may_ask(served: Path) -> None:
    assert stat.S_IMODE(served.stat().st_mode) == 0o660


@pytest.mark.parametrize("raw", [b"pause\n", b"x" * 9000, b'{"pilah":1,"command"', b"{}\n{}\n"])
def test_nonsense_is_answered_and_hurts_nobody(served: Path, raw: bytes) -> None:
    try:
        found = sent(served, raw)
    except ConnectionError:  # there was more than was read
        found = b""
    assert not found or not read_answer(found).ok
    assert ask(served, PAUSE).ok


def test_one_who_says_nothing_or_goes_holds_up_the_next_for_a_moment_only(
    served: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_ASK_SECONDS", 1.0)
    with unix_socket() as silent, socket_address(served) as address:
        silent.connect(address)
        with unix_socket() as gone:
            gone.connect(address)
        answer = None
        while answer is None:  # who asks may be held up for longer than a moment, too
            with suppress(ControlUnreachableError):
                answer = ask(served, PAUSE)
        assert answer.ok


def test_a_command_that_fails_is_said_and_the_next_one_is_answered(path: Path) -> None:
    said: list[str] = []
    listen(said.append)
    outcomes: Iterator[Callable[[], ControlAnswer]] = iter(
        [lambda: ControlAnswer(bool(1 / 0)), lambda: ControlAnswer(True)]
    )
    with ControlServer(path, lambda request: next(outcomes)()):
        assert ask(path, PAUSE).error == "the station could not answer: see its log"
        assert ask(path, PAUSE).ok
    assert any("ZeroDivisionError" in line for line in said)


def test_a_closed_one_is_gone_and_closing_twice_does_nothing(path: Path) -> None:
    closed = ControlServer(path, echo)
    closed.close()
    closed.close()
    assert not path.exists()
    with pytest.raises(ControlUnreachableError, match="does not answer"):
        ask(path, PAUSE)


def test_the_socket_of_a_process_that_was_killed_is_replaced(path: Path) -> None:
    with unix_socket() as left, socket_address(path) as address:
        left.bind(address)
    with pytest.raises(ControlUnreachableError, match="Does it run"):
        ask(path, PAUSE)
    with ControlServer(path, echo):
        assert ask(path, PAUSE).ok


@pytest.mark.parametrize("place", [None, Path("/nowhere/a.sock")])
def test_where_there_is_no_place_for_it_the_station_sorts_on(place: Path | None) -> None:
    said: list[str] = []
    listen(said.append)
    with ControlServer(place, echo):
        pass
    assert len(said) == 1
    assert "cannot be paused from outside" in said[0]


def test_a_second_process_leaves_the_socket_of_the_first_alone(served: Path) -> None:
    said: list[str] = []
    listen(said.append)
    with ControlServer(served, lambda request: ControlAnswer(False, error="the second")):
        assert ask(served, PAUSE).ok
    assert "another process answers there" in said[0]
    assert ask(served, PAUSE).ok


def test_a_socket_that_took_the_place_is_not_removed_at_the_end(path: Path) -> None:
    first = ControlServer(path, echo)
    path.rename(path.with_name("aside"))
    with ControlServer(path, echo):
        first.close()
        assert ask(path, PAUSE).ok


def test_a_file_that_is_no_socket_is_left_alone(path: Path) -> None:
    path.write_text("mine")
    with ControlServer(path, echo):
        pass
    assert path.read_text() == "mine"


def test_one_that_does_not_answer_in_time_is_given_up(path: Path) -> None:
    with unix_socket() as listening, socket_address(path) as address:
        listening.bind(address)
        listening.listen()
        with pytest.raises(ControlUnreachableError, match=r"not answered within 0\.05 seconds"):
            ask(path, PAUSE, seconds=0.05)


# Where it is


def test_it_is_found_beside_the_status(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger, service = tmp_path / "ledger.sqlite", tmp_path / "service"
    service.mkdir()
    environment = {"RUNTIME_DIRECTORY": str(service)}
    path = control_path("a.b", ledger, environment)
    assert path is not None
    assert (path.parent, path.suffix) == (service, ".sock")
    # Whoever asks is no service.
    monkeypatch.setattr(status, "SERVICE_FOLDER", service)
    with ControlServer(path, echo):
        assert find_control("a.b", ledger, {}) == path
        with pytest.raises(ControlUnreachableError, match="the station a does not run"):
            find_control("a", ledger, {})
        with pytest.raises(ControlUnreachableError):  # a copy of the file that has another ledger
            find_control("a.b", tmp_path / "other.sqlite", {})
    with pytest.raises(ControlUnreachableError, match=r"the station a\.b does not run") as told:
        find_control("a.b", ledger, {})
    assert f"the user {pwd.getpwuid(os.geteuid()).pw_name} finds no socket" in str(told.value)
    assert str(path) in str(told.value)


def test_a_socket_that_somebody_else_put_there_is_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "SERVICE_FOLDER", tmp_path)
    path = control_path("bin-1", tmp_path / "ledger.sqlite", {"RUNTIME_DIRECTORY": str(tmp_path)})
    with ControlServer(path, echo):
        assert find_control("bin-1", tmp_path / "ledger.sqlite", {}) == path
        mine = os.geteuid()
        monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
        real = os.lstat

        def foreign(name: Path, **options: int) -> os.stat_result:
            found = list(real(name, **options))
            found[4] = mine + 2
            return os.stat_result(found)

        monkeypatch.setattr(Path, "lstat", lambda self: foreign(self))
        with pytest.raises(ControlUnreachableError):
            find_control("bin-1", tmp_path / "ledger.sqlite", {})
