"""A command writes what is logged on stderr, for a person or for the journal; a library nothing."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge.core.terminal.log_lines import LogLines

LOGGING = """
import logging
from edge.core.terminal.log_lines import LogLines
with LogLines("verbose") as lines:
    lines.choose("{verbosity}")
    for level in (logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL):
        logging.getLogger("edge.somewhere").log(level, "one\\n<0>two")
"""


def logged(journal_stream: str | None, file: Path, *, verbosity: str = "normal") -> list[str]:
    """The lines that a process with `file` for its stderr writes there.

    Args:
        journal_stream: what systemd says of the journal's stream; `{it}` is what `file` is.
    """
    environment = {name: value for name, value in os.environ.items() if name != "JOURNAL_STREAM"}
    with file.open("wb") as writing:
        status = os.fstat(writing.fileno())
        if journal_stream is not None:
            it = f"{status.st_dev}:{status.st_ino}"
            environment["JOURNAL_STREAM"] = journal_stream.format(it=it)
        code = LOGGING.format(verbosity=verbosity)
        subprocess.run([sys.executable, "-c", code], stderr=writing, env=environment, check=True)
    return file.read_text().splitlines()


def test_in_the_journal_each_line_begins_with_its_priority(tmp_path: Path) -> None:
    assert logged("{it}", tmp_path / "stderr") == [
        "<6>one", "<6><0>two", "<4>one", "<4><0>two", "<3>one", "<3><0>two", "<2>one", "<2><0>two",
    ]  # fmt: skip


@pytest.mark.parametrize("journal_stream", [None, "", "8:1", "{it}0", "nonsense"])
def test_elsewhere_it_is_as_it_is(tmp_path: Path, journal_stream: str | None) -> None:
    assert logged(journal_stream, tmp_path / "stderr") == ["one", "<0>two"] * 4


def test_a_faulty_call_of_a_library_ends_nothing_and_tells_no_password() -> None:
    code = """
import logging
from edge.core.terminal.log_lines import LogLines
with LogLines():  # not in this process: pytest raises here
    logging.getLogger("a_library").warning("%d of %d", "rtsp://admin:S3cretPw@host")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "'%d of %d' ('rtsp://***@host',)\n"


@pytest.mark.usefixtures("log_lines")
def test_no_password_leaves_in_a_line_its_arguments_or_a_traceback(
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = "rtsp://admin:S3cretPw@192.0.2.1/h264"
    log = logging.getLogger("a_library.net")
    log.warning("cannot reach %s", url)
    try:
        raise OSError(f"{url}: no route")
    except OSError:
        log.exception("gone")
    said = capsys.readouterr().err
    assert "S3cretPw" not in said
    assert said.startswith("cannot reach rtsp://***@192.0.2.1/h264\ngone\nTraceback")
    assert said.count("rtsp://***@192.0.2.1/h264") == 2


@pytest.mark.parametrize("name", ["edge.lanes", "trainer.fit", "converter.parity"])
def test_a_library_prints_nothing_by_itself(name: str) -> None:
    code = f"import logging, edge, trainer, converter; logging.getLogger({name!r}).error('lost')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"", b"")


def test_a_context_within_another_writes_nothing_twice_and_leaves_all_as_it_was(
    capsys: pytest.CaptureFixture[str],
) -> None:
    root, ours = logging.getLogger(), logging.getLogger("trainer")
    before = (list(root.handlers), root.level, ours.level)
    with LogLines():
        with LogLines() as inner:
            ours.info("once")
            inner.choose("quiet")
            ours.info("not at all")
            inner.choose("verbose")
        ours.info("again")
    ours.info("no more")
    assert capsys.readouterr().err == "once\nagain\n"
    assert (list(root.handlers), root.level, ours.level) == before


def test_a_context_within_another_may_have_a_verbosity_of_its_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    ours = logging.getLogger("trainer")
    with LogLines():
        with LogLines("quiet"):
            ours.info("not at all")
        ours.info("again")
    assert capsys.readouterr().err == "again\n"
