"""What a training says on stderr of its pictures and of its result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from edge.cli import say
from edge.model.metrics import Evaluation
from edge.pictures import PARTS
from trainer.calibrate import Threshold
from trainer.prepare import Prepared
from trainer.run import RunFacts


def say_data(prepared: Prepared) -> None:
    """Says how many pictures of each class there are in each part."""
    pictures, labels, skipped = prepared.pictures, prepared.labels, prepared.skipped
    counts = Counter((picture.label, picture.part) for picture in pictures)
    groups = len({picture.group for picture in pictures})
    say(
        f"{len(pictures)} pictures in {groups} groups, {len(labels)} classes"
        + (f", {len(skipped)} files skipped" if skipped else "")
    )
    say(f"  {'':<20} {'train':>7} {'validation':>11} {'test':>6}")
    for label in labels:
        train_count, validation, test = (counts[label, part] for part in PARTS)
        say(f"  {label:<20} {train_count:>7} {validation:>11} {test:>6}")


def say_result(
    thresholds: Mapping[str, Threshold],
    test: Evaluation,
    out: Path,
    facts: RunFacts,
    *,
    in_groups: bool,
) -> None:
    """Says from which score each label is accepted, and how good the model is."""
    say(f"temperature {facts.temperature:.2f}; accepted from:")
    for label, threshold in thresholds.items():
        say(f"  {label:<20} {threshold.value:.2f}  {threshold.note}")
    say(f"test part: accuracy {test.accuracy}")
    say(f"           accepted {test.accepted}, of these right {test.purity}")
    if in_groups:
        say("           (pictures of one group are alike: the true intervals are wider)")
    early = " (cut short)" if facts.stopped_early else ""
    say(f"{out}: trained in {facts.minutes:.1f} min{early}")
    say(f"next: pilah-converter convert {out} --out BUNDLE")
