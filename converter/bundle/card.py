"""Writes the model card: what a bundle is for, how good it is, and what its limits are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from converter.parity.gate import Parity
from converter.quantization.calibration_checks import CalibrationCheck, QuantizedModel
from converter.quantization.fallbacks import Attempt
from edge.core.model.glossary import NOVELTY_BY, explained
from edge.core.model.grade import Grade
from edge.core.model.metrics import Evaluation
from trainer.run import RunFacts

_CALIBRATED = 100
"""The smallest number of test pictures for which the card gives the calibration error."""


def model_card(title: str, facts: RunFacts, quantized: QuantizedModel) -> str:
    """The text of a bundle's `card.md`, in Markdown.

    Args:
        title: the bundle's name and version.
        facts: what the run says of itself.
        quantized: the int8 model and its figures.
    """
    kept = quantized.kept
    parity, spec = kept.parity, facts.input
    drop, change = parity.drop, parity.confidence_change
    splits = ", ".join(f"{count:,} {split}" for split, count in facts.data.pictures.items())
    lines = [
        f"# {title}",
        "",
        "Says which of these classes the thing in a picture belongs to, on a machine that sorts: "
        f"{', '.join(facts.labels)}.",
        "",
        "## How good it is",
        "",
        f"**{as_sentence(parity.verdict)}** The loss by conversion to int8: "
        f"**{parity.drop.verdict}.**",
        "",
        "Measured on the test split, whose pictures were used neither for training, nor for "
        "tuning, nor for calibration.",
        "",
        "| | int8 (this bundle) | float |",
        "|---|---|---|",
        *(
            f"| {name} | {getattr(parity.int8, name)} | {getattr(parity.float32, name)} |"
            for name in ("accuracy", "accepted", "purity")
        ),
        "",
        "*accepted*: the best score reaches the threshold of its label; *purity*: the share of "
        "right labels among the accepted. 95 % intervals and counts are in brackets.",
        "",
        f"- Accuracy of int8 minus accuracy of float: {drop}, from {drop.second_only} pictures "
        f"that only int8 gets right and {drop.first_only} that only float gets right.",
        f"- Float and int8 give the same label on {parity.agreement} of all pictures that were not "
        "used for calibration (pictures of the training split are among them).",
        f"- The score of the best label moves by {change.mean:.3f} on average, by up to "
        f"{change.p95:.3f} on 95 % of pictures, by {change.largest:.3f} at most.",
        *_scores(parity),
        *(
            f"- Worse than the limit, though chance could explain it: {line}."
            for line in kept.verdict.warnings
        ),
        *_calibration(quantized.check),
        *_remedies(quantized.attempts, kept),
        "",
        *_classes(facts, parity),
        "",
        *_unknown(facts, parity),
        "## What it was made from",
        "",
        f"Recipe `{facts.recipe}` (variant `{facts.variant}`, seed {facts.seed}), "
        f"{facts.parameters:,} parameters, {facts.minutes:.1f} minutes, finished {facts.finished}"
        f"{', stopped before its last epoch' if facts.stopped_early else ''}. "
        f"Pictures: {splits}; {facts.data.skipped} could not be read. Data digest "
        f"`{facts.data.digest[:12]}`. Int8 was calibrated with {kept.calibrated_on} pictures of "
        "the training split, and with pure black and pure white."
        f"{_start(facts)}",
        "",
        "## Limits",
        "",
        "- The intervals know which pictures belong together, as the training did (`--groups`). "
        "Where it was not told, and several pictures show the same object, the true intervals are "
        "wider.",
        "- The figures hold for pictures like those of the data. With another camera, light, "
        "background or distance they may be worse: take pictures at the station and evaluate on "
        "them.",
        "- It knows these classes only. Something of no class gets one of these labels, often with "
        "a high score, unless it is rejected as unknown.",
        *(f"- Threshold of {label}: {note}." for label, note in facts.accept_notes.items()),
        f"- {_basis(facts)} They were then adjusted to the scores of the int8 model, with pictures "
        "that were used neither for the test nor for calibration.",
        "",
        "## How to use it",
        "",
        "```",
        "pilah-edge inspect BUNDLE",
        "pilah-edge classify BUNDLE PICTURE.jpg",
        "pilah-edge evaluate BUNDLE FOLDER",
        "```",
        "",
        f"`model.tflite` takes uint8 (1, {spec.height}, {spec.width}, {spec.channels}), "
        f"{'RGB' if spec.channels == 3 else 'grey'} levels 0 to 255 as they are (scale 1, zero "
        f"point 0), and gives float32 (1, {len(facts.labels)}) class probabilities in the order of "
        f"`labels.txt`, named `scores`{_second_output(facts)}. `bundle.json` says how a picture is "
        "preprocessed.",
    ]
    return with_glossary(lines)


def _start(facts: RunFacts) -> str:
    """A sentence about the run that the training started from, if it did."""
    start = facts.started_from
    if start is None:
        return ""
    new = f"; new to it: {', '.join(start.new_labels)}" if start.new_labels else ""
    return (
        f" The training started from the weights of an earlier run (model `{start.model[:12]}`"
        f"{new}), by which {start.validation_accuracy:.1%} of the validation pictures were right."
    )


def with_glossary(lines: Sequence[str]) -> str:
    """A card of these lines, with a glossary of its technical words at the end."""
    text = "\n".join(lines)
    words = [f"- **{word}**: {meaning}" for word, meaning in explained(text).items()]
    return "\n".join([text, "", "## Words", "", *words]) + "\n"


def as_sentence(verdict: Grade) -> str:
    """A verdict as a sentence, with a capital letter in front and a full stop at the end."""
    said = str(verdict)
    return f"{said[0].upper()}{said[1:]}."


def _scores(parity: Parity) -> list[str]:
    """A line about the calibration error of the scores, if there are enough pictures."""
    if parity.int8.accuracy.total < _CALIBRATED:
        return []
    before, after = parity.calibration_error
    return [
        f"- Scores differ from the share of right answers by {after:.3f} on average in int8, by "
        f"{before:.3f} in float."
    ]


def _basis(facts: RunFacts) -> str:
    basis = facts.accept_basis
    if basis is None or basis.scores == "cross-fitted":
        said = (
            "Thresholds were chosen on scores of float models for pictures that they were not "
            "trained on."
        )
    else:
        said = (
            "Thresholds were chosen on the float model's scores of the validation split, "
            f"{basis.images} pictures."
        )
    return said if basis is None or not basis.note else f"{said} Note: {basis.note}."


def _classes(facts: RunFacts, parity: Parity) -> list[str]:
    return class_table(facts.labels, parity.int8, parity.thresholds.accept)


def class_table(
    labels: Sequence[str], evaluation: Evaluation, accept: Mapping[str, float]
) -> list[str]:
    """A Markdown table with the precision, recall and accept threshold of each class."""
    return [
        "| label | precision | recall | test pictures | accepted from |",
        "|---|---|---|---|---|",
        *(
            f"| {label.replace('|', chr(92) + '|')} | {figures.precision.short} | "
            f"{figures.recall.short} | {figures.recall.total} | "
            f"{accept[label]:.3f} |"
            for label, figures in ((label, evaluation.classes[label]) for label in labels)
        ),
    ]


def _calibration(check: CalibrationCheck) -> list[str]:
    if not check.agreement.total:
        return []
    return [
        "- Calibrated with other pictures, the int8 model gives the same label on "
        f"{check.agreement} of the validation split."
    ]


def _remedies(attempts: Sequence[Attempt], kept: Attempt) -> list[str]:
    if len(attempts) < 2:
        return []
    return [
        "- These ways to quantise were tried, in this order; the first one that passes is kept:",
        *(f"  - {attempt.summary}{' (kept)' if attempt is kept else ''}" for attempt in attempts),
    ]


def _unknown(facts: RunFacts, parity: Parity) -> list[str]:
    unknown = facts.unknown
    if unknown is None:
        return []
    lines = [
        "## Unknown things",
        "",
        f"The novelty score, 0 to 1, says by {NOVELTY_BY[unknown.score]} that a picture shows a "
        "thing of none of these classes. "
        + (
            "Nothing is rejected by this score."
            if parity.thresholds.unknown is None
            else f"A picture with a score above {parity.thresholds.unknown:g} is rejected as "
            f"`unknown`; the threshold was chosen to keep {100 * unknown.keep:.4g}% of known "
            "things."
        ),
        "",
    ]
    if parity.thresholds.unknown is not None:
        lines += [
            f"- Wrongly rejected as unknown on the test split: int8 {parity.int8.unknown}, float "
            f"{parity.float32.unknown}."
        ]
    if parity.unknown is not None:
        lines += [
            f"- In int8 the novelty score moves by {parity.unknown.change.mean:.3f} on average, by "
            f"{parity.unknown.change.largest:.3f} at most."
        ]
    found = unknown.left_out.get(unknown.score, {})
    if found:
        lines += [
            "- Leave-one-class-out: the share of pictures of a class that are rejected if only the "
            "other classes are known. It was measured on the network before its training, so it is "
            "an estimate:",
            "",
            "| left out | found | 95 % interval | pictures |",
            "|---|---|---|---|",
            *(
                f"| {label.replace('|', chr(92) + '|')} | {figure['value']:.0%} | "
                f"{figure['interval'][0]:.0%} to {figure['interval'][1]:.0%} | "
                f"{figure['images']} |"
                for label, figure in found.items()
            ),
        ]
    if unknown.note:
        lines += [*([""] if found else []), f"- {unknown.note[0].upper()}{unknown.note[1:]}."]
    return [*lines, ""]


def _second_output(facts: RunFacts) -> str:
    return "" if facts.unknown is None else ", and a float32 (1, 1) novelty score, named `unknown`"
