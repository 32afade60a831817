"""The content and the cost of a model are read from its file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from converter.cli import main
from converter.errors import ConversionError
from converter.exports.tflite import Kind
from converter.tflite.inspection import read_structure
from converter.tflite.metadata import with_metadata
from tests.bundles import SPEC, TINY, make_bundle
from tests.converter.runs import LABELS


def test_an_int8_model_shows_its_types_scales_and_labels(models: Mapping[Kind, bytes]) -> None:
    model = with_metadata(models["int8"], name="a", version="1", spec=SPEC, labels=LABELS)
    found = read_structure(model, name="it")
    (taken,), (given,) = found.inputs, found.outputs
    assert (taken.dtype, taken.shape, taken.scale, taken.zero_point) == (
        "uint8", (1, 32, 32, 3), 1.0, 0,
    )  # fmt: skip
    assert (given.dtype, given.shape) == ("float32", (1, 3))
    assert set(found.not_int8) == {"DEQUANTIZE", "SOFTMAX"}
    assert found.labels == LABELS
    assert found.size == len(model)
    assert found.weighted >= found.per_channel > 0


def test_a_float_model_is_float_throughout(models: Mapping[Kind, bytes]) -> None:
    found = read_structure(models["float32"], name="it")
    assert found.not_int8 == found.operators
    assert found.per_channel == 0
    assert found.labels == ()


def test_multiply_accumulates_are_those_of_the_layers(models: Mapping[Kind, bytes]) -> None:
    # Counted another way: from the Keras model's own layers.
    from tests.data.make_tiny import tiny_model

    expected = 0
    for layer in tiny_model().layers:
        weights = layer.get_weights()
        if not weights or weights[0].ndim not in (2, 4):
            continue
        if type(layer).__name__ == "DepthwiseConv2D":
            expected += int(np.prod(layer.output.shape[1:])) * int(np.prod(weights[0].shape[:2]))
        else:
            expected += int(np.prod(layer.output.shape[1:])) * int(np.prod(weights[0].shape[:-1]))
    assert read_structure(models["int8"], name="it").multiply_accumulates == expected
    assert read_structure(models["float32"], name="it").multiply_accumulates == expected


def test_the_command_takes_a_bundle_or_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", str(make_bundle(tmp_path / "bundle")), "--json"]) == 0
    whole = json.loads(capsys.readouterr().out)
    file = tmp_path / "theirs.tflite"
    file.write_bytes((TINY.parent / "tiny.tflite").read_bytes())
    assert main(["inspect", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["operators"] == whole["operators"]
    assert main(["inspect", str(file)]) == 0
    assert "CONV_2D" in capsys.readouterr().out


def test_what_is_no_model_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "broken.tflite"
    file.write_bytes(b"PK and so on, but no model")
    assert main(["inspect", str(file)]) == ConversionError.exit_code
    assert "not a TFLite model" in capsys.readouterr().err
    assert main(["inspect", str(tmp_path / "none.tflite")]) == 74
