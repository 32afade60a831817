"""The warnings of a report, each with its meaning and with what to do."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from edge.core.model.grade import FEWEST, TOO_FEW
from edge.core.terminal.wording import in_a_sentence, number_of
from trainer.calibration.accept_thresholds import is_promised
from trainer.report.report_facts import ReportFacts
from trainer.report.scored_split import ScoredSplit, accepting, calibration, class_rows, confusions
from trainer.statistics.intervals import Figure

MANY_USES = 3
"""The number of evaluations on the same test pictures from which the report warns."""
_FEW = 100
"""The number of test pictures below which an accuracy is a rough guess."""
_TELLING = 10
"""The fewest pictures of a split from which conclusions are drawn."""
_SURELY = 0.975
"""The confidence with which something is said to be more than chance: that of one end of a 95 %
interval."""
_SELDOM = 0.5
"""A class without correct test pictures is reported if its recall is certainly below this share, as
with 0 of 4."""
_FEW_OF_A_CLASS = 10
_FEW_GROUPS = 10
_CONFUSED = 0.15
"""The share of a label's pictures that are taken for one other label, from which it is reported."""
_CONFUSED_PICTURES = 3
_ACCEPTED = 0.5
"""The share of accepted pictures below which a station mostly rejects."""
_UNCALIBRATED = 0.1
_SENSITIVE = 0.1
"""The loss of accuracy under a disturbance, from which it is reported."""
_LOPSIDED = 10
"""The ratio of the pictures of two classes from which it is reported."""


@dataclass(frozen=True, slots=True)
class ReportWarning:
    """One warning of a report."""

    title: str
    """The warning as a sentence."""
    advice: str
    """The meaning of the warning and what to do."""


def report_warnings(facts: ReportFacts) -> tuple[ReportWarning, ...]:
    """The warnings about a training, the most serious first."""
    return tuple(
        warning
        for find in (
            _nothing_to_test,
            _purity_below,
            _rejects_most,
            _held_out_use,
            _size,
            _cut_short,
            _folds_missing,
            _left_out,
            _validation_apart,
            _known_called_unknown,
            _never_taken,
            _confused,
            _no_promise,
            _calibration,
            _sensitive,
            _still_learning,
            _lopsided,
            _skipped,
        )
        for warning in find(facts)
    )


def _nothing_to_test(facts: ReportFacts) -> Iterator[ReportWarning]:
    if not len(facts.test.truth):
        yield ReportWarning(
            "There is no test split: nobody knows how good this model is",
            "Set pictures aside that it is not trained on.",
        )


def _purity_below(facts: ReportFacts) -> Iterator[ReportWarning]:
    found = accepting(facts.test, facts.labels, facts.accept)
    interval, wrong = found.purity.interval, found.count - found.right
    # For a few pictures, Wilson's interval excludes too much, so the exact test is used as well.
    surely = is_promised(wrong, found.count, 1 - facts.purity, _SURELY)
    if interval and interval[1] < facts.purity and surely:
        yield ReportWarning(
            f"Of what it accepts {found.purity.in_words(found.right, found.count)} is right, less "
            f"than the {facts.purity:.0%} wanted",
            "More than chance explains. The test pictures differ from those that the thresholds "
            "were chosen on: do not rely on the thresholds.",
        )


def _rejects_most(facts: ReportFacts) -> Iterator[ReportWarning]:
    found = accepting(facts.test, facts.labels, facts.accept)
    interval = found.accepted.interval
    if interval is not None and interval[1] < _ACCEPTED:
        share = found.accepted.in_words(found.count, found.total)
        yield ReportWarning(
            f"It accepts only {share} of the pictures and rejects the rest",
            "It is seldom sure enough. More pictures, or a lower purity wanted (`accept.purity` in "
            "the recipe), let more through.",
        )


def _held_out_use(facts: ReportFacts) -> Iterator[ReportWarning]:
    use = facts.held_out_use
    if use is None:
        return
    if use.note:
        yield ReportWarning(
            "This use of the test pictures was not counted", f"The ledger: {use.note}."
        )
    elif use.times >= MANY_USES:
        yield ReportWarning(
            f"The test pictures were used {use.times} times, since {use.first[:10]}",
            "Whoever reads their figures, changes something and tests again chooses by the test "
            "pictures, and their figures flatter more each time. Choose by the validation pictures "
            "or by cross-validation; to know how good the model is, take new pictures for a test.",
        )


