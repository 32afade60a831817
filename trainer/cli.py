"""`pilah-trainer`."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from edge.core.command_line import Verb, run_program

VERBS: Mapping[str, Verb] = {
    "train": Verb(
        "fine-tune a network on labelled photographs",
        "trainer.commands.train",
        needs=("keras", "tensorflow"),
    ),
    "cross-validate": Verb(
        "how good a recipe is on labelled photographs",
        "trainer.commands.cross_validate",
        needs=("keras", "tensorflow"),
    ),
    "compare": Verb(
        "train in several ways on the same splits, and say which is best",
        "trainer.commands.compare",
        needs=("keras", "tensorflow"),
    ),
    "sweep": Verb(
        "train with many sets of values, on several machines, to find better ones",
        "trainer.commands.sweep",
        needs=("keras", "tensorflow"),
    ),
    "evaluate": Verb(
        "how a run does on pictures of other places and other light",
        "trainer.commands.evaluate",
        needs=("keras", "tensorflow"),
    ),
    "explain": Verb(
        "where a run's model looks, and which training pictures look alike",
        "trainer.commands.explain",
        needs=("keras", "tensorflow"),
    ),
    "find-rate": Verb(
        "find a learning rate for each phase",
        "trainer.commands.find_rate",
        needs=("keras", "tensorflow"),
    ),
    "recipes": Verb(
        "list, show, copy or check training plans", "trainer.commands.recipes", needs=("keras",)
    ),
    "data": Verb("get, check or clean a set of pictures", "trainer.commands.data"),
}


def main(words: Sequence[str] | None = None) -> int:
    """Runs `pilah-trainer` and returns its exit code."""
    return run_program(
        "pilah-trainer", "From photographs to a trained model.", VERBS, extra="trainer", words=words
    )


if __name__ == "__main__":
    sys.exit(main())
