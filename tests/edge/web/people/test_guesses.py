from __future__ import annotations

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
