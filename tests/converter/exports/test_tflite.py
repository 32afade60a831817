"""TFLite models have the promised inputs, outputs and operators, and a subprocess makes them."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from converter.calibration import Tensors
from converter.errors import ConversionError
from converter.exports.tflite import Kind, convert_model
from converter.parity.gate import judge
from converter.tensorflow import process, tasks
from converter.tensorflow.fork_server import ForkServer
from converter.tflite.operators import check_integers, logit_scale, read_operators
from edge.core.errors import ModelInputError, StorageError
from edge.core.images.preprocess import InputSpec
from edge.core.model.interpreter import Interpreter, Kernels
from tests.bundles import SPEC, TINY
from tests.converter.parity.comparing import parity_of
from tests.converter.runs import KERAS_READS_VARIABLES, LABELS, make_run
from trainer.run import MODEL, Run, read_run


def details(model: bytes) -> tuple[dict[str, object], dict[str, object]]:
    from ai_edge_litert.interpreter import Interpreter as LiteRt

    interpreter = LiteRt(model_content=model)
    interpreter.allocate_tensors()
    return interpreter.get_input_details()[0], interpreter.get_output_details()[0]


def test_the_int8_model_takes_raw_levels_and_gives_float_scores(
    models: Mapping[Kind, bytes],
) -> None:
    taken, given = details(models["int8"])
    assert (taken["dtype"], taken["quantization"]) == (np.uint8, (1.0, 0))
    assert (given["dtype"], given["shape"].tolist()) == (np.float32, [1, 3])  # type: ignore[attr-defined]


def test_the_int8_model_is_integer_up_to_its_softmax(models: Mapping[Kind, bytes]) -> None:
    *integer, dequantize, softmax = read_operators(models["int8"])
    assert {"CONV_2D", "FULLY_CONNECTED"} <= {op.name for op in integer}
    for op in integer:
        assert set(op.inputs + op.outputs) <= {"uint8", "int8", "int32"}, op
    assert (dequantize.name, dequantize.inputs, dequantize.outputs) == (
        "DEQUANTIZE",
        ("int8",),
        ("float32",),
    )
    assert (softmax.name, softmax.inputs, softmax.outputs) == (
        "SOFTMAX",
        ("float32",),
        ("float32",),
    )


def test_scores_have_finer_steps_than_an_int8_softmax(
    models: Mapping[Kind, bytes], tensors: Tensors
) -> None:
    interpreter = Interpreter(models["int8"])
    best = np.array([interpreter.scores(tensor).max() for tensor in tensors])
    off_the_grid = np.abs(best * 256 - np.round(best * 256)) > 0.01
    assert off_the_grid.mean() > 0.8


def test_a_step_of_a_logit_is_what_tells_two_scores_apart(models: Mapping[Kind, bytes]) -> None:
    interpreter = Interpreter(models["int8"])
    rng = np.random.default_rng(1)
    tensor = rng.integers(0, 256, interpreter.input_shape).astype(np.uint8)
    logs = np.log(interpreter.scores(tensor).astype(np.float64))
    steps = (logs - logs[0]) / logit_scale(models["int8"])
    assert np.abs(steps - np.round(steps)).max() < 0.01


@pytest.mark.filterwarnings(KERAS_READS_VARIABLES)
def test_the_float_model_runs_through_the_same_device_code(
    models: Mapping[Kind, bytes], run: Run, tensors: Tensors
) -> None:
    keras_model = run.load_model()
    interpreter = Interpreter(models["float32"])
    for tensor in tensors[:5]:
        expected = np.asarray(keras_model(tensor[None].astype(np.float32)))[0]
        np.testing.assert_allclose(interpreter.scores(tensor), expected, atol=1e-4)


@pytest.mark.usefixtures("log_lines")
def test_the_same_run_gives_the_same_bytes_and_says_only_how_it_goes(
    models: Mapping[Kind, bytes],
    run: Run,
    tensors: Tensors,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # What the user's shell says must not reach TensorFlow: it warns that tf.lite is deprecated.
    monkeypatch.setenv("PYTHONWARNINGS", "error")
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert convert_model(run, "int8", tensors) == models["int8"]
    out, err = capfd.readouterr()
    assert out == ""
    # A quick machine is done before there is anything to say.
    said = {line.partition(": ")[0] for line in err.splitlines()}
    assert said <= {"converting to int8"}, err


def test_a_float_operator_in_the_middle_is_refused(models: Mapping[Kind, bytes]) -> None:
    with pytest.raises(ConversionError, match=r"in float: .*CONV_2D"):
        check_integers(models["float32"])


def test_behind_the_last_layers_with_weights_all_is_float(
    novelty_models: Mapping[Kind, bytes],
) -> None:
    found = read_operators(novelty_models["int8"])
    check_integers(novelty_models["int8"], "both")
    last = max(i for i, op in enumerate(found) if op.name == "FULLY_CONNECTED")
    for op in found[last + 1 :]:
        assert op.outputs == ("float32",) or op.name == "REDUCE_MAX", op
    for op in found:
        if op.name in ("CONV_2D", "FULLY_CONNECTED", "MEAN"):
            assert op.outputs == ("int8",)
    assert {"SOFTMAX", "LOG", "SQRT", "DIV", "LOGISTIC"} <= {op.name for op in found}


@pytest.mark.parametrize("unknown", [None, "energy", "distance"])
def test_float_operators_that_the_run_does_not_tell_of_are_refused(
    novelty_models: Mapping[Kind, bytes], unknown: str | None
) -> None:
    with pytest.raises(ConversionError, match=r"must end in .*LOGISTIC \(float32\)"):
        check_integers(novelty_models["int8"], unknown)


def test_an_integer_tail_is_refused() -> None:
    coarse = (TINY.parent / "tiny_uint8_output.tflite").read_bytes()
    with pytest.raises(ConversionError, match=r"in float\. Received: SOFTMAX \(int8\)"):
        check_integers(coarse)


@pytest.mark.filterwarnings(KERAS_READS_VARIABLES)
@pytest.mark.parametrize("kernels", ["default", "plain", "reference"])
def test_strangeness_is_the_same_in_keras_float_and_nearly_in_int8(
    novelty_models: Mapping[Kind, bytes], novelty_run: Run, tensors: Tensors, kernels: Kernels
) -> None:
    keras_model = novelty_run.load_model()
    expected = np.asarray(keras_model(tensors.astype(np.float32))[1])[:, 0]
    float32, int8 = (
        np.array([Interpreter(model, kernels=kernels).predict(t).novelty for t in tensors])
        for model in (novelty_models["float32"], novelty_models["int8"])
    )
    np.testing.assert_allclose(float32, expected, atol=1e-4)
    assert np.abs(int8 - expected).mean() < 0.02


def test_a_strangeness_is_no_step_of_an_integer(
    novelty_models: Mapping[Kind, bytes], tensors: Tensors
) -> None:
    interpreter = Interpreter(novelty_models["int8"])
    found = np.array([interpreter.predict(tensor).novelty for tensor in tensors])
    assert (np.abs(found * 256 - np.round(found * 256)) > 0.01).mean() > 0.8


@pytest.mark.filterwarnings(KERAS_READS_VARIABLES)
def test_a_run_that_tells_of_no_second_output_is_refused(
    tmp_path: Path, novelty_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_run_job", lambda run, folder, _: tasks.main(run.path, folder))
    run = read_run(make_run(tmp_path, novelty_run.path / MODEL, parts={"test": 1}))
    with pytest.raises(
        ConversionError, match=r"with 2 outputs, but run\.json says .*, with 1: train"
    ):
        convert_model(run, "float32", np.zeros((3, *SPEC.shape), np.uint8))


def test_one_picture_repeated_for_calibration_is_caught(
    models: Mapping[Kind, bytes], run: Run, tensors: Tensors
) -> None:
    broken = convert_model(run, "int8", np.repeat(tensors[5:6], 20, axis=0))
    with pytest.raises(ModelInputError, match="scale 1 and zero point 0"):
        Interpreter(broken)


def test_pictures_of_another_normalisation_for_calibration_fail_the_gate(
    models: Mapping[Kind, bytes], run: Run, tensors: Tensors
) -> None:
    scaled = tensors.copy()
    scaled[2:] //= 255  # as if the model took 0..1; black and white are as they should be
    parity = parity_of(run, float32=models["float32"], int8=convert_model(run, "int8", scaled))
    assert judge(parity).failures
    good = parity_of(run, **models)
    assert not judge(good).failures


@pytest.mark.filterwarnings(KERAS_READS_VARIABLES)
@pytest.mark.parametrize(
    ("labels", "spec", "message"),
    [
        (
            LABELS,
            InputSpec(height=48, width=32),
            r"\(32, 32, 3, 3\), with 1 .* says \(48, 32, 3, 3\)",
        ),
        ((*LABELS, "more"), SPEC, r"\(32, 32, 3, 3\), .* says \(32, 32, 3, 4\)"),
    ],
)
def test_a_model_of_another_shape_than_the_run_says_is_refused(
    tmp_path: Path,
    keras_model: Path,
    monkeypatch: pytest.MonkeyPatch,
    labels: tuple[str, ...],
    spec: InputSpec,
    message: str,
) -> None:
    # In this process: what is tested comes before anything that TensorFlow would warn of.
    monkeypatch.setattr(process, "_run_job", lambda run, folder, _: tasks.main(run.path, folder))
    run = read_run(make_run(tmp_path, keras_model, labels=labels, parts={"test": 1}, spec=spec))
    with pytest.raises(ConversionError, match=message):
        convert_model(run, "float32", np.zeros((3, *spec.shape), np.uint8))


def test_a_damaged_model_is_refused_with_the_run_s_own_words(
    tmp_path: Path, keras_model: Path, tensors: Tensors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_run_job", lambda run, folder, _: tasks.main(run.path, folder))
    run = read_run(make_run(tmp_path, keras_model, parts={"test": 1}))
    whole = (run.path / MODEL).read_bytes()
    (run.path / MODEL).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ConversionError, match=r"model\.keras: cannot be loaded.*Train again"):
        convert_model(run, "float32", tensors)


@pytest.mark.filterwarnings(KERAS_READS_VARIABLES)
def test_what_tensorflow_says_comes_out_when_it_fails(
    tmp_path: Path, keras_model: Path, tensors: Tensors
) -> None:
    import keras

    picture = keras.Input((32, 32, 3))
    mean = keras.layers.GlobalAveragePooling2D()(picture)
    scores = keras.layers.Softmax()(keras.ops.erfinv(mean))  # TFLite has no such operator
    run = read_run(make_run(tmp_path, keras_model, parts={"test": 1}))
    keras.Model(picture, scores).save(run.path / MODEL)
    with pytest.raises(
        ConversionError, match=r"(?s)converting to float32: TensorFlow failed.*Erfinv"
    ):
        convert_model(run, "float32", tensors)


def test_ctrl_c_ends_the_other_process_and_leaves_no_folder(
    run: Run, tensors: Tensors, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ended: list[ForkServer] = []

    def interrupted(job: process._Waiting, *_: object) -> int:
        ended.append(job.server)
        with pytest.raises(subprocess.TimeoutExpired):
            job.wait(0)
        raise KeyboardInterrupt

    monkeypatch.setattr(process, "wait_with_progress", interrupted)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(KeyboardInterrupt):
        convert_model(run, "int8", tensors)
    assert ended[0].process_id is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_named_as_such_here(
    run: Run, tensors: Tensors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "TENSORS", "/dev/full")
    with pytest.raises(StorageError, match="the disk is full"):
        convert_model(run, "int8", tensors)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_named_as_such_by_the_other_process(
    run: Run, tensors: Tensors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_run_job", lambda run, folder, _: tasks.main(run.path, folder))
    monkeypatch.setattr(tasks, "STAGE", "/dev/full")
    with pytest.raises(StorageError, match=r"the disk is full.*TMPDIR"):
        convert_model(run, "int8", tensors)
