"""Progress speaks on stderr, when there is something to wait for."""

from __future__ import annotations

import io
import logging
import re
import sys

import pytest

from edge.core.terminal.log_lines import LogLines
from edge.core.terminal.progress import Progress

pytestmark = pytest.mark.usefixtures("log_lines")


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def work(clock: Clock, *, total: int, each: float, stop_at: int | None = None) -> None:
    with Progress("decoding", total=total, clock=clock) as progress:
        for done in range(total):
            if done == stop_at:
                raise KeyboardInterrupt
            clock.now += each
            progress.advance(note="90 %")


def test_what_is_done_within_two_seconds_is_not_mentioned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for stream in (Terminal(), io.StringIO()):
        monkeypatch.setattr(sys, "stderr", stream)
        work(Clock(), total=10, each=0.19)
        assert stream.getvalue() == ""


def test_a_plain_line_now_and_then_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    work(Clock(), total=100, each=0.25)
    out, err = capsys.readouterr()
    assert out == ""
    # Every 10 of 25 seconds: at 40 and 80 of 100; three seconds' work in 12 pictures.
    assert err.splitlines() == [
        "decoding: 40/100, 15 s left, 90 %",
        "decoding: 80/100, 5 s left, 90 %",
        "decoding: 100 done in 25 s",
    ]


def test_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    work(Clock(), total=4, each=60)
    shown = re.sub(r"\x1b\[\?7[lh]", "", terminal.getvalue()).split("\r\x1b[K")
    assert shown[1] == "[#####...............] decoding: 1/4, 3:00 left, 90 %"
    assert shown[-2] == "[####################] decoding: 4/4, 0 s left, 90 %"
    assert shown[-1] == "decoding: 4 done in 4:00\n"


def test_an_interrupted_bar_is_wiped_and_not_called_done(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with pytest.raises(KeyboardInterrupt):
        work(Clock(), total=4, each=60, stop_at=2)
    assert terminal.getvalue().endswith("\r\x1b[K")
    assert "done in" not in terminal.getvalue()


def test_several_at_once_and_none_at_all(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with Progress("reading", total=0, clock=clock) as progress:
        clock.now += 30
        progress.advance(5)
    assert capsys.readouterr().err.splitlines()[-1] == "reading: 5 done in 30 s"


def test_a_line_of_the_log_stands_above_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    clock = Clock()
    with Progress("decoding", total=4, clock=clock) as progress:
        clock.now += 60
        progress.advance()
        logging.getLogger("trainer").warning("a.jpg is damaged")
    shown = re.sub(r"\x1b\[\?7[lh]", "", terminal.getvalue()).split("\r\x1b[K")
    assert shown[2].startswith("a.jpg is damaged\n[#####......")


def test_quiet_shows_neither_bar_nor_lines(
    monkeypatch: pytest.MonkeyPatch, log_lines: LogLines
) -> None:
    log_lines.choose("quiet")
    for stream in (Terminal(), io.StringIO()):
        monkeypatch.setattr(sys, "stderr", stream)
        work(Clock(), total=100, each=1)
        assert stream.getvalue() == ""


def work_of_unknown_length(clock: Clock, *, fails: bool = False) -> None:
    with Progress("converting to int8", total=None, clock=clock) as progress:
        for note in ("loading TensorFlow", "", "rounding weights"):
            clock.now += 30
            progress.advance(0, note=note)
        if fails:
            progress.stop()


def test_work_of_unknown_length_shows_its_note_and_the_time_it_took(
    capsys: pytest.CaptureFixture[str],
) -> None:
    work_of_unknown_length(Clock())
    assert capsys.readouterr().err.splitlines() == [
        "converting to int8: loading TensorFlow, 30 s",
        "converting to int8: running, 1:00",
        "converting to int8: rounding weights, 1:30",
        "converting to int8: done in 1:30",
    ]


def test_more_work_than_was_announced_takes_no_time_less_than_none(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock = Clock()
    with Progress("decoding", total=2, clock=clock) as progress:
        for _ in range(3):
            clock.now += 15
            progress.advance()
    assert capsys.readouterr().err.splitlines() == [
        "decoding: 1/2, 15 s left", "decoding: 2/2, 0 s left", "decoding: 3/2, 0 s left",
        "decoding: 3 done in 45 s",
    ]  # fmt: skip


def test_work_of_unknown_length_has_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    work_of_unknown_length(Clock())
    shown = re.sub(r"\x1b\[\?7[lh]", "", terminal.getvalue()).split("\r\x1b[K")
    assert shown[1] == "converting to int8: loading TensorFlow, 30 s"
    assert shown[-1] == "converting to int8: done in 1:30\n"


def test_failed_work_is_wiped_and_not_called_done(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    work_of_unknown_length(Clock(), fails=True)
    assert terminal.getvalue().endswith("\r\x1b[K")
    assert "done in" not in terminal.getvalue()
