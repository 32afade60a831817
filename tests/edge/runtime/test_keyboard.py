from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import TextIO

import pytest

from edge.runtime import keyboard
from edge.runtime.keyboard import Keyboard

SCRIPT = """
import signal
import sys
from edge.runtime import keyboard
from edge.runtime.keyboard import Keyboard
for number in (signal.SIGTERM, signal.SIGHUP):  # a tool that measures, or nohup, handles them
    signal.signal(number, signal.SIG_DFL)
with Keyboard(sys.stdin) as keys:
    print("ready", flush=True)
    while (key := keys.get(None)) != "q":
        if key == "x":
            raise RuntimeError("as asked")
"""
"""Reads keys until it is told how to end; no signal has a handler before."""


@pytest.fixture
def terminal() -> Iterator[tuple[int, TextIO]]:
    """(the side where keys are pressed, what the program reads)."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, encoding="utf-8", closefd=True) as stream:
        yield ours, stream
    os.close(ours)


@pytest.fixture
def pipe() -> Iterator[tuple[int, TextIO]]:
    read, write = os.pipe()
    with os.fdopen(read, encoding="utf-8") as stream:
        yield write, stream
    with suppress(OSError):  # the test closed it
        os.close(write)


def pressed(keys: Keyboard, count: int) -> list[str | None]:
    """So many keys, for which a busy machine may take its time, and every other one there is."""
    found = [keys.get(60) for _ in range(count)]
    while "end" not in found and (key := keys.get(0)) is not None:
        found.append(key)
    return found


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("q", ["q"]),
        ("aB ?", ["a", "B", " ", "?"]),
        ("é€", ["é", "€"]),
        ("\r\n\t\x7f", ["enter", "enter", "tab", "backspace"]),
        ("\x1b[A\x1b[B\x1b[C\x1b[D", ["up", "down", "right", "left"]),
        ("\x1bOA\x1bOB\x1bOC\x1bOD", ["up", "down", "right", "left"]),  # keypad mode
        ("\x1b[1;2D\x1b[1;2C", ["shift left", "shift right"]),
        ("\x1b", ["escape"]),
        ("\x1b\x1b[A", ["escape", "up"]),
        ("\x1bq", ["escape", "q"]),
        ("\x1b[3~x\x1b[15~\x1bOP", ["x"]),  # delete, F5 and F1 are no keys here
        ("\x13\x1a", ["\x13", "\x1a"]),  # Ctrl-S and Ctrl-Z do nothing else
    ],
)
def test_a_terminal_gives_each_key_without_enter(
    terminal: tuple[int, TextIO], sent: str, expected: list[str]
) -> None:
    ours, stream = terminal
    with Keyboard(stream) as keys:
        assert keys.terminal
        os.write(ours, sent.encode())
        assert pressed(keys, len(expected)) == expected


def test_a_sequence_that_comes_in_pieces_is_one_key(
    terminal: tuple[int, TextIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyboard, "_ESCAPE_SECONDS", 60.0)
    ours, stream = terminal
    with Keyboard(stream) as keys:
        os.write(ours, b"\x1b")
        keys._read()
        os.write(ours, b"[")
        keys._read()
        os.write(ours, b"A")
        assert pressed(keys, 1) == ["up"]


def test_no_key_within_the_time_is_none(terminal: tuple[int, TextIO]) -> None:
    with Keyboard(terminal[1]) as keys:
        assert keys.get(0) is None


def test_a_terminal_shows_no_keys_and_is_put_back(terminal: tuple[int, TextIO]) -> None:
    stream = terminal[1]
    before = termios.tcgetattr(stream)
    with Keyboard(stream):
        assert not termios.tcgetattr(stream)[3] & (termios.ECHO | termios.ICANON)
    assert termios.tcgetattr(stream) == before
    with pytest.raises(RuntimeError), Keyboard(stream):
        raise RuntimeError("as asked")
    assert termios.tcgetattr(stream) == before


def test_a_terminal_that_is_closed_is_the_end() -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs) as stream, Keyboard(stream) as keys:
        os.write(ours, b"a")
        assert keys.get(60) == "a"
        os.close(ours)
        assert [keys.get(60), keys.get(0)] == ["end", None]


@pytest.mark.parametrize("how", ["q", "x", signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_program_leaves_the_terminal_as_it_was(
    terminal: tuple[int, TextIO], how: str | signal.Signals
) -> None:
    ours, stream = terminal
    before = termios.tcgetattr(stream)
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        stdin=stream,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        assert termios.tcgetattr(stream) != before
        if isinstance(how, str):
            os.write(ours, how.encode())
        else:
            process.send_signal(how)
        err = process.communicate(timeout=60)[1]
    assert termios.tcgetattr(stream) == before
    if isinstance(how, signal.Signals):
        assert process.returncode == -how
    else:
        assert ("as asked" in err) == (how == "x")
        assert process.returncode == (how == "x")


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("ab", ["a", "b", "end"]),
        ("a\nb\n", ["a", "b", "end"]),
        ("a\r\nb\r\n", ["a", "b", "end"]),
        ("\n \n", ["enter", " ", "end"]),
        ("\x1b[C\nq\n", ["right", "q", "end"]),
        ("\x1b", ["escape", "end"]),
        ("", ["end"]),
    ],
)
def test_a_pipe_gives_the_characters_of_its_lines(
    pipe: tuple[int, TextIO], sent: str, expected: list[str]
) -> None:
    write, stream = pipe
    with Keyboard(stream) as keys:
        assert not keys.terminal
        os.write(write, sent.encode())
        os.close(write)
        assert pressed(keys, len(expected)) == expected


def test_the_end_is_told_once_and_again_where_one_would_wait_for_ever(
    pipe: tuple[int, TextIO],
) -> None:
    write, stream = pipe
    os.close(write)
    with Keyboard(stream) as keys:
        found = [keys.get(0), keys.get(0), keys.get(None)]
    assert found == ["end", None, "end"]


def test_a_program_without_an_input_has_no_keys() -> None:
    with Keyboard(None) as keys:
        assert [keys.get(1), keys.get(0)] == ["end", None]


def test_in_another_thread_than_the_first_no_signal_is_handled_and_the_terminal_is_put_back(
    terminal: tuple[int, TextIO],
) -> None:
    before = termios.tcgetattr(terminal[1]), signal.getsignal(signal.SIGHUP)

    def read(found: list[object]) -> None:
        with Keyboard(terminal[1]) as keys:
            os.write(terminal[0], b"q")
            found += [keys.get(60), signal.getsignal(signal.SIGHUP)]

    found: list[object] = []
    thread = threading.Thread(target=read, args=[found])
    thread.start()
    thread.join()
    assert found == ["q", before[1]]
    assert termios.tcgetattr(terminal[1]) == before[0]
