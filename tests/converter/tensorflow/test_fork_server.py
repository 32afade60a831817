"""TensorFlow is loaded once for all jobs; they run in forks, which end with their caller."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from converter.calibration import Tensors
from converter.exports.tflite import convert_model
from converter.tensorflow import process as module
from converter.tensorflow.fork_server import OUTPUT_LOG
from converter.tensorflow.process import (
    TaskRequest,
    background_tasks,
    shared_tensorflow,
    start_in_background,
)
from edge.core.errors import PilahError
from trainer.run import Run

SERVER = """
import os, signal
from converter.tensorflow import fork_server

def do(words, folder):
    os.close(1)
    for word in words:
        if word == "wait":
            signal.pause()
        elif word == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        elif word == "tell":
            (folder / "told").write_text(str(os.getpid()))
        elif word == "until":
            (folder / "go").read_text()
    os._exit(3)

fork_server._do = do
fork_server._serve(2)
"""


@contextmanager
def server() -> Iterator[subprocess.Popen[bytes]]:
    """A server without TensorFlow, whose jobs do what their words say and exit with 3.

    `told` and `go` are named pipes where a job and the test wait for each other.
    """
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
    ) as process:
        yield process


def ask(process: subprocess.Popen[bytes], job: int, folder: Path, *words: str) -> None:
    request = {"job": job, "words": words, "folder": str(folder)}
    assert process.stdin is not None
    process.stdin.write(json.dumps(request).encode() + b"\n")


def answer(process: subprocess.Popen[bytes]) -> tuple[int, int]:
    """The number of the next job that ends, and its exit code."""
    assert process.stdout is not None
    job, code = process.stdout.readline().split()
    return int(job), int(code)


@pytest.mark.parametrize(("word", "code"), [("end", 3), ("crash", -11)])
def test_the_exit_code_of_a_job_is_told_and_the_signal_that_ended_it(
    word: str, code: int, tmp_path: Path
) -> None:
    with server() as process:
        ask(process, 7, tmp_path, word)
        assert answer(process) == (7, code)


def test_two_jobs_run_side_by_side_and_the_third_when_one_of_them_is_done(tmp_path: Path) -> None:
    first, second, third = (tmp_path / name for name in ("first", "second", "third"))
    for folder in (first, second, third):
        folder.mkdir()
    for folder in (first, third):
        os.mkfifo(folder / "go")
    with server() as process:
        ask(process, 1, first, "until")
        ask(process, 2, second, "end")
        assert answer(process) == (2, 3)
        ask(process, 3, third, "until")
        ask(process, 4, second, "tell")
        (third / "go").write_text("")
        # The fourth had to wait for the third, the first is still there.
        assert [answer(process), answer(process)] == [(3, 3), (4, 3)]
        (first / "go").write_text("")
        assert answer(process) == (1, 3)


def test_jobs_whose_caller_is_gone_are_ended(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "told")
    with server() as process:
        ask(process, 1, tmp_path, "tell", "wait")
        job = int((tmp_path / "told").read_text())
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait() == 0
    with pytest.raises(ProcessLookupError):
        os.kill(job, 0)


def test_a_job_can_be_ended_while_it_runs_and_before(tmp_path: Path) -> None:
    with server() as process:
        for job in (1, 2, 3):
            ask(process, job, tmp_path, "wait")
        assert process.stdin is not None
        for job in (3, 1):
            process.stdin.write(json.dumps({"end": job}).encode() + b"\n")
        assert {answer(process), answer(process)} == {(3, -9), (1, -9)}


def test_what_was_begun_and_not_asked_for_is_ended_with_the_block(
    run: Run, tensors: Tensors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with shared_tensorflow() as server, background_tasks():
        start_in_background(run, [TaskRequest("int8", tensors)] * 3)
        start_in_background(run, [TaskRequest("float32", tensors)])
        assert len(list(tmp_path.iterdir())) == 2
    assert server._open == set()
    assert list(tmp_path.iterdir()) == []


def test_tasks_share_one_process_which_outlives_a_task_that_fails(
    run: Run, tensors: Tensors, tmp_path: Path
) -> None:
    with shared_tensorflow() as server:
        convert_model(run, "float16", tensors)
        first = server.process_id
        module._write_requests(tmp_path, [TaskRequest("no such task", tensors)])
        assert module._run_job(run, tmp_path, "failing") == 1
        assert "no such task" in (tmp_path / OUTPUT_LOG).read_text("utf-8")
        convert_model(run, "float16", tensors)
        assert server.process_id == first is not None


@pytest.fixture
def ahead() -> Iterator[None]:
    """A block in which tasks can be started in the background."""
    with background_tasks():
        yield


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tasks that run by themselves: not started before, or failed in the background."""
    done: list[str] = []

    def run_job(run: Run, folder: Path, doing: str) -> int:
        done.append(doing)
        return before(run, folder, doing)

    before = module._run_job
    monkeypatch.setattr(module, "_run_job", run_job)
    return done


@pytest.mark.usefixtures("ahead")
def test_what_was_begun_ahead_is_given_to_who_asks_for_the_same(
    run: Run, tensors: Tensors, alone: list[str]
) -> None:
    saved = TaskRequest("saved_model", tensors[:0])
    start_in_background(run, [saved, TaskRequest("saved_model scores", tensors[:4], saved)])
    with module.in_subprocess("saved_model", run, tensors[:0], doing="saved_model") as made:
        (folder,) = [made.result]
        with module.in_subprocess(
            "saved_model scores", run, tensors[:4].copy(), doing="scores", source=folder
        ) as scored:
            scores = np.load(scored.result)["scores"]
    assert alone == []
    assert scores.shape == (4, len(run.facts.labels))


@pytest.mark.usefixtures("ahead")
def test_other_pictures_than_were_begun_with_are_not_taken_for_them(
    run: Run, tensors: Tensors, alone: list[str]
) -> None:
    start_in_background(run, [TaskRequest("keras scores", tensors[:3])])
    with module.in_subprocess("keras scores", run, tensors[3:6], doing="others") as made:
        scores = np.load(made.result)["scores"]
    assert alone == ["others"]
    wanted = np.asarray(run.load_model()(tensors[3:6].astype(np.float32)))
    np.testing.assert_allclose(scores, wanted, atol=1e-5)


@pytest.mark.usefixtures("ahead")
def test_what_fails_of_that_is_done_alone_to_tell_why_and_so_is_what_comes_behind_it(
    run: Run, tensors: Tensors, tmp_path: Path, alone: list[str]
) -> None:
    strange = TaskRequest("saved_model scores", tensors[:1], tmp_path / "nowhere")
    start_in_background(run, [strange, TaskRequest("keras scores", tensors[:2])])
    with (
        pytest.raises(PilahError, match="nowhere"),
        module.in_subprocess(
            "saved_model scores", run, tensors[:1], doing="a", source=tmp_path / "nowhere"
        ),
    ):
        pass
    with module.in_subprocess("keras scores", run, tensors[:2], doing="b") as made:
        assert len(np.load(made.result)["scores"]) == 2
    assert alone == ["a", "b"]
