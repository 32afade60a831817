"""An environment outside the checkout, with pilah's wheel in it, and its commands to run."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("edge", "trainer", "converter")


@dataclass(frozen=True)
class Installed:
    """An environment, outside the checkout, with the wheel in it."""

    folder: Path

    @property
    def bin(self) -> Path:
        return self.folder / "bin"

    @property
    def environment(self) -> dict[str, str]:
        """The variables of this process without those that would lead Python elsewhere."""
        return {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}

    def run(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """Runs a program of `bin`, from a folder that is not the checkout."""
        program, *rest = words
        away = self.folder / "away"
        away.mkdir(exist_ok=True)
        return subprocess.run(
            [self.bin / program, *rest],
            cwd=away,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )


def install(wheel: Path, folder: Path, *, site: str = "") -> Installed:
    """A virtual environment with the wheel and no dependencies of its own.

    Args:
        site: text of a `.pth` file: a folder to import dependencies from, or `import` lines.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    environment = Installed(folder)
    pip = [sys.executable, "-m", "pip", "--python", str(environment.bin / "python")]
    subprocess.run(
        [*pip, "install", "--quiet", "--no-deps", "--no-index", wheel],
        check=True,
        capture_output=True,
    )
    (library,) = folder.glob("lib/python*/site-packages")
    (library / "dependencies.pth").write_text(site)
    return environment
