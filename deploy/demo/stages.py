"""The stages of the demo: each is what a user would type, and is timed."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from edge.core.errors import EXIT_INTERRUPTED, PilahError
from edge.core.processes.children import tied

_log = logging.getLogger(__name__)


class StageError(PilahError):
    """A stage of the demo failed. What was wrong, its own words above say."""

    def __init__(self, stage: str, code: int) -> None:
        super().__init__(f"the stage `{stage}` ended with exit code {code}; see above")
        self.exit_code = code if code > 0 else 1


@dataclass
class Stages:
    """The stages so far.

    Attributes:
        seconds: how long each took, by its name.
    """

    total: int
    seconds: dict[str, float] = field(default_factory=dict)
    _start: float = field(default_factory=time.monotonic)

    @contextmanager
    def stage(self, name: str, what: str) -> Iterator[None]:
        """Announces and times one stage."""
        at = time.monotonic() - self._start
        _log.info(f"\n[{len(self.seconds) + 1}/{self.total}] {what}  (at {at:.0f} s)")
        start = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - start, 1)


def pilah(program: str, *words: object, shown: bool = True) -> None:
    """Runs `pilah-PROGRAM WORDS` as a user would; what it says goes through.

    Args:
        program: trainer, converter, edge or publish.
        shown: print the command line first.

    Raises:
        StageError: it ended with another exit code than 0.
        KeyboardInterrupt: Ctrl-C; by then the command has ended in its own way.
    """
    code, _ = _run(program, words, shown=shown, capture=False)
    if code:
        raise StageError(f"pilah-{program} {words[0]}", code)


def pilah_json(program: str, *words: object, shown: bool = True) -> dict[str, Any]:
    """The object that `pilah-PROGRAM WORDS --json` prints.

    Raises:
        StageError, KeyboardInterrupt: as `pilah`.
    """
    code, output = _run(program, (*words, "--json"), shown=shown, capture=True)
    if code:
        raise StageError(f"pilah-{program} {words[0]}", code)
    found: dict[str, Any] = json.loads(output)
    return found


def _run(program: str, words: Sequence[object], *, shown: bool, capture: bool) -> tuple[int, str]:
    texts = [str(word) for word in words]
    if shown:
        _log.info(f"$ pilah-{program} {' '.join(texts)}")
    module = "edge.publish.cli" if program == "publish" else program
    process = subprocess.Popen(
        tied([sys.executable, "-m", module, *texts]),
        stdout=subprocess.PIPE if capture else None,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1", "TF_CPP_MIN_LOG_LEVEL": "2"},
    )
    with process:
        try:
            output, _ = process.communicate()
        except KeyboardInterrupt:
            # Ctrl-C reached the command too, which ends in its own way; a second one ends it hard.
            _wait_or_kill(process)
            raise
    if process.returncode in (EXIT_INTERRUPTED, -signal.SIGINT):
        raise KeyboardInterrupt
    return process.returncode, output or ""


def _wait_or_kill(process: subprocess.Popen[str]) -> None:
    try:
        process.wait()
    except KeyboardInterrupt:
        process.kill()
        process.wait()
