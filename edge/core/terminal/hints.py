"""Commands that a message tells a person to type: made so that they work when they are pasted."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path


def command(*words: str | Path) -> str:
    """A command line for a shell; words with spaces or other special characters are quoted.

    >>> command("pilah-edge", "check", Path("my station/a.yaml"))
    "pilah-edge check 'my station/a.yaml'"
    """
    return shlex.join(str(word) for word in words)


def install_command(extra: str, *, editable: bool = False) -> str:
    """How to install what pilah lacks, with the Python that runs now.

    No package index has pilah, so it is installed from a clone of its repository. Where this code
    lies in one, its path is named; elsewhere the sentence says to go to one first.

    First what the extra needs, each file of which must have the hash that its lock file says; then
    pilah itself, with nothing more to fetch.

    Args:
        extra: of pyproject.toml: "converter".
        editable: what is lacking is in a clone alone, which a wheel does not bring.
    """
    clone, lock = Path(__file__).resolve().parents[3], f"deploy/locks/{extra}.txt"
    pip = (sys.executable or "python", "-m", "pip", "install")
    if (clone / "pyproject.toml").is_file() and (clone / lock).is_file():
        needed = command(*pip, "--require-hashes", "-r", clone / lock)
        itself = command(*pip, "--no-deps", "--no-build-isolation", "--editable", clone)
        return f"{needed} && {itself}"
    needed = command(*pip, "--require-hashes", "-r", lock)
    itself = command(*pip, "--no-deps", "--no-build-isolation", *["--editable"] * editable, ".")
    return f"{needed} && {itself} (in a clone of pilah's repository)"
