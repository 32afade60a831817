"""What a training says on stderr of its pictures and of its result."""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path

from edge.core.dataset import SPLITS
from edge.core.model.metrics import ShareWording, share_wording
from edge.core.terminal.hints import command
from edge.core.terminal.wording import number_of
from trainer.fit.prepare import Prepared
from trainer.recipes.measured import whether_better
from trainer.report.report_facts import ReportFacts
from trainer.report.report_warnings import report_warnings
from trainer.report.scored_split import accepting
from trainer.run import REPORT, RunFacts

_log = logging.getLogger(__name__)


def say_data(prepared: Prepared) -> None:
    """Says how many pictures of each class there are in each split."""
    pictures, labels, skipped = prepared.pictures, prepared.labels, prepared.skipped
    counts = Counter((picture.label, picture.split) for picture in pictures)
    groups = len({picture.group for picture in pictures})
    _log.info(
        f"{number_of(len(pictures), 'pictures')} in {number_of(groups, 'groups')}, "
        f"{number_of(len(labels), 'classes')}"
        + (f", {number_of(len(skipped), 'files')} skipped" if skipped else "")
    )
    _log.info(f"  {'':<20} {'train':>7} {'validation':>11} {'test':>6}")
    for label in labels:
        train_count, validation, test = (counts[label, split] for split in SPLITS)
        _log.info(f"  {label:<20} {train_count:>7} {validation:>11} {test:>6}")


def say_result(report: ReportFacts, out: Path, facts: RunFacts) -> None:
    """Says from which score each label is accepted, and how good the model is."""
    _log.info("accepted from this score on (0 to 1):")
    for label, threshold in report.thresholds.items():
        _log.info(f"  {label:<20} {threshold.value:.2f}  {threshold.note}")
    if facts.unknown is not None:
        _say_unknown(report)
    test = report.test
    sampling = test.resampling()
    taken = accepting(test, report.labels, report.accept)
    right, total = int(test.right.sum()), len(test.right)
    _log.info(
        f"on {number_of(total, 'pictures')} that it has never seen (in brackets the 95% interval):"
    )
    _log.info(f"  right              {sampling.share(test.right).in_words(right, total)}")
    _log.info(f"  accepted           {taken.accepted.in_words(taken.count, total)}")
    _log.info(f"  of these right     {taken.purity.in_words(taken.right, taken.count)}")
    if not sampling.independent:
        _log.info(
            f"  (they come in {sampling.groups} groups of alike ones, which makes intervals wider)"
        )
    _log.info(f"verdict: {report.verdict}")
    for note in report.notes:
        _log.info(f"of the recipe: {note}")
    for each in report.measured:
        _log.info(f"another network was measured with this recipe, {each.sentence}")
    if report.measured:
        _log.info(f"of other networks that were measured: {whether_better(report.measured)}")
    for warning in report_warnings(report):
        _log.warning(f"note: {warning.title}")
    early = " (cut short)" if facts.stopped_early else ""
    _log.info(f"{out}: trained in {facts.minutes:.1f} min{early}; read {out / REPORT}")
    _log.info(f"next: {command('pilah-converter', 'convert', out, '--out', 'BUNDLE')}")


def _say_unknown(report: ReportFacts) -> None:
    unknown = report.unknown
    if unknown is None:
        return
    rejected = ""
    if unknown.rejected.value is not None:
        total = len(report.test.truth)
        count = round(unknown.rejected.value * total)
        rejected = (
            f"called {unknown.rejected.in_words(count, total)} of the known test pictures unknown"
        )
    shares = [each.value for each in unknown.found.values() if each.value is not None]
    found = ""
    few = [share_wording(each.interval) is ShareWording.TOO_FEW for each in unknown.found.values()]
    if shares and not any(few):
        found = (
            f"rejected {sum(shares) / len(shares):.0%} of classes left out, an estimate from the "
            "network before its training"
        )
    said = "; ".join(filter(None, (rejected, found, unknown.note)))
    _log.info(f"novelty score: {said}")
