from __future__ import annotations

from dataclasses import replace

import pytest

from edge.web.people.accounts import AccountList, PageAccount, Role
from edge.web.people.tokens import Sessions, form_token, is_form_token, new_seat

ANA = PageAccount(Role.OPERATOR, "hash of Ana's password")
LISTED = AccountList(b"k" * 32, {"Ana": ANA, "Budi": PageAccount(Role.ADMIN, "another")})


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_session_is_that_of_its_name_for_its_time(clock: Clock) -> None:
    sessions = Sessions(clock)
    session = sessions.begin(LISTED, "Ana", 60)
    assert sessions.read(LISTED, session) == ("Ana", ANA)
    assert Sessions(clock).read(LISTED, session) == ("Ana", ANA)  # after a restart
    clock.now += 60
    assert sessions.read(LISTED, session) is None


def test_a_session_that_was_ended_is_nobody_s(clock: Clock) -> None:
    sessions = Sessions(clock)
    session = sessions.begin(LISTED, "Ana", 60)
    sessions.end(session)
    assert sessions.read(LISTED, session) is None
    clock.now += 61
    sessions.end(sessions.begin(LISTED, "Ana", 60))
    assert len(sessions._ended) == 1  # those that are over anyway are forgotten


@pytest.mark.parametrize(
    "listed",
    [
        replace(LISTED, accounts={"Ana": PageAccount(Role.OPERATOR, "hash of a new password")}),
        replace(LISTED, accounts={}),
        replace(LISTED, key=b"x" * 32),
    ],
    ids=["new password", "removed", "other key"],
)
def test_a_session_ends_with_what_it_stands_on(clock: Clock, listed: AccountList) -> None:
    sessions = Sessions(clock)
    assert sessions.read(listed, sessions.begin(LISTED, "Ana", 60)) is None


def test_a_session_that_was_changed_is_nobody_s(clock: Clock) -> None:
    sessions = Sessions(clock)
    name, expires, mac = sessions.begin(LISTED, "Ana", 60).split(".")
    other = sessions.begin(LISTED, "Budi", 60)
    for wrong in (
        "", ".", "..", "a.b", f"{name}.{expires}.", f"{name}.{int(expires) + 1}.{mac}",
        f"{other.split('.')[0]}.{expires}.{mac}", f"{name}.{expires}.{mac}x", f"{name}.x.{mac}",
        f"ä.{expires}.{mac}", f"{name}.{'9' * 5000}.{mac}", f"{name}.{expires}.{mac}.x",
    ):  # fmt: skip
        assert sessions.read(LISTED, wrong) is None


def test_the_parts_of_what_is_signed_cannot_run_into_one_another() -> None:
    assert form_token(b"k", "ab", "c") != form_token(b"k", "a", "bc")


def test_a_form_is_known_by_browser_and_session() -> None:
    seat = new_seat()
    token = form_token(b"k", seat, "session")
    assert is_form_token(token, b"k", seat, "session")
    assert not is_form_token(token, b"k", new_seat(), "session")
    assert not is_form_token(token, b"k", seat, "")
    assert not is_form_token(token, b"x", seat, "session")
    assert not is_form_token(form_token(b"k", "", ""), b"k", "", "")  # of a browser without a mark


def test_an_ended_session_does_not_live_on_in_another_form(clock: Clock) -> None:
    sessions = Sessions(clock)
    session = sessions.begin(LISTED, "Ana", 60)
    name, expires, mac = session.split(".")
    for other in (
        f"{name}.0{expires}.{mac}",
        f"{name}.+{expires}.{mac}",
        f"{name}=.{expires}.{mac}",
    ):
        assert sessions.read(LISTED, other) is None
    sessions.end(session)
    assert sessions.read(LISTED, session) is None
