"""A child process ends when the one that started it is killed."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys

import pytest

from edge.core.processes.children import is_alive, tied

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help is Linux's")

_CHILD = (
    "import edge.core.processes.children as c; "
    "c.end_with_parent(); print('ready', flush=True); input()"
)


@pytest.mark.parametrize(
    "words",
    [
        f"[sys.executable, '-c', {_CHILD!r}]",
        "tied(['sh', '-c', 'echo ready; exec sleep 600'])",
    ],
    ids=["a child of ours", "a program"],
)
def test_a_child_ends_with_its_parent(words: str) -> None:
    parent = (
        "import subprocess, sys; from edge.core.processes.children import is_alive, tied\n"
        f"child = subprocess.Popen({words}, stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
        "child.stdout.readline(); print(child.pid, flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", parent], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        child = os.pidfd_open(int(process.stdout.readline()))
        try:
            process.send_signal(signal.SIGKILL)
            process.wait()
            assert select.select([child], [], [], 30)[0] == [child]
        finally:
            os.close(child)


def test_a_program_keeps_its_words_and_its_exit_code() -> None:
    done = subprocess.run(
        tied(["sh", "-c", 'echo "$1"; exit 7', "sh", "a b"]), capture_output=True, check=False
    )
    assert (done.returncode, done.stdout) == (7, b"a b\n")


def test_a_program_that_is_not_there_is_told() -> None:
    done = subprocess.run(tied(["/no/such"]), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "/no/such cannot be run: No such file" in done.stderr


def test_a_process_is_there_until_it_ended_also_that_of_another_user(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert is_alive(child.pid)
        child.communicate(b"\n")
    assert not is_alive(child.pid)
    with monkeypatch.context() as other:
        other.setattr(os, "kill", lambda *_: (_ for _ in ()).throw(PermissionError(1, "no")))
        assert is_alive(1)
