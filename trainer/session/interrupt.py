"""Ctrl-C as a wish: the first asks to end with what there is, the second ends at once."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Self

from edge.core.closing import Closing
from edge.core.terminal.log_lines import lines_are_written
from trainer.fit.phases import StopTraining

_STOPPING = b"\nstopping, with the best so far, if any; press Ctrl-C again to leave nothing\n"
_LEAVING = b"\nstopping, to be gone on with; press Ctrl-C again to begin this training anew then\n"


class CtrlC(Closing):
    """Within this context Ctrl-C makes `check_stop` raise; it interrupts nothing by itself.

    A second one interrupts as always, but only within `second_ends`: outside it, what is being
    made or removed is made or removed whole.

    Example:
        with CtrlC() as ctrl_c:
            folder = make()
            try:
                with ctrl_c.second_ends():
                    work(folder, ctrl_c.check_stop)
            except (StopTraining, KeyboardInterrupt):
                remove(folder)
                raise
    """

    def __init__(self, *, leaving: bool = False) -> None:
        """Prepares the context.

        Args:
            leaving: whether what is stopped is left to be gone on with, and not ended.
        """
        self._said = _LEAVING if leaving else _STOPPING
        self.wanted = False
        self._second_ends = False
        self._before: Any = None

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGINT, self._on_signal)
        return self

    def close(self) -> None:
        """Lets Ctrl-C interrupt again as it did before."""
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._before = None

    @contextmanager
    def second_ends(self) -> Iterator[None]:
        """Within this context a second Ctrl-C raises KeyboardInterrupt, once."""
        self._second_ends = True
        try:
            yield
        finally:
            self._second_ends = False

    def check_stop(self) -> None:
        """Passes while nobody wants to stop.

        Raises:
            StopTraining: Ctrl-C was pressed.
        """
        if self.wanted:
            raise StopTraining

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if not self.wanted:
            self.wanted = True
            # Not print: it may itself have been interrupted.
            if lines_are_written():
                os.write(2, self._said)
        elif self._second_ends:
            self._second_ends = False  # what is removed for it is not interrupted by a third
            raise KeyboardInterrupt
