"""`pilah-converter`."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from edge.core.command_line import Verb, run_program

VERBS: Mapping[str, Verb] = {
    "convert": Verb(
        "quantise a run into a bundle and prove it equal",
        "converter.commands.convert",
        needs=("keras", "tensorflow", "ai_edge_litert"),
    ),
    "import": Verb(
        "make a bundle of somebody else's .tflite classifier",
        "converter.commands.import_model",
        needs=("ai_edge_litert",),
    ),
    "inspect": Verb(
        "what a .tflite file or a bundle's model is made of",
        "converter.commands.inspect",
        needs=("ai_edge_litert",),
    ),
    "check-parity": Verb(
        "does a bundle answer as its float model does, on your pictures?",
        "converter.commands.check_parity",
        needs=("ai_edge_litert",),
    ),
    "compare": Verb(
        "is one of two bundles better, on the same pictures?",
        "converter.commands.compare",
        needs=("ai_edge_litert",),
    ),
    "keygen": Verb(
        "make a key to sign bundles with", "converter.commands.keygen", needs=("cryptography",)
    ),
    "sign": Verb("sign a bundle", "converter.commands.sign", needs=("cryptography",)),
    "verify-signature": Verb(
        "is a bundle signed and unchanged?",
        "converter.commands.verify_signature",
        needs=("cryptography",),
    ),
}


def main(words: Sequence[str] | None = None) -> int:
    """Runs `pilah-converter` and returns its exit code."""
    return run_program(
        "pilah-converter",
        "From a trained model to a bundle.",
        VERBS,
        extra="converter",
        words=words,
    )


if __name__ == "__main__":
    sys.exit(main())
