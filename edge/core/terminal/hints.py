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


def install_command(extra: str, *, pins: str = "constraints.txt", editable: bool = False) -> str:
    """How to install what pilah lacks, with the Python that runs now.

    No package index has pilah, so it is installed from a clone of its repository. Where this code
    lies in one, its path is named; elsewhere the sentence says to go to one first.

    Args:
        extra: of pyproject.toml: "converter".
        pins: the file in `deploy` that fixes the versions.
        editable: what is lacking is in a clone alone, which a wheel does not bring.
    """
    clone = Path(__file__).resolve().parents[3]
    pip = (sys.executable or "python", "-m", "pip", "install", "-c")
    if (clone / "pyproject.toml").is_file() and (clone / "deploy" / pins).is_file():
        return command(*pip, clone / "deploy" / pins, "--editable", f"{clone}[{extra}]")
    here = command(*pip, f"deploy/{pins}", *(["--editable"] if editable else []), f".[{extra}]")
    return f"{here} (in a clone of pilah's repository)"
