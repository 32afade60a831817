"""What every test can rely on."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests import conftest

CHILD = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
SUITE = f"""
import subprocess, sys
from tests.conftest import pytest_configure
pytest_configure()
subprocess.run([sys.executable, "-c", {CHILD!r}], check=True)
"""


def test_a_suite_that_was_started_by_nohup_can_interrupt_its_programs() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        plain = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, check=True)
        inside = subprocess.run([sys.executable, "-c", SUITE], capture_output=True, check=True)
    finally:
        signal.signal(signal.SIGINT, before)
    assert [plain.stdout, inside.stdout] == [b"False\n", b"True\n"]


def test_signals_reach_the_tests_in_a_worker_too() -> None:
    assert threading.current_thread() is threading.main_thread()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    for number in (signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM):
        assert signal.getsignal(number) is signal.SIG_DFL


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (True, "photographs beside the checkout found: 2 tests used them"),
        (False, "no photographs beside the checkout: 2 tests skipped for want of them"),
    ],
)
def test_the_summary_counts_what_the_workers_report(
    monkeypatch: pytest.MonkeyPatch, found: bool, words: str
) -> None:
    def report(name: str, when: Any, **keywords: Any) -> pytest.TestReport:
        return pytest.TestReport(name, ("file", 1, name), keywords, "passed", None, when)

    stats = {
        "": [report("one", "setup", shared=1), report("three", "setup")],
        "passed": [report("one", "call", shared=1), report("two", "call", shared=1)],
        "deselected": [SimpleNamespace(nodeid="four", keywords={"shared": 1})],
    }
    lines: list[str] = []
    reporter = SimpleNamespace(stats=stats, write_line=lines.append)
    monkeypatch.setattr(conftest, "FOUND", found)
    conftest.pytest_terminal_summary(cast("pytest.TerminalReporter", reporter))
    assert lines == [words]
