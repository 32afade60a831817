"""The ways of joining frames that the benchmark compares, on scores that can be joined by hand."""

from __future__ import annotations

import numpy as np
import pytest

from edge.core.verdict import Ballot, Rules
from tests.benchmarks.joining import WAYS, compared, frame_of

SCORES = np.array([[[0.9, 0.1], [0.4, 0.6], [0.4, 0.6]]])
SHARP = np.array([[1.0, 3.0, 2.0]])


@pytest.mark.parametrize(
    ("way", "first"),
    [("mean", 1.7 / 3), ("vote", 1 / 3), ("sharpest", 0.4), ("log_mean", 0.6135)],
)
def test_each_way_joins_the_frames_of_an_item(way: str, first: float) -> None:
    assert WAYS[way](SCORES, SHARP)[0, 0] == pytest.approx(first, abs=1e-3)


def test_the_mean_is_what_a_station_does() -> None:
    ballot = Ballot(Rules(("a", "b"), {"a": 0.5, "b": 0.5}), title="", digest="")
    for frame in SCORES[0]:
        ballot.add(frame.astype(np.float32))
    joined = WAYS["mean"](SCORES, SHARP)[0]
    assert list(ballot.verdict().scores.values()) == pytest.approx(joined.tolist())


def test_ways_are_compared_item_by_item() -> None:
    scores = np.concatenate([SCORES, SCORES[:, ::-1], SCORES])
    found = compared(scores, np.tile(SHARP, (3, 1)), np.array([0, 0, 1]), np.array([0.5, 0.65]))
    assert (found["mean"]["right"].count, found["mean"]["accepted"].count) == (2, 3)
    assert (found["vote"]["better"], found["vote"]["worse"]) == (1, 2)
    assert found["mean"]["p"] == 1


def test_a_frame_has_the_size_of_its_picture() -> None:
    picture = np.full((40, 60, 3), 90, np.uint8)
    frames = [frame_of(picture, np.random.default_rng(seed)) for seed in range(5)]
    assert {(frame.shape, frame.dtype) for frame in frames} == {((40, 60, 3), np.dtype(np.uint8))}
    assert len({frame.tobytes() for frame in frames}) == 5
