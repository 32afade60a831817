"""Golden pictures are stored such that they reveal mistakes, with a tolerance that is measured."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from converter.bundle.golden_choice import (
    ReferencePicture,
    choose_golden,
    golden_tolerance,
    stored_png,
    unknown_tolerance,
)
from converter.exports.tflite import Kind
from converter.tflite.operators import logit_scale
from edge.core.images.image_file import decode_image
from edge.core.images.preprocess import preprocess
from edge.core.model.interpreter import Interpreter
from edge.core.verdict import Prediction
from trainer.run import Run


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        # small: as it is, to the last pixel
        ((256, 341), (256, 341)),
        # square: a strip off at the top and the bottom
        ((240, 240), (180, 240)),
        # large: shrunk by a whole number, to 640 at most
        ((480, 641), (240, 320)),
        ((3000, 4001), (428, 571)),
        ((1280, 640), (640, 320)),
        # one line of pixels
        ((1, 2000), (1, 500)),
        ((4, 4), (4, 4)),
    ],
)
def test_pictures_are_stored_small_and_not_square(
    given: tuple[int, int], stored: tuple[int, int]
) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*given, 3)).astype(np.uint8)
    back = decode_image(stored_png(image))
    assert back.shape[:2] == stored
    if given == stored:
        np.testing.assert_array_equal(back, image)


def test_the_clearest_pictures_of_different_labels_are_chosen(
    run: Run, models: Mapping[Kind, bytes]
) -> None:
    golden = choose_golden(run.pictures(), models["int8"], run.facts.input, seed=7)
    assert [picture.prediction.scores.argmax() for picture in golden[:3]] != [
        golden[0].prediction.scores.argmax()
    ] * 3
    assert {int(picture.prediction.scores.argmax()) for picture in golden} == {0, 1, 2}
    assert len(golden) == 4
    assert min(picture.prediction.scores.max() for picture in golden) > 0.8


def test_answers_are_those_of_the_stored_picture_under_the_reference_kernels(
    run: Run, models: Mapping[Kind, bytes]
) -> None:
    reference = Interpreter(models["int8"], kernels="reference")
    for picture in choose_golden(run.pictures(), models["int8"], run.facts.input, seed=7):
        tensor = preprocess(decode_image(picture.png), run.facts.input)
        np.testing.assert_array_equal(tensor, picture.tensor)
        np.testing.assert_array_equal(reference.scores(tensor), picture.prediction.scores)


def test_validation_serves_where_the_test_part_is_tiny(
    run: Run, models: Mapping[Kind, bytes]
) -> None:
    few = [p for p in run.pictures() if p.split != "test"] + [
        next(p for p in run.pictures() if p.split == "test")
    ]
    assert len(choose_golden(few, models["int8"], run.facts.input, seed=7)) == 4


def test_the_tolerance_lets_logits_move_by_four_steps_at_least(
    models: Mapping[Kind, bytes], run: Run
) -> None:
    golden = choose_golden(run.pictures(), models["int8"], run.facts.input, seed=7)
    tolerance = golden_tolerance(golden, models["int8"])
    logits = np.log(golden[0].prediction.scores.astype(np.float64))
    moved = logits + 2 * logit_scale(models["int8"]) * np.array([-1, 1, 1])
    scores = np.exp(moved) / np.exp(moved).sum()
    assert np.abs(scores - golden[0].prediction.scores).max() <= tolerance
    assert tolerance < 0.3


def test_kernels_that_move_scores_further_widen_the_tolerance(
    models: Mapping[Kind, bytes], run: Run
) -> None:
    (first, *_) = choose_golden(run.pictures(), models["int8"], run.facts.input, seed=7)
    away = np.array([0.4, 0.35, 0.25], np.float32)  # as if the reference kernels had said so
    narrow = golden_tolerance([first], models["int8"])
    assert (
        golden_tolerance(
            [ReferencePicture(first.png, first.tensor, Prediction(away))], models["int8"]
        )
        > narrow
    )


def test_the_seed_decides(run: Run, models: Mapping[Kind, bytes]) -> None:
    def chosen(seed: int) -> list[bytes]:
        golden = choose_golden(run.pictures(), models["int8"], run.facts.input, seed=seed)
        return [picture.png for picture in golden]

    assert chosen(1) == chosen(1)
    assert len({tuple(chosen(seed)) for seed in range(6)}) > 1


def test_square_pictures_lose_their_top_and_bottom(tmp_path: Path) -> None:
    image = np.zeros((80, 80, 3), np.uint8)
    image[10:70] = 200
    assert decode_image(stored_png(image)).min() == 200


def test_a_strangeness_may_differ_by_twice_what_other_kernels_make_of_it(
    novelty_run: Run, novelty_models: Mapping[Kind, bytes]
) -> None:
    model = novelty_models["int8"]
    golden = choose_golden(novelty_run.pictures(), model, novelty_run.facts.input, seed=7)
    allowed = unknown_tolerance(golden, model)
    assert allowed is not None
    for picture in golden:
        found = Interpreter(model).predict(picture.tensor).novelty or 0
        assert abs(found - (picture.prediction.novelty or 0)) <= allowed / 1.5
    # 0.2 in the log-odds at the least: of 0.2 that makes 0.03
    assert 0.005 <= allowed < 0.1
    away = ReferencePicture(
        golden[0].png, golden[0].tensor, Prediction(golden[0].prediction.scores, 0.9)
    )
    assert (unknown_tolerance([away], model) or 0) > 0.3


def test_a_model_without_a_novelty_score_has_no_tolerance_for_it(
    run: Run, models: Mapping[Kind, bytes]
) -> None:
    golden = choose_golden(run.pictures(), models["int8"], run.facts.input, seed=7)
    assert unknown_tolerance(golden, models["int8"]) is None
