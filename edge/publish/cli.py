"""`pilah-publish`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from edge.core.command_line import ALONE, Verb, run_program
from edge.runtime.worker import a_worker_is_left


def main(words: Sequence[str] | None = None) -> int:
    """Runs `pilah-publish` and returns its exit code."""
    return run_program(
        "pilah-publish",
        "",
        {ALONE: Verb("tell other systems what happens", "edge.publish.program")},
        extra="edge,publish",
        words=words,
        hangs=a_worker_is_left,
    )


if __name__ == "__main__":
    sys.exit(main())
