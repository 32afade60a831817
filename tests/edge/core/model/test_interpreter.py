"""A model runs on the runtime that is here, or is refused for what is wrong with it."""

from __future__ import annotations

import builtins
import importlib
from types import ModuleType

import numpy as np
import pytest

from edge.core.errors import (
    EXIT_UNAVAILABLE,
    BundleFormatError,
    ModelInputError,
    ModelOutputError,
    RuntimeMissingError,
    UsageError,
)
from edge.core.model import interpreter as module
from edge.core.model.interpreter import Interpreter, Kernels
from tests.bundles import TINY, TINY_UNKNOWN

MODEL = TINY.read_bytes()
RUNTIME = Interpreter(MODEL).runtime
RED = np.full((32, 32, 3), (255, 0, 0), np.uint8)
NOISE = np.random.default_rng(3).integers(0, 256, (20, 32, 32, 3)).astype(np.uint8)


def test_it_tells_what_it_is() -> None:
    interpreter = Interpreter(MODEL, threads=2)
    assert interpreter.input_shape == (32, 32, 3)
    assert interpreter.classes == 3
    assert interpreter.threads == 2
    name, version = interpreter.runtime.split()
    assert name in ("ai-edge-litert", "tflite-runtime")
    assert version == importlib.metadata.version(name)


@pytest.mark.parametrize("kernels", ["default", "plain", "reference"])
def test_scores_are_probabilities_in_float32(kernels: Kernels) -> None:
    scores = Interpreter(MODEL, kernels=kernels).scores(RED)
    assert scores.dtype == np.float32
    assert scores.shape == (3,)
    assert scores.sum() == pytest.approx(1)
    # Logits of 6, -3 and -3 by the model's weights: 1 / (1 + 2 exp(-9)).
    assert scores[0] == pytest.approx(0.99975, abs=1e-4)


@pytest.mark.parametrize("kernels", ["default", "plain", "reference"])
def test_a_model_with_a_second_output_gives_a_novelty_score(kernels: Kernels) -> None:
    interpreter = Interpreter(TINY_UNKNOWN.read_bytes(), kernels=kernels)
    assert (interpreter.classes, interpreter.has_unknown) == (3, True)
    red, grey = (interpreter.predict(picture) for picture in (RED, np.full_like(RED, 127)))
    assert red.scores.argmax() == 0
    assert red.novelty == pytest.approx(0.032, abs=0.01)
    assert grey.novelty == pytest.approx(0.82, abs=0.01)
    assert np.array_equal(interpreter.scores(RED), red.scores)


def test_a_model_without_one_says_nothing() -> None:
    interpreter = Interpreter(MODEL)
    assert not interpreter.has_unknown
    assert interpreter.predict(RED).novelty is None


def test_outputs_are_told_by_their_names_in_any_order() -> None:
    content = TINY_UNKNOWN.read_bytes()
    # The same file with the names the other way round: what is called `scores` is one wide then.
    swapped = content.replace(b"scores", b"......").replace(b"unknown\0", b"scores\0\0")
    with pytest.raises(ModelOutputError, match=r"Received: .*'scores', 'float32', \[1, 1\]"):
        Interpreter(swapped)


def test_scores_have_no_steps_of_an_int8_softmax() -> None:
    interpreter = Interpreter(MODEL)
    scores = np.stack([interpreter.scores(tensor) for tensor in NOISE])
    steps = scores * 256
    assert np.abs(steps - np.rint(steps)).max() > 0.05


def test_kernel_families_agree_closely() -> None:
    families: tuple[Kernels, ...] = ("default", "plain", "reference")
    one, two, three = (
        np.stack([Interpreter(MODEL, kernels=kernels).scores(t) for t in NOISE])
        for kernels in families
    )
    assert np.abs(one - three).max() < 0.02
    assert np.abs(two - three).max() < 0.02


