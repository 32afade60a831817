from __future__ import annotations

import json
import logging
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from edge.web.people.accounts import AccountList, PageAccount, Role
from edge.web.people.sessions import Sessions

ANA = PageAccount(Role.OPERATOR, "hash of Ana's password")
LISTED = AccountList(b"k" * 32, {"Ana": ANA, "Budi": PageAccount(Role.ADMIN, "another")})


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "sessions.json"


def test_a_session_is_that_of_its_name_for_its_time(file: Path, clock: Clock) -> None:
    sessions = Sessions(file, clock)
    session = sessions.begin(LISTED, "Ana", 60)
    assert sessions.read(LISTED, session) == ("Ana", ANA)
    assert Sessions(file, clock).read(LISTED, session) == ("Ana", ANA)  # after a restart
    clock.now += 60
    assert sessions.read(LISTED, session) is None


def test_a_session_that_was_ended_stays_so_after_a_restart(file: Path, clock: Clock) -> None:
    sessions = Sessions(file, clock)
    session, other = (sessions.begin(LISTED, "Ana", 60) for _ in range(2))
    assert session != other  # though they began in one second
    for _ in range(2):
        sessions.end(session)
        for found in (sessions, Sessions(file, clock)):
            assert found.read(LISTED, session) is None
            assert found.read(LISTED, other) == ("Ana", ANA)


@pytest.mark.parametrize(
    "listed",
    [
        replace(LISTED, accounts={"Ana": PageAccount(Role.OPERATOR, "hash of a new password")}),
        replace(LISTED, accounts={}),
    ],
    ids=["new password", "removed"],
)
def test_a_session_ends_with_what_it_stands_on(
    file: Path, clock: Clock, listed: AccountList
) -> None:
    sessions = Sessions(file, clock)
    assert sessions.read(listed, sessions.begin(LISTED, "Ana", 60)) is None


def test_who_reads_the_file_has_no_session(file: Path, clock: Clock) -> None:
    sessions = Sessions(file, clock)
    session = sessions.begin(LISTED, "Ana", 60)
    text = file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert session not in text
    assert ANA.hash not in text
    for wrong in ("", ".", *json.loads(text), f"{session}x", session[:-1], "\xff", "x" * 9999):
        assert sessions.read(LISTED, wrong) is None


def test_the_file_has_an_end(file: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.web.people.sessions.MOST_OF_NAME", 3)
    sessions = Sessions(file, clock)
    budis = sessions.begin(LISTED, "Budi", 60)
    first, *others = (sessions.begin(LISTED, "Ana", 60) for _ in range(4))
    assert sessions.read(LISTED, first) is None
    assert all(sessions.read(LISTED, one) for one in (*others, budis))
    clock.now += 60
    sessions.begin(LISTED, "Ana", 60)
    assert len(json.loads(file.read_text())) == 1  # those that are over are forgotten


@pytest.mark.parametrize(
    "content", ["", "[]", '{"a": 1}', '{"a": {"name": "Ana"}}', "x" * 5_000_000]
)
def test_what_is_no_file_of_sessions_lets_nobody_in(
    file: Path, clock: Clock, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    file.write_text(content)
    with caplog.at_level(logging.WARNING):
        sessions = Sessions(file, clock)
    assert "everybody signs in again" in caplog.text
    assert sessions.read(LISTED, sessions.begin(LISTED, "Ana", 60)) == ("Ana", ANA)
    assert len(json.loads(file.read_text())) == 1


def test_a_file_that_cannot_be_written_is_said_and_hinders_nobody(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    sessions = Sessions(tmp_path / "nowhere" / "sessions.json", clock)
    with caplog.at_level(logging.WARNING):
        session = sessions.begin(LISTED, "Ana", 60)
    assert sessions.read(LISTED, session) == ("Ana", ANA)
    assert "is forgotten when the pages are started again: cannot write" in caplog.text
