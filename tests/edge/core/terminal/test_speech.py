"""What is said within `without_waiting` waits for no reader, and what is left out is told."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from edge.core.terminal.speech import Speaker, _writer

CHILD = """
import logging, os, sys
from edge.core.command_line import print_json
from edge.core.terminal.live_line import LiveLine
from edge.core.terminal.log_lines import LogLines
from edge.core.terminal.progress import Progress
from edge.core.terminal.speech import without_waiting

lines = LogLines().__enter__()
log = logging.getLogger("edge")
with without_waiting() as speech:
    speech.limit_seconds = 0.1
    line = LiveLine()
    for number in range(300):
        log.info("x" * 9_000)
        print_json({"number": f"{number:09000}"})
        line.show("y" * 9_000)
    for descriptor in (1, 2):  # as a C library does
        try:
            while True:
                os.write(descriptor, b"z" * 80)
        except BlockingIOError:
            pass
    with Progress("counting", total=1) as progress:
        progress.advance()
    assert speech.out.left_out and speech.err.left_out
log.error("this, too, goes nowhere")
"""


class Reader:
    """Takes each text when it is told to."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._turns = threading.Semaphore(0)

    def write(self, text: str) -> None:
        self._turns.acquire()
        self.texts.append(text)

    def take(self, count: int) -> None:
        self._turns.release(count)


@pytest.fixture
def reader() -> Iterator[Reader]:
    one = Reader()
    yield one
    one.take(1000)  # the thread is not to stay behind


def test_what_fits_is_written_in_order_and_the_rest_is_counted_and_told(reader: Reader) -> None:
    told: list[str] = []
    speaker = Speaker(reader.write, name="standard output", tell=told.append, capacity=6)
    for text in "abcdefghij":
        speaker.write(text)
    assert told == ["warning: nobody reads standard output, so some lines will not be shown\n"]
    left_out = speaker.left_out
    assert left_out in (3, 4)  # the thread may have one in its hands
    reader.take(100)
    assert speaker.finish()
    assert reader.texts == list("abcdefghij"[: 10 - left_out])
    speaker.write("k")
    assert speaker.finish()
    assert reader.texts[-1] == "k"
    assert told[1:] == [
        f"warning: {left_out} lines of standard output were not shown: nobody read them in time\n"
    ]


def test_standard_error_tells_of_its_own_gap_when_it_can(reader: Reader) -> None:
    speaker = Speaker(reader.write, name="standard error", capacity=2)
    for text in "abcdefgh":
        speaker.write(text)
    reader.take(100)
    assert speaker.finish()
    assert any("lines of standard error were not shown" in text for text in reader.texts)


def test_who_ends_does_not_wait_for_a_reader_that_stands_still(reader: Reader) -> None:
    speaker = Speaker(reader.write, name="standard output", tell=lambda text: None)
    speaker.write("a")
    speaker.write("b")
    assert not speaker.finish(limit=0.01)
    assert speaker.left_out == 2


def test_writing_that_fails_ends_nothing_and_is_told_once() -> None:
    told: list[str] = []

    def full(text: str) -> None:
        raise OSError(28, "No space left on device")

    speaker = Speaker(full, name="standard output", tell=told.append)
    for text in "abc":
        speaker.write(text)
    assert speaker.finish()
    assert (speaker.left_out, speaker.error is not None) == (3, True)
    assert told == ["warning: standard output cannot be written (No space left on device)\n"]


def test_a_pipe_that_fills_and_is_read_later_gets_every_byte() -> None:
    read, write = os.pipe()
    with os.fdopen(read, "rb") as reading:
        with os.fdopen(write, "w", encoding="utf-8") as writing:
            fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
            os.set_blocking(write, False)  # as a parent may have made it
            speaker = Speaker(_writer(writing), name="standard output")
            for number in range(2000):
                speaker.write(f"{number} ä\n")
        text = b""
        while text.count(b"\n") < 2000:
            text += reading.read1()
        assert text.decode().split() == [part for n in range(2000) for part in (str(n), "ä")]


def full_pipe() -> tuple[int, int]:
    """The two ends of a pipe into which no byte fits."""
    read, write = os.pipe()
    fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
    os.write(write, b"x" * 4096)
    return read, write


def stopped_terminal() -> tuple[int, int]:
    """The two ends of a terminal on which somebody has pressed Ctrl-S."""
    ours, theirs = os.openpty()
    os.write(ours, b"\x13")
    return ours, theirs


@pytest.mark.parametrize("unread", [full_pipe, stopped_terminal])
def test_a_program_whose_output_nobody_reads_ends(unread: Callable[[], tuple[int, int]]) -> None:
    ours, theirs = unread()
    try:
        done = subprocess.run([sys.executable, "-c", CHILD], stdout=theirs, stderr=theirs)
        assert done.returncode == 0
    finally:
        os.close(ours)
        os.close(theirs)


def test_after_it_a_descriptor_waits_again_as_it_did_before() -> None:
    code = (
        "import os; from edge.core.terminal.speech import without_waiting\n"
        "with without_waiting(): pass\n"
    )
    code += "assert os.get_blocking(1) and os.get_blocking(2)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