def _size(facts: ReportFacts) -> Iterator[ReportWarning]:
    total, sampling = len(facts.test.truth), facts.test.resampling()
    if facts.verdict.word == TOO_FEW:
        return  # the verdict itself says it
    if total < _FEW:
        interval = sampling.share(facts.test.right).interval or (0.0, 1.0)
        few = not sampling.independent and sampling.groups < _FEW_GROUPS
        of = f" in {number_of(sampling.groups, 'groups')}" if few else ""
        yield ReportWarning(
            f"The test split is small: {number_of(total, 'pictures')}{of}",
            f"Its accuracy could as well be {interval[0]:.0%} or {interval[1]:.0%}. A few hundred "
            "pictures of different objects make it certain to a few points.",
        )
    elif not sampling.independent and sampling.groups < _FEW_GROUPS:
        yield ReportWarning(
            f"The test split has only {number_of(sampling.groups, 'groups of pictures')}",
            "Pictures of a group are alike, so they tell little more than one of them. Take "
            "pictures of more different objects.",
        )
    rare = [
        f"{row.label} ({row.pictures})"
        for row in class_rows(facts.test, facts.labels)
        if row.pictures < _FEW_OF_A_CLASS
    ]
    if rare and total >= _FEW:
        yield ReportWarning(
            f"Fewer than {_FEW_OF_A_CLASS} test pictures of {in_a_sentence(rare)}",
            "The figures of these classes are rough guesses.",
        )


def _cut_short(facts: ReportFacts) -> Iterator[ReportWarning]:
    if facts.cut_short:
        yield ReportWarning(
            "The training was cut short",
            "It ended before the recipe's last epoch. With more time (--max-minutes) it may come "
            "out better.",
        )


def _folds_missing(facts: ReportFacts) -> Iterator[ReportWarning]:
    basis = facts.basis
    if basis is None or not basis.note:
        return
    advice = "More time (--max-minutes) gives the models what they need"
    if basis.folds:
        title = f"Only {basis.folds} of {basis.folds_planned} cross-fitted models could be used"
    elif basis.folds_planned:
        title = "No cross-fitted model could be used: the thresholds promise nothing"
    else:
        title = "No model was cross-fitted: the thresholds promise nothing"
        advice = "A training without --from cross-fits models"
    yield ReportWarning(
        title,
        f"{basis.note[0].upper()}{basis.note[1:]}. The thresholds were chosen by the scores of "
        f"{basis.images:,} pictures. {advice}.",
    )


def _left_out(facts: ReportFacts) -> Iterator[ReportWarning]:
    if facts.left_out:
        yield ReportWarning(
            f"Not measured, because the time was too short: {in_a_sentence(list(facts.left_out))}",
            "Allow more time with --max-minutes.",
        )


def _validation_apart(facts: ReportFacts) -> Iterator[ReportWarning]:
    if facts.validation is None:
        return
    if min(len(facts.validation.truth), len(facts.test.truth)) < _TELLING:
        return
    splits = facts.validation, facts.test
    validation, test = (split.resampling().share(split.right) for split in splits)
    if _apart(validation, test):
        yield ReportWarning(
            f"Validation says {_right(splits[0])} and the test split {_right(splits[1])}",
            "More than chance explains: the two splits have pictures of different kinds. Trust the "
            "lower one, and look at how the pictures were taken and grouped.",
        )


def _right(split: ScoredSplit) -> str:
    return split.resampling().share(split.right).in_words(int(split.right.sum()), len(split.right))


def _apart(one: Figure, other: Figure) -> bool:
    """Whether two shares of different pictures differ by more than chance explains."""
    if one.value is None or other.value is None or not one.interval or not other.interval:
        return False
    # The half widths of the intervals are about 1.96 standard errors each (Newcombe, 1998).
    apart = one.value - other.value
    room = math.hypot(one.value - one.interval[0], other.interval[1] - other.value)
    if apart < 0:
        room = math.hypot(one.interval[1] - one.value, other.value - other.interval[0])
    return abs(apart) > room


