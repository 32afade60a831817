from __future__ import annotations

import pytest

from edge.core.model.glossary import MEANINGS, explained


@pytest.mark.parametrize("word", MEANINGS)
def test_each_word_is_explained_where_it_stands(word: str) -> None:
    assert explained(f"Some {word}, here.")[word] == MEANINGS[word]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("two 95 % intervals", "95% interval"),
        ("It was calibrated.", "calibration"),
        ("after cross-fitting", "cross-fitted"),
        ("its novelty", "novelty score"),
        ("Epochs: 12", "epoch"),
        ("on validation", "validation split"),
    ],
)
def test_other_forms_of_a_word_are_explained(text: str, word: str) -> None:
    assert list(explained(text)) == [word]


def test_a_word_within_another_is_not_explained() -> None:
    assert not explained("floating, underscore, highscore-list")
