"""Command lines in messages, quoted so that they work when they are pasted into a shell."""

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
    """The commands that install a missing part of pilah for the Python that runs now.

    Pilah is not on a package index, so it is installed from a clone of its repository. If this code
    lies in a clone, the commands name its path; otherwise the text says to go to a clone first.

    The first command installs what the extra needs, and checks the hash in the lock file for each
    package. The second one installs pilah itself, which downloads nothing.

    Args:
        extra: the name of an extra in pyproject.toml, such as "converter".
        editable: whether the missing part is only in a clone and not in the wheel.
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
