"""The shell scripts of deploy/, run as a person would."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
DEPLOY = CHECKOUT / "deploy"


def run_script(
    name: str, *words: str, environment: Mapping[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """deploy/NAME with `words`, and what it printed."""
    return subprocess.run(
        [str(DEPLOY / name), *words],
        capture_output=True,
        text=True,
        timeout=500,
        cwd=cwd,
        env={**os.environ, **(environment or {})},
    )


def tool(name: str, package: str) -> str:
    """The path of a program; the test is skipped where it is not installed."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"needs {name} (apt install {package})")
    return found
