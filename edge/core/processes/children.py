"""Child processes that end with the process that started them, however that ends; and whether a
process is there still."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def end_with_parent(parent: int | None = None) -> None:
    """Asks the kernel to kill this process when its parent ends; Linux only.

    The child calls this first. On other systems it does nothing: the child must notice there that
    its pipe was closed.

    Args:
        parent: the id of the parent process, if it is known; without it, a parent that has already
            ended cannot be distinguished from one that is process 1 of a container.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if parent is not None and os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


_TIED = """\
import ctypes, os, sys
ctypes.CDLL(None).prctl(int(sys.argv[1]), int(sys.argv[2]))
if os.getppid() != int(sys.argv[3]):
    sys.exit(1)
try:
    os.execvp(sys.argv[4], sys.argv[4:])
except OSError as error:
    sys.exit(f"{sys.argv[4]} cannot be run: {error.strerror}")
"""


def tied(words: Sequence[str]) -> list[str]:
    """A command that runs the program `words` and ends it when this process ends; Linux only.

    On other systems `words` is returned unchanged. If the program is missing, the command ends with
    exit code 1.
    """
    if sys.platform != "linux":
        return list(words)
    tying = map(str, (_PR_SET_PDEATHSIG, int(signal.SIGKILL), os.getpid()))
    return [sys.executable, "-I", "-S", "-c", _TIED, *tying, *words]


def is_alive(process: int) -> bool:
    """Whether there is a process with that id, which may be another user's."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
