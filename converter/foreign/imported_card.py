"""The model card of a bundle that was imported from somebody else's model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from converter.bundle.card import as_sentence, class_table, with_glossary
from converter.foreign.graph_surgery import Normalisation
from converter.foreign.normalisations import TriedNormalisation
from edge.core.images.preprocess import InputSpec
from edge.core.model.grade import grade
from edge.core.model.metrics import Evaluation


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """What labelled pictures showed about a model: its normalisation, and how good it is."""

    labels: Sequence[str]
    normalisation: Normalisation
    """The normalisation that the bundle applies to its input."""
    tried: tuple[TriedNormalisation, ...]
    """Every normalisation that was tried, the best one first."""
    accept: Mapping[str, float]
    """The accept threshold of each label, 0..1."""
    evaluation: Evaluation
    """The evaluation on the half of the pictures on which nothing was chosen."""
    notes: tuple[str, ...]
    """Sentences about thresholds without a promise and about doubtful labels."""


def imported_card(title: str, source: str, spec: InputSpec, found: Findings) -> str:
    """The text of `card.md`, in Markdown, for a bundle of somebody else's model.

    Args:
        title: the bundle's name and version.
        source: the name of the `.tflite` file that was imported.
    """
    evaluation = found.evaluation
    tried = [(each.normalisation, each.accuracy) for each in found.tried]
    lines = [
        f"# {title}",
        "",
        f"This is somebody else's model, `{source}`, with its input and output adapted to pilah. "
        f"It says which of these classes a picture shows: {', '.join(found.labels)}.",
        "",
        "## How good it is",
        "",
        "Measured on half of the pictures that it was imported with. Nothing was chosen on this "
        "half. It is not known whether the model's maker trained it on these pictures.",
        "",
        f"**{as_sentence(grade(evaluation.confusion))}**",
        "",
        f"- accuracy {evaluation.accuracy}",
        f"- accepted {evaluation.accepted}, of these right {evaluation.purity}",
        "",
        *class_table(found.labels, evaluation, found.accept),
        "",
        "## How its pictures are prepared",
        "",
        f"{spec.width} x {spec.height} pixels, {spec.geometry}, normalised as "
        f"{found.normalisation}. Tried on the other half of the pictures:",
        "",
        "| normalisation | right |",
        "|---|---|",
        *(
            f"| {way}{' (this one)' if way == found.normalisation else ''} | {right} |"
            for way, right in tried
        ),
        "",
        "## Limits",
        "",
        "- The figures hold for pictures like those it was imported with. Take pictures at the "
        "station and evaluate on them.",
        "- It knows these classes only, and has no novelty score that would reject things of "
        "another kind.",
        *(f"- {note[0].upper()}{note[1:]}." for note in found.notes),
    ]
    return with_glossary(lines)
