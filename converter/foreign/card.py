"""The card of a bundle that was made of somebody else's model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from converter.bundle.card import class_table, sentence, with_words
from converter.foreign.normalisations import TriedNormalisation
from converter.foreign.surgery import Normalisation
from edge.core.images.preprocess import InputSpec
from edge.core.model.grade import grade
from edge.core.model.metrics import Evaluation


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """What labelled pictures showed of a model: how it wants them, and how good it is."""

    labels: Sequence[str]
    normalisation: Normalisation
    """How the bundle normalises its input."""
    tried: tuple[TriedNormalisation, ...]
    """Every normalisation that was tried, the best first."""
    accept: Mapping[str, float]
    """The accept threshold of each label, 0..1."""
    evaluation: Evaluation
    """On the half of the pictures that nothing was chosen on."""
    notes: tuple[str, ...]
    """What is not promised, and what is in doubt."""


def imported_card(title: str, source: str, spec: InputSpec, found: Findings) -> str:
    """`card.md` of a bundle of somebody else's model, in Markdown.

    Args:
        title: name and version.
        source: the name of the file that the model came in.
    """
    evaluation = found.evaluation
    tried = [(each.normalisation, each.accuracy) for each in found.tried]
    lines = [
        f"# {title}",
        "",
        f"Somebody else's model, `{source}`, with the input and output of pilah's contract: which "
        f"of these a picture shows: {', '.join(found.labels)}.",
        "",
        "## How good it is",
        "",
        "On half of the pictures it was imported with; nothing was chosen on these. Whether its "
        "maker trained it on them, nobody here knows.",
        "",
        f"**{sentence(grade(evaluation.confusion))}**",
        "",
        f"- accuracy {evaluation.accuracy}",
        f"- accepted {evaluation.accepted}, of these right {evaluation.purity}",
        "",
        *class_table(found.labels, evaluation, found.accept),
        "",
        "## How it takes its pictures",
        "",
        f"{spec.width} x {spec.height} pixels, {spec.geometry}, {found.normalisation}; tried on "
        "the other half:",
        "",
        "| normalised | right |",
        "|---|---|",
        *(
            f"| {way}{' (this one)' if way == found.normalisation else ''} | {right} |"
            for way, right in tried
        ),
        "",
        "## Limits",
        "",
        "- The figures hold for pictures like those given. Take pictures at the station and "
        "evaluate on them.",
        "- It knows these classes only, and has no novelty score that would reject things of no "
        "class.",
        *(f"- {note[0].upper()}{note[1:]}." for note in found.notes),
    ]
    return with_words(lines)
