"""What a training says on stderr of its pictures and of its result."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from edge.cli import say
from edge.hints import command
from edge.pictures import PARTS
from trainer.intervals import Figure
from trainer.prepare import Prepared
from trainer.report.cautions import cautions
from trainer.report.facts import ReportFacts
from trainer.report.scored import accepting
from trainer.run import REPORT, RunFacts


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


def say_result(report: ReportFacts, out: Path, facts: RunFacts) -> None:
    """Says from which score each label is accepted, and how good the model is."""
    say(f"temperature {facts.temperature:.2f}; accepted from:")
    for label, threshold in report.thresholds.items():
        say(f"  {label:<20} {threshold.value:.2f}  {threshold.note}")
    if facts.unknown is not None:
        _say_unknown(report)
    test = report.test
    sampling = test.resampling()
    taken = accepting(test, report.labels, report.accept)
    say(f"test part: accuracy {_figure(sampling.share(test.right))} of {len(test.right)} pictures")
    say(f"           accepted {_figure(taken.accepted)}, of these right {_figure(taken.purity)}")
    if not sampling.independent:
        say("           (intervals by groups, whose pictures are alike)")
    for caution in cautions(report):
        say(f"note: {caution.title}")
    early = " (cut short)" if facts.stopped_early else ""
    say(f"{out}: trained in {facts.minutes:.1f} min{early}; read {out / REPORT}")
    say(f"next: {command('pilah-converter', 'convert', out, '--out', 'BUNDLE')}")


def _say_unknown(report: ReportFacts) -> None:
    unknown = report.unknown
    if unknown is None:
        return
    shares = [figure.value for figure in unknown.found.values() if figure.value is not None]
    found = f", found {sum(shares) / len(shares):.0%} of classes left out" if shares else ""
    kept = "" if unknown.threshold is None else f": kept {_figure(unknown.kept)} of known pictures"
    say(f"unknown things by {unknown.kind}{kept}{found}" + f"; {unknown.note}" * bool(unknown.note))


def _figure(figure: Figure) -> str:
    if figure.value is None or figure.interval is None:
        return "none"
    low, high = figure.interval
    return f"{figure.value:.1%} ({low:.1%} to {high:.1%})"
