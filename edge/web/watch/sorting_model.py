"""What is known of the model that sorts, also after another one was installed."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from edge.core.json_text import read_typed
from edge.web.plan import ModelFacts, WebPlan

_AGAIN_SECONDS = 30.0
"""How long after a look at the bundle the next one may follow."""
_PATIENCE_SECONDS = 120.0
_log = logging.getLogger(__name__)


def read_beside(path: Path) -> ModelFacts | None:
    """What the bundle at `path` says of itself, read by a process of its own; None: nothing."""
    words = [sys.executable, "-P", "-m", "edge.web.watch.bundle_facts", str(path)]
    try:
        done = subprocess.run(words, capture_output=True, check=True, timeout=_PATIENCE_SECONDS)
        return read_typed(ModelFacts, done.stdout) if done.stdout else None
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        _log.warning(f"warning    the bundle {path} could not be read: {error}")
        return None


class SortingModel:
    """What the bundle says of itself with which the station sorts. For any thread.

    Where the station says that it sorts with another one than is known, a thread reads the bundle
    anew; until it has, nothing is known: the figures of an earlier model would be wrong claims.
    """

    def __init__(
        self,
        plan: WebPlan,
        *,
        read: Callable[[Path], ModelFacts | None] = read_beside,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Knows what the plan says.

        Args:
            read: gives what the bundle at a path says; it may take seconds.
            clock: seconds, monotonic.
        """
        self._path, self._known = plan.bundle, plan.model
        self._read, self._clock = read, clock
        self._alone = threading.Lock()
        self._asked = float("-inf")
        self.reading: threading.Thread | None = None
        """The thread that reads, or has read; None: none was needed."""

    def facts(self, digest: str | None) -> ModelFacts | None:
        """What is known of the model with that digest; None: nothing now.

        Args:
            digest: of the bundle with which the station sorts; None: it does not run, and what was
                known last is given.
        """
        with self._alone:
            known = self._known
            if digest is None or (known is not None and known.digest == digest):
                return known
            if self._path is not None and self._clock() - self._asked >= _AGAIN_SECONDS:
                self._asked = self._clock()
                self.reading = threading.Thread(
                    target=self._look, args=(self._path,), name="bundle", daemon=True
                )
                self.reading.start()
        return None

    def _look(self, path: Path) -> None:
        found = self._read(path)
        if found is not None:
            with self._alone:
                self._known = found
