"""The problems that a check found, with advice, the most serious first.

These spoil a training, so that `data check` ends with exit code 1:

- there is only one class, or a class has fewer than 6 readable pictures: `train` refuses both;
- copies of one picture carry different labels;
- wrong labels, beyond what the judge's own errors explain: 5 % by the best estimate, and more
  than 2 % with a certainty of 99 %;
- a class is given away by its source, and the source shows: told by the source alone with F1 of
  0.9 or more, and the source by the picture's frame and file with 0.75 or more;
- a class is given away by the picture's frame: F1, by the lower ends of its 95 % intervals, 0.8 or
  more above chance, and no better told by the middle of the picture;
- more than 10 % of the files cannot be read.

Everything else is a warning: the training will go through, and be the better for a look.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from edge.core.terminal.wording import in_a_sentence, number_of
from trainer.audit.check import CheckResult
from trainer.audit.label_noise import CERTAINTY
from trainer.audit.shortcut import ClassShortcut
from trainer.fit.preconditions import FEWEST

UNREADABLE_SHARE = 0.10
WRONG_LABELS_SHARE = 0.05
SURELY_WRONG = 0.02
"""The bound of the share of wrong labels, at 99 %. Of 24 clean sets of trashnet and shoes, drawn to
choose it, it was 1.0 % at most; the test sets that Northcutt, Athalye, Mueller, "Pervasive label
errors in test sets", NeurIPS 2021, looked through have 3.3 % on average."""
GIVEN_AWAY, PARTLY = 0.8, 0.5
"""F1 limits, scaled so that 0 is chance and 1 is always right."""
BY_SOURCE, SHOWS = 0.9, 0.75
GOOD_START = 100
"""Pictures of a class that are a good start; a threshold one can promise takes about as many."""
LOPSIDED = 10
"""Times as many pictures of one class as of another."""
_FEW = 30
_BETTER_THAN_MIDDLE = 0.05


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem of the set, or one thing worth a look."""

    kind: str
    """A short name for programs, also of the section of the page that shows it."""
    title: str
    advice: str
    spoils: bool = False


def problems(checked: CheckResult) -> tuple[Problem, ...]:
    """The problems that were found; those that spoil a training come first."""
    found = [
        problem
        for find in (
            _classes,
            _contradictions,
            _given_away_by_source,
            _given_away_by_background,
            _labels,
            _unreadable,
            _across_parts,
            _few,
            _lopsided,
            _files,
            _copies,
            _formats,
            _quality,
            _odd,
            _not_looked,
        )
        for problem in find(checked)
    ]
    return tuple(sorted(found, key=lambda problem: not problem.spoils))


def given_away(checked: CheckResult) -> tuple[ClassShortcut, ...]:
    """Classes that the frame of a picture predicts as well as its middle does, or better."""
    return tuple(
        told
        for told in (checked.background.classes if checked.background else ())
        if _above_chance(checked, told, told.surely) >= GIVEN_AWAY
        and told.f1 >= told.middle_f1 - _BETTER_THAN_MIDDLE
    )


def partly_given_away(checked: CheckResult) -> tuple[ClassShortcut, ...]:
    """Classes that the frame of a picture predicts clearly better than its middle does."""
    whole = given_away(checked)
    return tuple(
        told
        for told in (checked.background.classes if checked.background else ())
        if told not in whole
        and _above_chance(checked, told, told.surely) >= PARTLY
        and told.f1 >= told.middle_f1 + _BETTER_THAN_MIDDLE
    )


def given_away_by_source(checked: CheckResult) -> tuple[str, ...]:
    """Classes that a source predicts, where the source shows in the picture or its file."""
    if checked.sources is None or checked.source_shows is None:
        return ()
    showing = {told.label for told in checked.source_shows.classes if told.f1 >= SHOWS}
    return tuple(
        told.label
        for told in checked.sources.classes
        if told.f1 >= BY_SOURCE and set(told.sources) <= showing
    )


def _above_chance(checked: CheckResult, told: ClassShortcut, f1: float) -> float:
    counts = checked.counts
    chance = max(1 / len(counts), counts[told.label] / max(1, counts.total()))
    return (f1 - chance) / (1 - chance) if chance < 1 else 0.0


def _classes(checked: CheckResult) -> Iterator[Problem]:
    counts = checked.counts
    if len(counts) < 2:
        yield Problem(
            "classes",
            "There is only one class: nothing to tell apart",
            "Add a second one, for example `empty` or `other`.",
            spoils=True,
        )
    small = [f"{label} ({count})" for label, count in sorted(counts.items()) if count < FEWEST]
    if small:
        yield Problem(
            "classes",
            f"{_classes_have(small)} fewer than {FEWEST} readable pictures: {in_a_sentence(small)}",
            f"Training refuses them. Add pictures ({GOOD_START} are a good start) or take the "
            "class out.",
            spoils=True,
        )


def _contradictions(checked: CheckResult) -> Iterator[Problem]:
    found = [copies for copies in checked.copies if len(copies.labels) > 1]
    if found:
        pictures = sum(len(copies.members) for copies in found)
        pairs = Counter(" and ".join(copies.labels) for copies in found)
        yield Problem(
            "copies",
            f"{pictures} pictures are copies of one another with different labels: "
            f"{in_a_sentence([f'{labels} ({n})' for labels, n in pairs.most_common()])}",
            "One of the labels is wrong. Keep the right one of each and drop the others.",
            spoils=True,
        )


def _given_away_by_source(checked: CheckResult) -> Iterator[Problem]:
    if checked.sources is None:
        return
    sure = given_away_by_source(checked)
    names = in_a_sentence(sorted(checked.sources.counts))
    told, largest = checked.sources.told, checked.sources.largest
    figures = (
        f"Who knows only the source ({names}) names the class of {told.value:.0%} of the "
        f"pictures; always naming the largest class, {largest.value:.0%}."
    )
    if sure:
        yield Problem(
            "background",
            f"The set was merged, and {in_a_sentence(sure)} "
            f"{'is' if len(sure) == 1 else 'are'} told by the source alone",
            "A network will learn the look of the source (its background, light, kind of file) in "
            "place of the thing, and fail at your machine. Photograph every class in the same "
            f"place, at best at the station. {figures}",
            spoils=True,
        )
    elif checked.sources.kind == "folder":
        yield Problem(
            "background",
            "The set was merged from several sources",
            f"No class is given away as a whole. {figures}",
        )


def _given_away_by_background(checked: CheckResult) -> Iterator[Problem]:
    by_source = given_away_by_source(checked)
    sure = [told for told in given_away(checked) if told.label not in by_source]
    partly = [told for told in partly_given_away(checked) if told.label not in by_source]
    if sure:
        yield Problem(
            "background",
            f"The background gives {in_a_sentence([told.label for told in sure])} away",
            "The outer frame of the picture alone tells it. Take pictures of this class where "
            "those of the others were taken, in the same light.",
            spoils=True,
        )
    if partly:
        yield Problem(
            "background",
            "Background or light say something about "
            + in_a_sentence([told.label for told in partly]),
            "The outer frame of a picture tells these classes more often than its middle does. "
            "The series were perhaps taken at different places or times. Vary place and light "
            "within each class.",
        )


def _labels(checked: CheckResult) -> Iterator[Problem]:
    errors = checked.label_errors
    if errors is None:
        return
    wrong, total, doubted = errors.wrong, len(errors.given), int(errors.probable.sum())
    if wrong.estimate > WRONG_LABELS_SHARE and wrong.at_least > SURELY_WRONG:
        yield Problem(
            "labels",
            f"About {round(wrong.estimate * total)} of {total} labels are wrong "
            f"({wrong.estimate:.0%}; at least {wrong.at_least:.0%}, with a certainty of "
            f"{CERTAINTY:.0%})",
            "So many spoil the training and every figure of it. Decide on the page which labels "
            "are wrong, the most doubtful first.",
            spoils=True,
        )
    elif doubted:
        yield Problem(
            "labels",
            f"{doubted} {'label is' if doubted == 1 else 'labels are'} in doubt",
            (
                f"Between {round(wrong.low * total)} and {round(wrong.high * total)} labels of "
                f"the set are wrong (95 % interval)."
                if wrong.low * total >= 1
                else f"A simple model names {1 - errors.agreement:.0%} of the pictures otherwise "
                "than their labels, and its own errors are enough to explain that: perhaps all "
                "labels are right."
            )
            + " Look through the most doubtful ones on the page.",
        )


def _unreadable(checked: CheckResult) -> Iterator[Problem]:
    count = len(checked.unreadable)
    if not count:
        return
    share = count / (count + len(checked.pictures))
    empty = sum(facts.is_empty for _, facts in checked.unreadable)
    short = sum(facts.is_cut_short for _, facts in checked.unreadable)
    kinds = [f"{n} {words}" for n, words in ((empty, "empty"), (short, "cut short")) if n]
    yield Problem(
        "files",
        f"{count} {'file' if count == 1 else 'files'} cannot be read"
        + (f" ({', '.join(kinds)})" if kinds else ""),
        "Training leaves them out. Copy them again from where they came from."
        + (" With so many something went wrong as a whole." if share > UNREADABLE_SHARE else ""),
        spoils=share > UNREADABLE_SHARE,
    )


def _across_parts(checked: CheckResult) -> Iterator[Problem]:
    found = [copies for copies in checked.copies if len(copies.splits) > 1]
    if found:
        yield Problem(
            "copies",
            f"Copies of {number_of(len(found), 'pictures')} lie in two splits",
            "A test on pictures that were trained on gives too good figures. Drop the copies of "
            "one split; `train` leaves out those of the training split by itself.",
        )


def _few(checked: CheckResult) -> Iterator[Problem]:
    few = [
        f"{label} ({count})"
        for label, count in sorted(checked.counts.items(), key=lambda item: item[1])
        if FEWEST <= count < _FEW
    ]
    if few:
        yield Problem(
            "classes",
            f"{_classes_have(few)} fewer than {_FEW} pictures: {in_a_sentence(few)}",
            f"Enough to train, too few to know how good it is. {GOOD_START} are a good start.",
        )


def _lopsided(checked: CheckResult) -> Iterator[Problem]:
    counts = checked.counts
    most, least = max(counts, key=counts.__getitem__), min(counts, key=counts.__getitem__)
    if counts[least] and counts[most] >= LOPSIDED * counts[least]:
        yield Problem(
            "classes",
            f"{most} has {counts[most]} pictures, {least} only {counts[least]}",
            "The model will lean towards the large class. Add pictures of the small ones; the "
            "recipe's class_weights help a little.",
        )


def _files(checked: CheckResult) -> Iterator[Problem]:
    if checked.files is None:
        return
    by_source = given_away_by_source(checked)
    told = [
        each.label
        for each in checked.files.classes
        if _above_chance(checked, each, each.surely) >= GIVEN_AWAY and each.label not in by_source
    ]
    if told:
        yield Problem(
            "background",
            f"Size and format of the file tell {in_a_sentence(told)}",
            "The pictures of this class were probably made by another camera or program. What the "
            "network sees of that (sharpness, traces of compression) is no part of the thing.",
        )


def _copies(checked: CheckResult) -> Iterator[Problem]:
    found = [c for c in checked.copies if len(c.labels) == 1 and len(c.splits) < 2]
    extra = sum(len(copies.members) - 1 for copies in found)
    if extra:
        yield Problem(
            "copies",
            f"{extra} {'picture is a copy' if extra == 1 else 'pictures are copies'} of others of "
            "the same class",
            "They do no harm, as training keeps copies in one split, but count for less than "
            "their number.",
        )


def _formats(checked: CheckResult) -> Iterator[Problem]:
    if checked.skipped:
        count = len(checked.skipped)
        yield Problem(
            "files",
            f"{count} {'file is' if count == 1 else 'files are'} left out",
            f"First: {checked.skipped[0]}.",
        )


def _quality(checked: CheckResult) -> Iterator[Problem]:
    counts = Counter(words for facts in checked.facts for words in facts.quality.warnings)
    if counts:
        yield Problem(
            "quality",
            "Poor pictures: " + ", ".join(f"{n} {words}" for words, n in counts.most_common()),
            "Keep those that the machine, too, will meet. Drop the accidents.",
        )


def _odd(checked: CheckResult) -> Iterator[Problem]:
    if count := len(checked.outliers):
        yield Problem(
            "odd",
            f"{count} {'picture is' if count == 1 else 'pictures are'} unlike the rest of "
            f"{'its' if count == 1 else 'their'} class",
            "Rare kinds of a thing are welcome. Drop what shows something else.",
        )


def _not_looked(checked: CheckResult) -> Iterator[Problem]:
    if checked.without_features:
        yield Problem(
            "labels",
            "Wrong labels and outliers were not looked for",
            checked.without_features[:1].upper() + checked.without_features[1:] + ".",
        )


def _classes_have(names: list[str]) -> str:
    return f"{len(names)} class has" if len(names) == 1 else f"{len(names)} classes have"
