"""New pictures help where another place looks different, and do nothing where it does not."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from trainer.evaluation.adaptation import Adaptation, adaptation

CLASSES, DEPTH = 3, 12


def place(
    turned: bool, count: int, seed: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Clouds around an axis for each class; of another place, around the next class's axis, with a
    mark of the place on an axis of its own."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(np.arange(CLASSES), count)
    axes = np.eye(DEPTH)[(truth + turned) % CLASSES] + turned * 4 * np.eye(DEPTH)[6 + truth]
    return (axes + rng.normal(0, 0.3, axes.shape)).astype(np.float32), truth


def adapted(*, turned: bool, count: int = 60, series: int = 1, rare: int = 0) -> Adaptation:
    rows, truth = place(turned, count, 1)
    if rare:
        kept = np.flatnonzero((truth != 0) | (np.arange(len(truth)) < rare))
        rows, truth = rows[kept], truth[kept]
    groups = [str(i // series) for i in range(len(truth))]
    return adaptation(
        *place(False, 80, 0), rows, truth, groups, right=np.arange(len(truth)) % 4 > 0
    )


def test_what_a_few_new_pictures_teach_is_measured_on_others() -> None:
    found = adapted(turned=True)
    assert [point.new for point in found.points] == [0, 1, 2, 5, 10, 20]
    assert [point.drawn for point in found.points] == [0, 3, 6, 15, 30, 60]
    # The run itself is told apart from the head that is fitted again.
    assert found.run.value == 0.75
    first, *_, last = found.points
    assert (first.accuracy.value or 1) < 0.6
    assert (last.accuracy.value or 0) > 0.9
    assert last.gain.interval is not None
    assert last.gain.interval[0] > 0.2
    assert first.gain.value == 0
    assert found.note == ""


def test_where_nothing_is_different_nothing_is_gained() -> None:
    last = adapted(turned=False).points[-1]
    assert last.gain.interval is not None
    assert last.gain.interval[0] <= 0 <= last.gain.interval[1]
    assert abs(last.gain.value or 0) < 0.02


def test_too_few_pictures_or_groups_say_so() -> None:
    for found in (adapted(turned=True, count=1), adapted(turned=True, series=60)):
        assert [point.new for point in found.points] == [0]
        assert "half of the classes must have one in each half" in found.note


def test_a_rare_class_does_not_decide_how_many_of_the_others_are_tried() -> None:
    """As of fruit in other shops, of which some kinds have three pictures and others twenty."""
    found = adapted(turned=True, count=12, rare=3)
    assert [point.new for point in found.points] == [0, 1, 2, 5]
    assert found.points[-1].drawn == pytest.approx(5 + 5 + 1.5)
    assert "some classes have fewer than 5 pictures in a half" in found.note
