"""The limit of the novelty score is set by pictures that chose no epoch, where these are enough."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edge.core.dataset import LabelledPicture
from trainer.calibration.validation_parts import validation_parts
from trainer.errors import TooFewPicturesError
from trainer.recipes.plan import AcceptPlan, PhasePlan, Recipe, UnknownPlan


def prepared(
    validation: int, *, folds: int = 3, series: int = 1, score: str = "auto", earlier: object = None
) -> Any:
    """`validation` pictures to validate on, in series of alike ones, and twice as many others."""
    pictures = [
        LabelledPicture(Path(f"{i}.jpg"), "can" if i % 2 else "glass", f"group {i // series}")
        for i in range(3 * validation)
    ]
    split = np.array(["validation"] * validation + ["train"] * 2 * validation)
    recipe = Recipe(
        name="x",
        phases=[PhasePlan(name="head", train_from="pooled", epochs=1, learning_rate=0.1)],
        accept=AcceptPlan(folds=folds),
        unknown=UnknownPlan.model_validate({"score": score}),
    )
    return SimpleNamespace(
        pictures=pictures,
        recipe=recipe,
        seed=0,
        earlier=earlier,
        of=lambda *names: np.flatnonzero(np.isin(split, names)),
    )


@pytest.mark.parametrize(
    ("given", "parts"),
    [
        pytest.param(prepared(120), (60, 60), id="enough"),
        pytest.param(prepared(116), (116, 116), id="too few: 58 set no limit of 95 %"),
        pytest.param(prepared(400, series=10), (200, 200), id="enough series"),
        pytest.param(prepared(380, series=10), (380, 380), id="too few series"),
        pytest.param(prepared(120, score="none"), (120, 120), id="no limit is wanted"),
        pytest.param(prepared(120, earlier="a run"), (120, 120), id="an earlier run chose by them"),
        pytest.param(prepared(20, folds=1), (10, 10), id="no cross-fitted models"),
    ],
)
def test_half_of_the_validation_pictures_choose_no_epoch_where_that_is_enough(
    given: Any, parts: tuple[int, int]
) -> None:
    choosing, calibration = validation_parts(given)
    assert (len(choosing), len(calibration)) == parts
    total = len(given.of("validation"))
    assert len(set(choosing) | set(calibration)) == total
    assert bool(set(choosing) & set(calibration)) == (parts == (total, total))


def test_one_group_cannot_be_halved() -> None:
    with pytest.raises(TooFewPicturesError, match=r"accept\.folds: 1 takes half"):
        validation_parts(prepared(20, folds=1, series=1000))
