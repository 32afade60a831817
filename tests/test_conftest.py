"""What every test can rely on."""

from __future__ import annotations

import signal
import subprocess
import sys

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
