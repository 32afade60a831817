"""On a terminal the last line shows how things stand; elsewhere nothing but the log is written."""

from __future__ import annotations

import re
import sys
from io import StringIO

import pytest

from edge.core.terminal.live_line import LiveLine, write_line


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True

    def shown(self) -> list[str]:
        """The lines on the screen, as a terminal that obeys the sequences used would have them."""
        lines = [""]
        for part in re.split(r"(\r\x1b\[K|\n)", re.sub(r"\x1b\[\?7[lh]", "", self.getvalue())):
            if part == "\n":
                lines.append("")
            elif part.startswith("\r"):
                lines[-1] = ""
            else:
                lines[-1] += part
        return lines


def test_the_line_is_written_over_and_lines_that_stay_stand_above_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    line = LiveLine()
    line.show("can 1")
    write_line("blurred")
    line.show("can 2")
    assert terminal.shown() == ["blurred", "can 2"]
    line.clear()
    assert terminal.shown() == ["blurred", ""]


def test_a_line_that_is_too_long_does_not_wrap_but_one_that_stays_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    line = LiveLine()
    line.show("x" * 500)
    write_line("y" * 500)
    written = terminal.getvalue()
    line.clear()
    assert f"\x1b[?7l{'x' * 500}\x1b[?7h" in written
    assert f"\x1b[?7l{'y' * 500}" not in written


def test_elsewhere_only_lines_that_stay_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    line = LiveLine()
    line.show("can 1")
    write_line("taken")
    line.clear()
    assert stream.getvalue() == "taken\n"
