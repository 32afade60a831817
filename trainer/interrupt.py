"""Ctrl-C as a wish: the first asks to end with what there is, the second ends at once."""

from __future__ import annotations

import os
import signal
from types import FrameType, TracebackType

from trainer.phases import StopTraining


class CtrlC:
    """Within this context Ctrl-C makes `check_stop` raise; a second one interrupts as always."""

    def __init__(self) -> None:
        self.wanted = False

    def __enter__(self) -> CtrlC:
        self._before = signal.signal(signal.SIGINT, self._on_signal)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        signal.signal(signal.SIGINT, self._before)

    def check_stop(self) -> None:
        """Passes while nobody wants to stop.

        Raises:
            StopTraining: Ctrl-C was pressed.
        """
        if self.wanted:
            raise StopTraining

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.wanted:
            raise KeyboardInterrupt
        self.wanted = True
        # Not print: it may itself have been interrupted.
        os.write(2, b"\nstopping with the best so far; press Ctrl-C again to leave nothing\n")
