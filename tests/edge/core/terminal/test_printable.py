"""What came from outside does nothing to a terminal, and JSON stays what it was."""

from __future__ import annotations

import json
import logging
import sys

import pytest

from edge.core.command_line import print_json
from edge.core.terminal.log_lines import LogLines
from edge.core.terminal.printable import printable, printable_output

STRANGE = ("\x1b[2J", "\r", "\0", "\x07", "\x7f", "\x9b31m", "\u2028", "\u202e", "\udcff", "\x0c")
KEPT = ("Weißglas", "a\tb\n", "♻️ Papier", "שלום", "瓶", "\U0001f34e", "a\\u001b")


@pytest.mark.parametrize("text", STRANGE)
def test_what_does_something_to_a_terminal_is_shown_by_its_number(text: str) -> None:
    shown = printable(f"red{text}green")
    assert shown == shown.encode("unicode_escape", "surrogatepass").decode().replace("\\\\", "\\")
    assert shown.startswith("red\\u")


@pytest.mark.parametrize("text", KEPT)
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize("text", STRANGE[:-2])
def test_json_says_the_same(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"label": text})
    printed = capsys.readouterr().out
    assert json.loads(printed) == {"label": text}
    assert printed == printable(printed)


def test_everything_that_leaves_is_printable(capsys: pytest.CaptureFixture[str]) -> None:
    before = sys.stdout
    with printable_output():
        print("red\x1b[2J", "green\r")
        sys.stdout.writelines(["blue\x07\n"])
    with LogLines():
        logging.getLogger("edge").info("black\x1b[8m")
    assert sys.stdout is before
    out, err = capsys.readouterr()
    assert out == "red\\u001b[2J green\\u000d\nblue\\u0007\n"
    assert err == "black\\u001b[8m\n"
