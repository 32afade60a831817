from __future__ import annotations

from edge.web.people.guesses import MOST_OF_ALL, MOST_OF_ONE, WINDOW_SECONDS, Guesses


class Clock:
    now = 50.0

    def __call__(self) -> float:
        return self.now


def test_one_address_has_a_few_guesses_in_a_while() -> None:
    clock = Clock()
    guesses = Guesses(clock)
    for _ in range(MOST_OF_ONE):
        assert guesses.begin("a") == 0
        clock.now += 10
    assert guesses.begin("a") == WINDOW_SECONDS - MOST_OF_ONE * 10
    assert guesses.begin("b") == 0
    clock.now += WINDOW_SECONDS - MOST_OF_ONE * 10
    assert guesses.begin("a") == 0
    assert guesses.begin("a") == 10


def test_all_addresses_together_have_some_too() -> None:
    guesses = Guesses(Clock())
    assert [guesses.begin(str(one)) for one in range(MOST_OF_ALL)] == [0] * MOST_OF_ALL
    assert guesses.begin("another") == WINDOW_SECONDS


def test_who_was_right_begins_anew() -> None:
    guesses = Guesses(Clock())
    for _ in range(MOST_OF_ONE):
        guesses.begin("a")
        guesses.begin("b")
    guesses.was_right("a")
    assert guesses.begin("a") == 0
    assert guesses.begin("b") > 0