def _known_called_unknown(facts: ReportFacts) -> Iterator[ReportWarning]:
    unknown = facts.unknown
    if unknown is None or unknown.rejected.value is None or not unknown.rejected.interval:
        return
    total, share = len(facts.test.truth), unknown.rejected.value
    words = unknown.rejected.in_words(round(share * total), total)
    kept = Figure(1 - share, (1 - unknown.rejected.interval[1], 1 - unknown.rejected.interval[0]))
    # For a few pictures, Wilson's interval excludes too much, so the exact test is used as well.
    surely = is_promised(round(share * total), total, 1 - unknown.keep, _SURELY)
    if unknown.rejected.interval[0] > 1 - unknown.keep and surely:
        yield ReportWarning(
            f"It calls {words} of the known test pictures unknown, and is to call at most "
            f"{100 * (1 - unknown.keep):.3g}% so",
            "More than chance explains: the test pictures differ from those to validate on, by "
            "which the limit was set. A station with such pictures rejects as many. Train on "
            "pictures of its kind too, or leave the novelty score out (`unknown.score: none`).",
        )
    elif total >= _TELLING and _apart(unknown.kept, kept):
        yield ReportWarning(
            f"It calls {words} of the known test pictures unknown, and "
            f"{1 - (unknown.kept.value or 0):.1%} of those to validate on",
            "More than chance explains: the two splits have pictures of different kinds. Expect "
            "the higher share, or more, of photographs of another kind.",
        )


def _never_taken(facts: ReportFacts) -> Iterator[ReportWarning]:
    never = [
        row.label
        for row in class_rows(facts.test, facts.labels)
        if not row.right and row.recall.interval and row.recall.interval[1] < _SELDOM
    ]
    if never:
        yield ReportWarning(
            f"No test picture of {in_a_sentence(never)} was classified correctly",
            "Look at the pictures: too few, a wrong label, or a class that looks like another.",
        )


def _confused(facts: ReportFacts) -> Iterator[ReportWarning]:
    split = facts.test if facts.cross_fitted is None else facts.cross_fitted
    pairs = [
        f"{c.label} for {c.taken_for} ({c.pictures.count} of {c.pictures.total})"
        for c in confusions(split, facts.labels)
        if c.pictures.count >= _CONFUSED_PICTURES and (c.pictures.value or 0) >= _CONFUSED
    ]
    if pairs:
        yield ReportWarning(
            f"It often takes {in_a_sentence(pairs)}",
            "More pictures of just these, and a look for wrong labels among them, help most. If "
            "nobody can tell them apart in a picture, make them one class.",
        )


def _no_promise(facts: ReportFacts) -> Iterator[ReportWarning]:
    if facts.thresholds and all(threshold.note for threshold in facts.thresholds.values()):
        yield ReportWarning(
            "No class carries a promise",
            f"For no class is it shown that {facts.purity:.0%} of what is accepted is right. The "
            "table of the classes says how many more pictures each one needs.",
        )


def _calibration(facts: ReportFacts) -> Iterator[ReportWarning]:
    found = calibration(facts.test.scores, facts.test.truth)
    if found and len(facts.test.truth) >= _FEW and found.error > _UNCALIBRATED:
        yield ReportWarning(
            f"Its scores lie {found.error:.0%} off the share that is right",
            "A score of 0.9 does not mean nine in ten here. Thresholds still promise what they "
            "say, but a score by itself says little.",
        )


def _sensitive(facts: ReportFacts) -> Iterator[ReportWarning]:
    if len(facts.test.truth) < FEWEST:
        return
    mild = [
        f"{each.name} ({-100 * (each.change.value or 0):.0f} points less)"
        for each in facts.disturbed
        if each.severity == "mild"
        and each.change.interval
        and each.change.interval[1] < 0
        and (each.change.value or 0) < -_SENSITIVE
    ]
    if mild:
        yield ReportWarning(
            f"Even a mild disturbance makes it clearly less accurate: {in_a_sentence(mild)}",
            "Keep the station free of it, or train with it (the recipe's augment section).",
        )


def _still_learning(facts: ReportFacts) -> Iterator[ReportWarning]:
    best = facts.best_epoch
    if best is not None and best == len(facts.history) - 1 and best > 0 and not facts.cut_short:
        yield ReportWarning(
            "Its last epoch was its best",
            "It may not have learned all it could: try more epochs in the last phase.",
        )


def _lopsided(facts: ReportFacts) -> Iterator[ReportWarning]:
    counts = {label: facts.counts.get(label, {}).get("train", 0) for label in facts.labels}
    if not counts:
        return
    least, most = min(counts, key=counts.__getitem__), max(counts, key=counts.__getitem__)
    if counts[most] >= _LOPSIDED * max(1, counts[least]):
        yield ReportWarning(
            f"It learned from {counts[most]:,} pictures of {most} and {counts[least]:,} of {least}",
            "It leans towards what it saw most of. Take more pictures of the rare class.",
        )


def _skipped(facts: ReportFacts) -> Iterator[ReportWarning]:
    if facts.skipped:
        files = "1 file was" if facts.skipped == 1 else f"{facts.skipped:,} files were"
        yield ReportWarning(f"{files} left out", "skipped.txt in the run says which and why.")
