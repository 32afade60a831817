"""Whether blocks that can be recognised show another scene."""

from __future__ import annotations

import numpy as np
import pytest

from edge.vision.structure import alike, cut, is_another_scene


def test_a_picture_is_cut_into_blocks_and_a_remainder_is_left_out() -> None:
    grey = np.arange(7 * 9, dtype=np.float32).reshape(7, 9)
    blocks = cut(grey, 3, 4)
    assert blocks.shape == (12, 4)
    assert blocks[0].tolist() == [0, 1, 9, 10]
    assert blocks[-1].tolist() == [42, 43, 51, 52]


def test_blocks_are_alike_in_any_light() -> None:
    blocks = np.random.default_rng(0).normal(100, 20, (5, 64)).astype(np.float32)
    assert alike(0.4 * blocks + 30, blocks) == pytest.approx(1, abs=1e-3)
    assert alike(-blocks, blocks) == pytest.approx(-1, abs=1e-3)
    assert np.abs(alike(np.full_like(blocks, 90), blocks)).max() < 1e-3


@pytest.mark.parametrize(
    ("correlations", "another"),
    [
        ([0.98] * 20, False),
        ([0.98] * 4 + [0.0] * 16, False),  # what hides four fifths of the scene
        ([0.98] * 3 + [0.0] * 17, True),
        ([0.8, 0.7, 0.6, -0.5, -0.7, 0.1, 0.4, -0.3, 0.0, -0.1], True),  # by chance
        ([0.6] * 20, False),  # out of focus, or shaken
    ],
)
def test_most_blocks_must_show_something_else(correlations: list[float], another: bool) -> None:
    assert is_another_scene(np.array(correlations, np.float32)) is another
