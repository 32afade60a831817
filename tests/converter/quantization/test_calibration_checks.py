"""A poor choice of calibration pictures is noticed, because others give another model."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from converter.calibration import Tensors
from converter.cli import main
from converter.exports.tflite import Kind, convert_model
from converter.quantization.calibration_checks import label_agreement, saturation
from edge.core.errors import EXIT_DATA
from edge.core.images.preprocess import InputSpec, Tensor, preprocess
from edge.core.model.bundle import read_bundle
from tests.converter.runs import make_run
from trainer.run import Run


def test_a_model_agrees_with_itself(models: Mapping[Kind, bytes], tensors: Tensors) -> None:
    found = label_agreement(models["int8"], models["int8"], tensors[2:12])
    assert (found.count, found.total) == (10, 10)


def test_one_dark_picture_repeated_cuts_off_what_others_show(
    run: Run, models: Mapping[Kind, bytes], tensors: Tensors
) -> None:
    dark = np.full((12, *run.facts.input.shape), 40, np.uint8)
    poor = convert_model(run, "int8", dark)
    bright = np.full((5, *run.facts.input.shape), 230, np.uint8)
    assert saturation(poor, bright)[0].share > 0.6
    assert saturation(models["int8"], bright)[0].share < 0.3


def test_two_disjoint_choices_are_compared_and_the_bundle_keeps_the_figure(
    tmp_path: Path, keras_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make_run(tmp_path, keras_model)
    words = ["convert", str(run), "--out", str(tmp_path / "bundle"), "--calibration-pictures", "15"]
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["passed"]
    figures = read_bundle(tmp_path / "bundle").manifest.figures["calibration"]
    assert figures["images"] == 9
    assert figures["other_pictures_agreement"] == 1
    assert 0 <= figures["saturated"][0]["share"] < 0.5
    card = (tmp_path / "bundle" / "card.md").read_text(encoding="utf-8")
    assert re.search(r"Calibrated with other pictures.* the same label on .*\(9 of 9\)", card)


def test_the_same_run_gives_the_same_bundle_byte_for_byte(
    tmp_path: Path, keras_model: Path
) -> None:
    run = make_run(tmp_path, keras_model)
    for name in ("one", "other"):
        assert main(["convert", str(run), "--out", str(tmp_path / name), "--name", "same"]) == 0
    one, other = (read_bundle(tmp_path / name) for name in ("one", "other"))
    assert one.files == other.files


def exchanged(levels: Tensor) -> Tensor:
    return levels[..., ::-1]


def darkened(levels: Tensor) -> Tensor:
    return levels // 3


def first_only(levels: Tensor) -> Tensor:
    return np.full_like(levels, 70)


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (exchanged, "other levels than the device would read"),
        (darkened, "other levels than the device would read"),
        (first_only, "calibration needs 10"),
    ],
)
def test_calibration_broken_on_purpose_is_caught(
    broken: Callable[[Tensor], Tensor],
    said: str,
    tmp_path: Path,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Red and blue swapped, another normalisation, and one picture repeated are refused."""

    def read(image: Tensor, spec: InputSpec, *, out: Tensor) -> None:
        out[:] = broken(preprocess(image, spec))

    monkeypatch.setattr("converter.calibration.preprocess", read)
    assert main(["convert", str(run.path), "--out", str(tmp_path / "bundle")]) == EXIT_DATA
    assert said in capsys.readouterr().err
    assert not (tmp_path / "bundle").exists()
