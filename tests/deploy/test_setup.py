"""`make setup` says what it does, what went wrong, and what to do next."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.deploy.scripts import CHECKOUT

PYTHON = """\
#!/bin/sh
# Stands in for a Python: what a venv and pip would do, without them.
case "$*" in
    -c*) exit 0 ;;
    "-m venv"*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
    "-m pip"*)
        echo "Collecting tensorflow"
        shift 2
        while [ "$1" != --log ]; do shift; done
        echo "$PIP_SAYS" >> "$2"
        shift 3
        echo "$*" >> pip-was-asked
        exit "$PIP_CODE" ;;
esac
"""


def setup(
    folder: Path, *, pip_says: str = "", pip_code: int = 0, free_mb: int = 9000, python: str = ""
) -> subprocess.CompletedProcess[str]:
    """Runs deploy/setup.sh in `folder`, with stand-ins for Python and df."""
    (folder / "deploy").mkdir(parents=True)
    for name in ("setup.sh", "find-python.sh"):
        (folder / "deploy" / name).write_bytes((CHECKOUT / "deploy" / name).read_bytes())
    commands = folder / "commands"
    commands.mkdir()
    stand_ins = {"python": PYTHON, "df": f"#!/bin/sh\necho head\necho disk 1 1 {free_mb}\n"}
    for name, text in stand_ins.items():
        (commands / name).write_text(text, "utf-8")
        (commands / name).chmod(0o755)
    return subprocess.run(
        ["sh", "deploy/setup.sh"],
        cwd=folder,
        env=os.environ
        | {
            "PATH": f"{commands}:{os.environ['PATH']}",
            "PYTHON": python or str(commands / "python"),
            "PIP_SAYS": pip_says,
            "PIP_CODE": str(pip_code),
        },
        capture_output=True,
        text=True,
    )


def test_it_says_how_much_it_takes_what_pip_does_and_what_is_next(tmp_path: Path) -> None:
    done = setup(tmp_path)
    assert done.returncode == 0, done.stderr
    assert "2.5 GB" in done.stdout.splitlines()[0]
    assert done.stdout.count("Collecting tensorflow") == 2, "pip's own lines are shown"
    assert done.stdout.index(". .venv/bin/activate") < done.stdout.index("make demo")
    asked = (tmp_path / "pip-was-asked").read_text("utf-8")
    assert asked.splitlines() == [
        "install --require-hashes --requirement deploy/locks/dev.txt",
        "install --no-deps --no-build-isolation --editable .",
    ]
    assert "--quiet" not in asked


@pytest.mark.parametrize(
    ("pip_says", "code", "told"),
    [
        ("OSError: [Errno 28] No space left on device", 74, "the disk is full"),
        ("NewConnectionError: Temporary failure in name resolution", 69, "Is there a network?"),
        ("ReadTimeoutError(HTTPSConnectionPool(...))", 69, "Is there a network?"),
        ("ResolutionImpossible", 69, "pip ended with exit code 1"),
    ],
)
def test_what_pip_fails_of_is_told_in_words(
    tmp_path: Path, pip_says: str, code: int, told: str
) -> None:
    done = setup(tmp_path, pip_says=pip_says, pip_code=1)
    assert done.returncode == code
    assert told in done.stderr
    assert "make setup" in done.stderr.splitlines()[-1]
    assert "done" not in done.stdout


def test_too_little_room_is_told_before_anything_is_made(tmp_path: Path) -> None:
    done = setup(tmp_path, free_mb=1500)
    assert done.returncode == 74
    assert "here are 1500 MB free" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_without_a_python_that_fits_it_says_which_it_looked_for(tmp_path: Path) -> None:
    done = setup(tmp_path, python="no-such-python")
    assert done.returncode == 69
    assert "3.11, 3.12 or 3.13" in done.stderr
    assert "no-such-python" in done.stderr
