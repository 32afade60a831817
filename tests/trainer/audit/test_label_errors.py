"""Wrong labels come first; a group is never scored by its own; small classes accuse nobody."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from edge.core.dataset import LabelledPicture
from trainer.audit.label_errors import find_label_errors

LABELS = ["can", "jar", "tin"]


def clouds(
    counts: tuple[int, ...] = (60, 60, 60),
) -> tuple[npt.NDArray[np.float32], list[LabelledPicture]]:
    """Points around a corner for each label, and pictures to go with them."""
    rng = np.random.default_rng(0)
    points, pictures = [], []
    for at, count in enumerate(counts):
        centre = np.zeros(12)
        centre[at] = 4
        points.append(rng.normal(centre, 1, (count, 12)))
        for number in range(count):
            name = f"{LABELS[at]}/{number}"
            pictures.append(LabelledPicture(Path(name), LABELS[at], name))
    return np.concatenate(points).astype(np.float32), pictures


def test_planted_errors_are_first_with_the_label_they_had() -> None:
    features, pictures = clouds()
    planted = {3: "jar", 70: "tin", 150: "can"}
    for index, label in planted.items():
        pictures[index] = replace(pictures[index], label=label)
    found = find_label_errors(features, pictures, LABELS)
    assert set(found.ranking[:3].tolist()) == set(planted)
    assert [LABELS[found.suggested[i]] for i in planted] == ["can", "jar", "tin"]
    assert found.probable[list(planted)].all()
    assert (found.given[list(planted)] < 0.2).all()


def test_of_clean_labels_hardly_one_is_called_an_error() -> None:
    features, pictures = clouds()
    found = find_label_errors(features, pictures, LABELS)
    assert found.probable.mean() < 0.02
    assert found.agreement > 0.95


def test_a_group_that_is_wrong_as_a_whole_does_not_vouch_for_itself() -> None:
    features, pictures = clouds()
    series = range(10)  # ten pictures of one can, all called jar
    for index in series:
        features[index] = features[0] + 0.01 * index
        pictures[index] = replace(pictures[index], label="jar", group="one can")
    found = find_label_errors(features, pictures, LABELS)
    assert set(found.ranking[:10].tolist()) == set(series)


@pytest.mark.parametrize("size", [1, 4, 9])
def test_a_class_of_few_pictures_accuses_none_and_is_not_accused(size: int) -> None:
    features, pictures = clouds((60, 60, size))
    features[-size:] = features[:size]  # looks like cans
    found = find_label_errors(features, pictures, LABELS)
    assert not found.probable[-size:].any()
    assert "tin" not in {LABELS[i] for i in found.suggested[found.probable]}


def test_all_pictures_are_ranked_once() -> None:
    features, pictures = clouds((20, 30, 5))
    ranking = find_label_errors(features, pictures, LABELS).ranking
    assert sorted(ranking.tolist()) == list(range(55))
