"""A stage is a command of its own, and ends the demo when it fails."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.demo.stages import StageError, Stages, pilah, pilah_json
from edge.core.errors import EXIT_DATA
from edge.core.terminal.log_lines import LogLines
from tests.bundles import make_bundle


def test_a_failing_stage_shows_its_own_error_and_keeps_its_exit_code(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    stages = Stages(total=1)
    with (
        pytest.raises(StageError, match="pilah-edge inspect") as error,
        stages.stage("check", "check"),
    ):
        pilah("edge", "inspect", tmp_path / "gone")
    assert error.value.exit_code == EXIT_DATA
    assert "no such bundle" in capfd.readouterr().err
    assert not stages.seconds


def test_a_stage_s_object_is_read_and_its_talk_goes_through(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    bundle = make_bundle(tmp_path / "bundle")
    with LogLines():
        found = pilah_json("edge", "bench", bundle, "--min-secs", "0", "--max-secs", "1")
    assert found["stages"]["total"]["p50_ms"] > 0
    assert "$ pilah-edge bench" in capfd.readouterr().err


def test_each_stage_is_announced_and_timed(capfd: pytest.CaptureFixture[str]) -> None:
    stages = Stages(total=2)
    with LogLines():
        with stages.stage("one", "the first"):
            pass
        with stages.stage("two", "the second"):
            pass
    assert list(stages.seconds) == ["one", "two"]
    assert "[2/2] the second" in capfd.readouterr().err


def test_ctrl_c_waits_for_the_command_to_end_in_its_own_way() -> None:
    program = (
        "import os, signal, sys\n"
        "from deploy.demo import stages\n"
        "class Popen(stages.subprocess.Popen):\n"
        "    def communicate(self):\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "stages.subprocess.Popen = Popen\n"
        "try:\n"
        "    stages.pilah('edge', '--version')\n"
        "except KeyboardInterrupt:\n"
        "    sys.exit(7)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=False
    )
    assert ended.returncode == 7, ended.stderr
    assert "pilah-edge 0" in ended.stdout
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