@pytest.mark.parametrize("kernels", ["default", "reference"])
def test_more_threads_give_the_same_bytes(kernels: Kernels) -> None:
    one, two = (Interpreter(MODEL, threads=threads, kernels=kernels) for threads in (1, 2))
    assert all(np.array_equal(one.scores(tensor), two.scores(tensor)) for tensor in NOISE)


def test_its_own_buffer_and_a_foreign_tensor_score_alike() -> None:
    interpreter = Interpreter(MODEL)
    foreign = interpreter.scores(NOISE[0])
    interpreter.tensor[...] = NOISE[1]
    interpreter.tensor[...] = NOISE[0]
    assert np.array_equal(interpreter.answer().scores, foreign)


def test_scores_stay_when_the_next_are_computed() -> None:
    interpreter = Interpreter(MODEL)
    first = interpreter.scores(RED)
    before = first.copy()
    interpreter.scores(NOISE[0])
    assert np.array_equal(first, before)


def test_xnnpack_is_reported_where_it_computes() -> None:
    interpreter = Interpreter(MODEL)
    # tflite-runtime 2.14 creates the delegate, which takes no int8 operator: off, then.
    assert interpreter.xnnpack is interpreter.runtime.startswith("ai-edge-litert")


@pytest.mark.parametrize("kernels", ["plain", "reference"])
def test_xnnpack_is_off_with_other_kernels(kernels: Kernels) -> None:
    assert Interpreter(MODEL, kernels=kernels).xnnpack is False


@pytest.mark.parametrize(
    ("name", "error", "says"),
    [
        ("tiny_float_input", ModelInputError, r"one uint8 picture.*Received: \[\('float32'"),
        ("tiny_scaled_input", ModelInputError, r"raw levels 0\.\.255.*Received: scale 0\.0078"),
        ("tiny_uint8_output", ModelOutputError, r"float32 scores.*Received: .*'uint8'"),
        ("tiny_two_outputs", ModelOutputError, r"one number \(1, 1\) named 'unknown'.*Received: "),
    ],
)
def test_a_model_of_another_kind_is_refused(name: str, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        Interpreter((TINY.parent / f"{name}.tflite").read_bytes())


@pytest.mark.parametrize(
    "content", [b"", b"hello" * 100, MODEL[:1500]], ids=["empty", "text", "cut"]
)
def test_bytes_that_are_no_model_are_refused(content: bytes) -> None:
    if content.startswith(MODEL[:8]) and RUNTIME.startswith("tflite-runtime"):
        pytest.skip("tflite-runtime 2.14 crashes on a cut model: only the digest keeps it away")
    with pytest.raises(BundleFormatError, match=r"model\.tflite cannot be loaded by"):
        Interpreter(content)


@pytest.mark.parametrize("threads", [0, -1])
def test_fewer_threads_than_one_are_refused(threads: int) -> None:
    with pytest.raises(UsageError, match=f"threads must be 1 or more. Received: {threads}"):
        Interpreter(MODEL, threads=threads)


def _without(monkeypatch: pytest.MonkeyPatch, errors: dict[str, ImportError]) -> None:
    whole = importlib.import_module

    def import_module(name: str, package: str | None = None) -> ModuleType:
        if name in errors:
            raise errors[name]
        return whole(name, package)

    monkeypatch.setattr(module.importlib, "import_module", import_module)


LITERT, LEGACY = "ai_edge_litert.interpreter", "tflite_runtime.interpreter"


def test_no_runtime_at_all_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    _without(monkeypatch, {name: ModuleNotFoundError(name=name) for name in (LITERT, LEGACY)})
    with pytest.raises(RuntimeMissingError, match=r"locks/edge\.txt.*legacy\.txt") as caught:
        Interpreter(MODEL)
    assert caught.value.exit_code == EXIT_UNAVAILABLE


def test_a_runtime_that_does_not_load_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = builtins.ImportError("numpy.core.multiarray failed to import")
    _without(monkeypatch, {LITERT: ModuleNotFoundError(name=LITERT), LEGACY: broken})
    with pytest.raises(RuntimeMissingError, match=r"tflite-runtime.*multiarray.*numpy below 2"):
        Interpreter(MODEL)
