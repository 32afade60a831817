from __future__ import annotations

import json
import logging

import pytest

from edge.control.messages import LONGEST_ANSWER, ControlAnswer
from edge.telemetry.newest_log import MOST_LINES, NewestLog

LOG = logging.getLogger("edge.somewhere")


@pytest.fixture(autouse=True)
def everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)


def test_the_newest_lines_are_kept_with_their_levels() -> None:
    with NewestLog() as log:
        for number in range(MOST_LINES):
            LOG.info(f"line {number}")
        LOG.debug("a detail")
        LOG.warning("it is late")
        LOG.error("it %s", "failed")
    LOG.error("nobody listens any more")
    found = log.lines()
    assert len(found) == MOST_LINES
    assert [(line.level, line.text) for line in found[:3]] == [
        ("error", "it failed"),
        ("warning", "it is late"),
        ("info", f"line {MOST_LINES - 1}"),
    ]
    assert found[-1].text == "line 2"


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("camera rtsp://ana:secret@cam/1", "camera rtsp://***@cam/1"),
        ("red\x1b[2J", "red\\u001b[2J"),
        ("first\n  second", "first second"),
    ],
)
def test_a_line_is_redacted_printable_and_one_line(said: str, kept: str) -> None:
    with NewestLog() as log:
        LOG.warning(said)
    assert [line.text for line in log.lines()] == [kept]


def test_a_message_that_cannot_be_formatted_ends_nothing() -> None:
    with NewestLog() as log:
        for keeper in (h for h in logging.getLogger().handlers if type(h).__name__ == "_Keeper"):
            record = LOG.makeRecord(LOG.name, logging.WARNING, "", 0, "%d of %d", ("one",), None)
            keeper.handle(record)
    assert [line.text for line in log.lines()] == ["'%d of %d' ('one',)"]


def test_all_that_is_kept_fits_into_one_answer() -> None:
    with NewestLog() as log:
        for _ in range(MOST_LINES):
            LOG.warning('😀"' * 5000)
    line = ControlAnswer(True, shown=log.shown()).line()
    assert json.loads(line)["shown"]["lines"][0]["text"].endswith("…")
    assert len(line) < LONGEST_ANSWER
