from __future__ import annotations

import pytest

from edge.core.suggestions import are_opposite, closest, did_you_mean


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("active_low", "active_high"),
        ("active-low", "active_high"),
        ("unripe", "ripe"),
        ("no_loop", "loop"),
        ("inverted_flip", "flip"),
        ("flip_vertical", "flip_horizontal"),
        ("max_area", "min_area"),
        ("disabled", "enabled"),
    ],
)
def test_opposites(one: str, other: str) -> None:
    assert are_opposite(one, other)
    assert are_opposite(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [("active_hihg", "active_high"), ("lables", "labels"), ("paper", "papers"), ("pin", "pinn")],
)
def test_misspelt_words_are_no_opposites(one: str, other: str) -> None:
    assert not are_opposite(one, other)


def test_a_close_word_is_preferred_to_a_closer_opposite() -> None:
    found = closest("max_size", ["min_size", "max_sise"])
    assert found is not None
    assert (found.word, found.opposite) == ("max_sise", False)


def test_an_opposite_is_never_suggested() -> None:
    assert did_you_mean("unripe", ["ripe"]) == ". There is ripe, which means the opposite"
