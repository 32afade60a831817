"""Child processes that end with the process that started them, however that ends."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def end_with_parent(parent: int | None = None) -> None:
    """Has the kernel kill this process when the one that started it ends; Linux only.

    To be called by the child, first of all. Elsewhere nothing is done: a child there has to notice
    the end of a pipe.

    Args:
        parent: the process that started this one, where it told; without it, a parent that has
            ended already cannot be told from one that is process 1 of a container.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if parent is not None and os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
