from __future__ import annotations

from pathlib import Path

import numpy as np

from edge.core.dataset import LabelledPicture
from tests.benchmarks.label_errors import measure, plant

PICTURES = [
    LabelledPicture(Path(f"{label}/{i}"), label, f"{label}/{i}")
    for label in ("can", "jar", "tin")
    for i in range(60)
]


def test_so_many_labels_are_replaced_and_each_by_another() -> None:
    spoilt, planted = plant(PICTURES, 0.05, seed=3)
    assert planted.sum() == 9
    differ = [a.label != b.label for a, b in zip(PICTURES, spoilt, strict=True)]
    assert differ == planted.tolist()
    assert plant(PICTURES, 0.05, seed=4)[1].tolist() != planted.tolist()


def test_features_that_tell_the_class_find_them_and_noise_does_not() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 1, (180, 10)).astype(np.float32)
    telling = noise + 5 * np.eye(10, dtype=np.float32)[np.repeat(np.arange(3), 60)]
    good, bad = (measure(x, PICTURES, share=0.05, seeds=[0, 1]) for x in (telling, noise))
    assert all(found.in_first_tenth == 1 for found in good)
    assert np.mean([found.in_first_tenth for found in bad]) < 0.5
