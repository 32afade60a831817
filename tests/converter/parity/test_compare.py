"""Two bundles, or a bundle and its float model, are compared on the same pictures."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import pytest

from converter.cli import main
from converter.exports.export_folders import exports_folder
from converter.exports.tflite import Kind
from edge.core.errors import EXIT_DATA, EXIT_IO
from tests.benchmarks.mutated_bundles import with_digests
from tests.bundles import BGR, TINY, make_bundle
from tests.converter import runs
from trainer.run import Run


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Forty pictures of each label, and a file that is no picture."""
    rng = np.random.default_rng(0)
    for label, colour in BGR.items():
        folder = tmp_path / "photos" / label
        folder.mkdir(parents=True)
        for number in range(40):
            noise = rng.integers(-20, 21, (40, 50, 3))
            picture = np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)
            (folder / f"{number}.png").write_bytes(cv2.imencode(".png", picture)[1].tobytes())
    (tmp_path / "photos" / "red" / "broken.png").write_bytes(b"no picture")
    return tmp_path / "photos"


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_a_bundle_and_itself_show_no_difference(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [str(make_bundle(tmp_path / "a")), str(make_bundle(tmp_path / "b", version="2"))]
    assert main(["compare", *words, "--data", str(photos), "--json"]) == 0
    found = told(capsys)
    assert found["verdict"] == "no difference shows"
    assert (found["agreement"], found["skipped"]) == (1.0, 1)
    assert main(["compare", *words, "--data", str(photos)]) == 0
    shown = capsys.readouterr()
    assert "+0.0 points" in shown.out
    assert "tiny 2" in shown.out
    assert "broken.png" in shown.err


def test_the_same_labels_in_another_order_are_matched_by_name(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    right = make_bundle(tmp_path / "a")
    wrong = make_bundle(tmp_path / "b", labels=("green", "red", "blue"))  # red is called green
    assert main(["compare", str(right), str(wrong), "--data", str(photos), "--json"]) == 0
    found = told(capsys)
    assert found["verdict"] == "the first is better"
    assert found["accuracy_drop"] == {
        "images": 120,
        "value": pytest.approx(2 / 3),
        "interval": found["accuracy_drop"]["interval"],  # type: ignore[index]
        "first_only_right": 80,
        "second_only_right": 0,
    }
    assert main(["compare", str(wrong), str(right), "--data", str(photos)]) == 0
    assert "the second is better" in capsys.readouterr().out


def test_bundles_of_other_labels_are_not_compared(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = make_bundle(tmp_path / "a")
    second = make_bundle(tmp_path / "b", labels=("red", "green", "can"))
    assert main(["compare", str(first), str(second), "--data", str(photos)]) == 2
    assert "blue, can only in one of them" in capsys.readouterr().err
    shutil.copytree(photos / "red", photos / "pink")
    assert main(["compare", str(first), str(first), "--data", str(photos)]) == 65
    assert "no label 'pink'" in capsys.readouterr().err


@pytest.fixture
def converted(run: Run, models: Mapping[Kind, bytes], tmp_path: Path) -> Path:
    """A bundle of the tiny run, with its float model beside it."""
    bundle = make_bundle(
        tmp_path / "bundle", labels=runs.LABELS, model=models["int8"], spec=run.facts.input
    )
    place = exports_folder(bundle) / "float32"
    place.mkdir(parents=True)
    (place / "model.tflite").write_bytes(models["float32"])
    return bundle


def test_a_bundle_is_checked_against_its_float_model(
    converted: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["check-parity", str(converted), "--data", run.facts.data.root]
    assert main([*words, "--json"]) == 0
    found = told(capsys)
    assert found["passed"] is True
    assert found["agreement"]["images"] == 69  # type: ignore[index]
    assert main([*words, "--run", str(run.path)]) == 0
    assert "agreement  100.0%" in capsys.readouterr().out


def test_a_run_of_other_labels_is_not_what_the_bundle_was_made_from(
    photos: Path, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = make_bundle(tmp_path / "bundle")
    words = ["check-parity", str(bundle), "--data", str(photos), "--run", str(run.path)]
    assert main(words) == 2
    assert "the bundle was not made from this run" in capsys.readouterr().err


def test_without_a_float_model_there_is_nothing_to_check_against(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = make_bundle(tmp_path / "bundle")
    assert main(["check-parity", str(bundle), "--data", str(photos)]) == 2
    assert "with --run, or convert that run again" in capsys.readouterr().err


def turned(model: bytes) -> bytes:
    """The model with the rows of its Dense layer rotated by one, so that it gives wrong labels."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    content = schema.ModelT.InitFromPackedBuf(model, 0)
    (graph,) = content.subgraphs
    codes = [code.builtinCode for code in content.operatorCodes]
    dense = codes.index(schema.BuiltinOperator.FULLY_CONNECTED)
    (layer,) = (op for op in graph.operators if op.opcodeIndex == dense)
    weights = graph.tensors[layer.inputs[1]]
    rows = np.array(content.buffers[weights.buffer].data, np.uint8).reshape(weights.shape)
    content.buffers[weights.buffer].data = np.roll(rows, 1, axis=0).ravel()
    builder = flatbuffers.Builder(len(model))
    builder.Finish(content.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def test_int8_that_answers_otherwise_fails_with_exit_1(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = make_bundle(tmp_path / "bundle", model=turned(TINY.read_bytes()))
    place = exports_folder(bundle) / "float32"
    place.mkdir(parents=True)
    (place / "model.tflite").write_bytes(TINY.read_bytes())
    assert main(["check-parity", str(bundle), "--data", str(photos)]) == 1
    assert "FAILS      float and int8 agree on 0.0%" in capsys.readouterr().out


def pointing_nowhere(model: bytes) -> bytes:
    """The model with an invalid input index in its first convolution, which crashes a runtime."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    content = schema.ModelT.InitFromPackedBuf(model, 0)
    operators = content.subgraphs[0].operators
    convolution = next(operator for operator in operators if len(operator.inputs) == 3)
    convolution.inputs = [100_000, *convolution.inputs[1:]]
    builder = flatbuffers.Builder(len(model))
    builder.Finish(content.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


@pytest.mark.parametrize("which", ["the float model", "the bundle", "another bundle"])
def test_a_model_that_ends_the_process_is_refused(
    photos: Path, tmp_path: Path, which: str, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = TINY.read_bytes(), pointing_nowhere(TINY.read_bytes())
    bundle = make_bundle(tmp_path / "bundle")
    if which == "the bundle":
        (bundle / "model.tflite").write_bytes(bad)
        with_digests(bundle)
    if which == "another bundle":
        other = make_bundle(tmp_path / "other")
        (other / "model.tflite").write_bytes(bad)
        with_digests(other)
        words = ["compare", str(bundle), str(other)]
    else:
        place = exports_folder(bundle) / "float32"
        place.mkdir(parents=True)
        (place / "model.tflite").write_bytes(bad if which == "the float model" else good)
        words = ["check-parity", str(bundle)]
    assert main([*words, "--data", str(photos)]) == EXIT_DATA
    assert "not a TFLite model that is safe to load" in capsys.readouterr().err


def test_a_float_model_that_is_no_file_is_refused(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = make_bundle(tmp_path / "bundle")
    place = exports_folder(bundle) / "float32"
    place.mkdir(parents=True)
    os.mkfifo(place / "model.tflite")
    assert main(["check-parity", str(bundle), "--data", str(photos)]) == EXIT_IO
    assert "it is a pipe, not a file" in capsys.readouterr().err
