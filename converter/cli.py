"""The command `pilah-converter` and its verbs."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from edge.core.command_line import Verb, run_program

VERBS: Mapping[str, Verb] = {
    "convert": Verb(
        "convert a run into a bundle and compare it with the trained model",
        "converter.commands.convert",
        needs=("keras", "tensorflow", "ai_edge_litert"),
    ),
    "import": Verb(
        "make a bundle of somebody else's .tflite classifier",
        "converter.commands.import_model",
        needs=("ai_edge_litert",),
    ),
    "inspect": Verb(
        "show the inputs, outputs and operators of a .tflite file or a bundle",
        "converter.commands.inspect",
        needs=("ai_edge_litert",),
    ),
    "check-parity": Verb(
        "does a bundle answer like its float model, on your pictures?",
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
        "is a bundle signed with a key, and unchanged?",
        "converter.commands.verify_signature",
        needs=("cryptography",),
    ),
}


def main(words: Sequence[str] | None = None) -> int:
    """Runs `pilah-converter` and returns its exit code."""
    return run_program(
        "pilah-converter",
        "Converts a trained model into a bundle.",
        VERBS,
        extra="converter",
        words=words,
    )


if __name__ == "__main__":
    sys.exit(main())
