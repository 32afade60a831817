"""TensorFlow's and LiteRT's chatter is held back, and nothing else."""

from __future__ import annotations

import os

import pytest

from edge.core.model.interpreter import Interpreter
from edge.core.terminal.chatter import chatter_held_back, without_chatter
from tests.bundles import TINY

CHATTER = """\
WARNING: All log messages before absl::InitializeLog() is called are written to STDERR
I0000 00:00:1795952003.934679   22288 cpu_feature_guard.cc:227] This TensorFlow binary is optimized
W0000 00:00:1795952003.934679   22288 tf_tfl_flatbuffer_helpers.cc:392] Ignored output_format.
E0000 00:00:1795952003.934679   22288 cuda_dnn.cc:8579] Unable to register cuDNN factory
2026-11-29 11:00:00.123456: I tensorflow/core/util/port.cc:153] oneDNN custom operations are on.
2026-11-29 11:00:00.123456: E external/local_xla/xla/stream_executor/cuda/cuda_platform.cc:51] no
To enable the following instructions: AVX2 FMA, in other operations, rebuild TensorFlow
INFO: Created TensorFlow Lite XNNPACK delegate for CPU.
WARNING:tensorflow:5 out of the last 5 calls to <function f> triggered tf.function retracing.
"""
ERRORS = """\
E0000 00:00:1795952003.934679   22288 meta_optimizer.cc:966] an optimizer failed
2026-11-29 11:00:00.123456: E tensorflow/core/framework/op_kernel.cc:1] OOM when allocating
ERROR: Node number 3 (CONV_2D) failed to prepare.
pilah-edge: error: INFO: no such file
Segmentation fault
"""


@pytest.mark.parametrize("line", CHATTER.splitlines(keepends=True))
def test_chatter_is_known(line: str) -> None:
    assert without_chatter(line) == ""


@pytest.mark.parametrize("line", ERRORS.splitlines(keepends=True))
def test_an_error_is_not_chatter(line: str) -> None:
    assert without_chatter(line) == line


def test_what_is_written_to_the_descriptor_comes_without_the_chatter(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with chatter_held_back():
        os.write(2, (CHATTER + ERRORS).encode())
        with chatter_held_back():
            os.write(2, CHATTER.encode())
    assert capfd.readouterr().err == ERRORS


def test_after_a_mistake_everything_is_shown(capfd: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        os.write(2, CHATTER.encode())
        raise ImportError

    with pytest.raises(ImportError), chatter_held_back():
        fail()
    assert capfd.readouterr().err == CHATTER


def test_loading_a_model_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    Interpreter(TINY.read_bytes())
    assert capfd.readouterr() == ("", "")
