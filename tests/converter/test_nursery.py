"""TensorFlow is loaded once and lent out: tasks run in forks, which end with their caller."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from converter import apart
from converter.apart import one_tensorflow
from converter.calibration import Tensors
from converter.nursery import TALK
from converter.tflite import convert_model
from trainer.run import Run

FORK = """
import os, signal
from converter.nursery import _ended
child = os.fork()
if child == 0:
    {doing}
print(_ended(child))
"""


def ended(doing: str, *, caller_is_gone: bool = False) -> int:
    """What is found of a fork that is `doing` something, while its caller waits or is gone."""
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", FORK.format(doing=doing)],
        stdin=subprocess.DEVNULL if caller_is_gone else subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        return int(process.stdout.readline())


@pytest.mark.parametrize(
    ("doing", "code"), [("os._exit(3)", 3), ("os.kill(os.getpid(), signal.SIGSEGV)", -11)]
)
def test_the_exit_code_of_a_fork_is_told_and_the_signal_that_ended_it(
    doing: str, code: int
) -> None:
    assert ended(doing) == code


def test_a_fork_whose_caller_is_gone_is_ended() -> None:
    assert ended("signal.pause()", caller_is_gone=True) == -9


def test_tasks_share_one_process_which_outlives_a_task_that_fails(
    run: Run, tensors: Tensors, tmp_path: Path
) -> None:
    with one_tensorflow() as nursery:
        convert_model(run, "float16", tensors)
        first = nursery.process_id
        code = apart._run_apart("no such task", run, tmp_path, "failing", None)
        assert code == 1
        assert "no such task" in (tmp_path / TALK).read_text("utf-8")
        convert_model(run, "float16", tensors)
        assert nursery.process_id == first is not None
