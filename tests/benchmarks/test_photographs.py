"""The benchmark of photographs as items: its test of purities, and a run of it in small."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.core.dataset import LabelledPicture, read_picture_set
from edge.core.model.bundle import read_bundle
from edge.core.model.classifier import Classifier
from tests.benchmarks.photographs import Sorted, evaluated, lower, on_a_belt
from tests.bundles import BGR, make_bundle
from tests.edge.simulation.photographs import write_things


@pytest.mark.parametrize(
    ("belt", "alone", "p"),
    [
        # by hand: of 4 accepted, 1 wrong, and it was on the belt: one of the two there
        (Sorted(1, 2, 5), Sorted(2, 2, 5), 0.5),
        (Sorted(20, 28, 60), Sorted(73, 79, 123), 0.009),
        (Sorted(2, 2, 5), Sorted(1, 2, 5), 1.0),
    ],
)
def test_a_lower_purity_is_told_by_fishers_test(belt: Sorted, alone: Sorted, p: float) -> None:
    assert lower(belt, alone) == pytest.approx(p, abs=5e-4)


def test_photographs_are_sorted_on_a_belt_as_one_by_one(tmp_path: Path) -> None:
    make_bundle(tmp_path / "bundle")
    things = write_things(tmp_path / "things")
    pictures: list[LabelledPicture] = list(read_picture_set(things).pictures)
    classifier = Classifier(read_bundle(tmp_path / "bundle"))
    alone = evaluated(classifier, pictures)
    belt, report = on_a_belt(
        tmp_path / "bundle", pictures, classifier.labels, seed=0, picture=(160, 120)
    )
    assert alone == belt == Sorted(3, 3, len(BGR))
    assert report["verdicts"]["one"] == 3
