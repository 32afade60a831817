from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.core.errors import StorageError
from edge.runtime import child_process
from edge.runtime.child_process import ChildEndedError, ChildProcess
from tests.logged import listen

MODULE = """
import logging, os, pathlib
from edge.core.errors import StorageError
from edge.runtime.child_process import serve

def work(request):
    if request == "end":
        os._exit(3)
    if request == "fail":
        raise StorageError("the disk is full")
    print("this is no answer")
    logging.getLogger("edge.child").warning(f"done {request}")
    pathlib.Path("done").write_text(str(request))

serve(work)
"""


@pytest.fixture
def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ChildProcess]:
    (tmp_path / "child_of_a_test.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{Path(child_process.__file__).parents[2]}")
    with ChildProcess("child_of_a_test") as child:
        yield child


def test_what_is_asked_for_is_done_and_what_the_child_says_is_said(
    child: ChildProcess, tmp_path: Path
) -> None:
    said: list[str] = []
    listen(said.append)
    child.ask("the first")
    assert (tmp_path / "done").read_text() == "the first"
    assert said == ["done the first"]


def test_what_it_fails_with_is_raised_and_the_next_is_done(
    child: ChildProcess, tmp_path: Path
) -> None:
    with pytest.raises(StorageError, match="the disk is full"):
        child.ask("fail")
    child.ask("the next")
    assert (tmp_path / "done").read_text() == "the next"


def test_one_that_ends_is_told_how_and_a_new_one_goes_on(
    child: ChildProcess, tmp_path: Path
) -> None:
    with pytest.raises(
        ChildEndedError, match=r"ended \(exit code 3\), as it does where a disk fails"
    ):
        child.ask("end")
    child.ask("again")
    assert child._process is not None
    os.kill(child._process.pid, signal.SIGBUS)
    with pytest.raises(ChildEndedError, match="SIGBUS"):
        child.ask("more")
    child.close()
    child.close()
    assert (tmp_path / "done").read_text() == "again"


def test_one_that_cannot_be_started_is_tried_again(
    child: ChildProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    child.close()
    with monkeypatch.context() as changed:
        changed.setattr(sys, "executable", "/nowhere")
        with pytest.raises(ChildEndedError, match=r"cannot be started \(No such file"):
            child.ask("anything")
    child.ask("anything")
