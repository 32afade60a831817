from __future__ import annotations

import pytest

from edge.web.people.guesses import MOST_OF_ALL, MOST_OF_NAME, MOST_OF_ONE, WINDOW_SECONDS, Guesses


class Clock:
    now = 50.0

    def __call__(self) -> float:
        return self.now


def test_one_address_has_a_few_guesses_in_a_while() -> None:
    clock = Clock()
    guesses = Guesses(clock)
    for _ in range(MOST_OF_ONE):
        assert guesses.begin("a", "Ana") == 0
        clock.now += 10
    assert guesses.begin("a", "Ana") == WINDOW_SECONDS - MOST_OF_ONE * 10
    assert guesses.begin("b", "Ana") == 0
    clock.now += WINDOW_SECONDS - MOST_OF_ONE * 10
    assert guesses.begin("a", "Ana") == 0
    assert guesses.begin("a", "Ana") == 10


def test_all_addresses_together_have_some_too() -> None:
    guesses = Guesses(Clock())
    assert [guesses.begin(str(one), str(one)) for one in range(MOST_OF_ALL)] == [0] * MOST_OF_ALL
    assert guesses.begin("another", "Ana") == WINDOW_SECONDS


def test_who_was_right_begins_anew() -> None:
    guesses = Guesses(Clock())
    for _ in range(MOST_OF_ONE):
        guesses.begin("a", "Ana")
        guesses.begin("b", "Ana")
    guesses.was_right("a", "Ana")
    assert guesses.begin("a", "Ana") == 0
    assert guesses.begin("b", "Ana") > 0


def test_a_right_password_of_one_s_own_forgets_no_guess_for_another_name() -> None:
    guesses = Guesses(Clock())
    for _ in range(MOST_OF_ONE - 1):
        assert guesses.begin("a", "Budi") == 0
    assert guesses.begin("a", "Ana") == 0
    guesses.was_right("a", "Ana")
    assert guesses.begin("a", "Budi") == 0
    assert guesses.begin("a", "Budi") > 0


def test_a_name_is_guessed_so_often_from_all_addresses() -> None:
    guesses = Guesses(Clock())
    found = [guesses.begin(str(one), "Budi") for one in range(MOST_OF_NAME + 1)]
    assert found[:-1] == [0] * MOST_OF_NAME
    assert found[-1] > 0


def test_nobody_who_guesses_keeps_a_person_out_of_a_browser_that_is_known() -> None:
    guesses = Guesses(Clock())
    guesses.was_right("a", "Ana", "tablet")
    for one in range(MOST_OF_ALL):
        guesses.begin(str(one), "Ana" if one < MOST_OF_NAME else str(one))
    assert guesses.begin("a", "Ana", "another") > 0
    assert guesses.begin("a", "Budi", "tablet") > 0  # whom the browser does not know
    assert [guesses.begin("a", "Ana", "tablet") for _ in range(MOST_OF_ONE)] == [0] * MOST_OF_ONE
    assert guesses.begin("b", "Ana", "tablet") > 0
    guesses.was_right("a", "Ana", "tablet")
    assert guesses.begin("a", "Ana", "tablet") == 0


def test_so_many_browsers_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.web.people.guesses._MOST_KNOWN", 2)
    guesses = Guesses(Clock())
    for seat in ("first", "second", "first", "third"):
        guesses.was_right("a", "Ana", seat)
    for one in range(MOST_OF_ALL):
        guesses.begin(str(one), str(one))
    assert [guesses.begin("a", "Ana", seat) > 0 for seat in ("first", "second", "third")] == [
        False, True, False,
    ]  # fmt: skip
