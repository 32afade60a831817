"""Writes the report of a training, one HTML page that needs no other file."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from edge.core.dataset import SPLITS
from edge.core.files import readable_size, write_file
from edge.core.model.glossary import NOVELTY_BY, explained
from edge.core.model.grade import FAIR, FEWEST, GOOD, TOO_FEW
from edge.core.model.metrics import (
    NARROW,
    WIDE,
    ShareWording,
    pictures_needed,
    share_wording,
    whole_percents,
)
from trainer.augment.background_swap import find_board
from trainer.evaluation.learning_curve import MORE
from trainer.evaluation.robustness import DISTURBANCES, disturb, without_bars
from trainer.recipes.measured import whether_better
from trainer.report import charts
from trainer.report.report_facts import ReportFacts
from trainer.report.report_warnings import report_warnings
from trainer.report.scored_split import (
    ScoredSplit,
    accepted,
    accepting,
    at_coverage,
    calibration,
    class_rows,
    confusion_matrix,
    confusions,
    coverage_curve,
    worst_errors,
)
from trainer.report.shown_explanation import shown_explanation
from trainer.report.svg import gauge
from trainer.report.thumbnails import Thumbnails
from trainer.statistics.intervals import Figure

_PAIRS, _PICTURES_OF_A_PAIR, _WORST = 6, 6, 18
_EXPLAINED_SIDE, _EXPLAINING = 192, 1_000_000
"""The longer side of a picture that is explained, in pixels, and the bytes of all of them."""
_SURE = 20
_MOST_CELLS = 50
"""The most labels with which a confusion matrix can be read."""
_CALIBRATED = 100
"""The fewest test pictures from which the calibration of scores is shown: ten for each bin."""
_TAGS = re.compile(r"<style>.*?</style>|<[^>]*>", re.DOTALL)
_WORDS = "<!--words-->"
"""The place in a template for the explained words. Text from elsewhere cannot contain it, because
such text is escaped."""
MOODS: Mapping[str, str] = {"good": "good", "fair": "fair", "bad": "bad", TOO_FEW: "few"}
"""The CSS class and the symbol of each verdict."""
_COVERAGES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)


@dataclass(frozen=True, slots=True)
class ShownPicture:
    """One picture with its description."""

    uri: str
    """The picture as a data URI; empty if the page has no room for it."""
    name: str
    label: str
    taken_for: str
    score: float
    accepted: bool


@dataclass(frozen=True, slots=True)
class ConfusedPair:
    """One label that is taken for another, with its worst pictures."""

    label: str
    taken_for: str
    count: int
    total: int
    pictures: tuple[ShownPicture, ...]


@dataclass(frozen=True, slots=True)
class Mistakes:
    """The errors on one split."""

    title: str
    note: str
    errors: int
    total: int
    pairs: tuple[ConfusedPair, ...]
    worst: tuple[ShownPicture, ...]


def write_report(file: Path, facts: ReportFacts) -> None:
    """Writes the page to `file`; it has no scripts and suits screens, phones and paper.

    Raises:
        StorageError: the file cannot be written.
    """
    page = _environment().get_template("report.html").render(**_content(facts))
    # Bytes of file names that are not UTF-8 become escapes.
    write_file(file, with_words(page).encode("utf-8", "backslashreplace"))


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("trainer.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "share": _share,
        "interval": _interval,
        "points": _points,
        "breakable": breakable,
        "signed": _signed,
        "size": readable_size,
        "gauge": lambda figure: gauge(figure.value, figure.interval),
        "telling": lambda interval: str(share_wording(interval)),
        "whole": lambda figure: whole_percents(figure.interval),
        "needed": lambda figure, total: (
            f"{pictures_needed(figure.value, figure.interval, total):,}"
        ),
        "change_gauge": lambda figure: gauge(figure.value, figure.interval, low=-0.6, high=0.3),
    }
    return environment


def _content(facts: ReportFacts) -> dict[str, Any]:
    test, labels = facts.test, facts.labels
    sampling, taken = test.resampling(), accepting(test, labels, facts.accept)
    thumbnails = Thumbnails(facts.tensors)
    explaining = Thumbnails(None, budget=_EXPLAINING)
    before, after = (calibration(s, test.truth) for s in (test.raw_scores, test.scores))
    operating = None
    if taken.accepted.value is not None and taken.purity.value is not None:
        operating = taken.accepted.value, taken.purity.value
    splits = [split for split in SPLITS if any(facts.counts.get(x, {}).get(split) for x in labels)]
    has_test = bool(len(test.truth))
    return {
        "facts": facts,
        "verdict": facts.verdict,
        "mood": MOODS[facts.verdict.word],
        "good": GOOD,
        "fair": FAIR,
        "fewest": FEWEST,
        "calibrated": _CALIBRATED,
        "narrow": NARROW,
        "wide": WIDE,
        "novelty_by": NOVELTY_BY[facts.unknown.kind] if facts.unknown else "",
        "forecast": str(share_wording(facts.learning.forecast.interval))
        if facts.learning and facts.learning.forecast
        else "",
        "total": len(test.truth),
        "right": int(test.right.sum()),
        "accuracy": sampling.share(test.right),
        "guessing": _guessing(test, len(labels)),
        "groups": None if sampling.independent else sampling.groups,
        "taken": taken,
        "promised": [label for label, t in facts.thresholds.items() if not t.note],
        "warnings": report_warnings(facts),
        "splits": splits,
        "sums": {p: sum(facts.counts.get(x, {}).get(p, 0) for x in labels) for p in splits},
        "learned": _curves(facts),
        "matrices": [
            _matrix(title, split, labels)
            for title, split in _splits(facts)
            if len(split.truth) and len(labels) <= _MOST_CELLS
        ],
        "rows": class_rows(test, labels),
        "mistakes": [
            _mistakes(title, split, facts, thumbnails)
            for title, split in _splits(facts)
            if len(split.truth)
        ],
        "before": before,
        "after": after,
        "reliability": [
            (when, charts.reliability_chart(found, when))
            for when, found in (("before", before), ("after", after))
            if found
        ],
        "coverage": charts.coverage_chart(coverage_curve(test), operating, facts.purity)
        if has_test
        else None,
        "coverages": [(share, at_coverage(test, share)) for share in _COVERAGES if has_test],
        "learning": facts.learning,
        "learning_chart": charts.learning_chart(facts.learning)
        if facts.learning and len(facts.learning.points) > 1
        else None,
        "more": MORE,
        "explained": [
            shown_explanation(each, explaining, side=_EXPLAINED_SIDE) for each in facts.explained
        ],
        "disturbed": _disturbed(facts, thumbnails),
        "whether_better": whether_better(facts.measured),
        "style": source("style.css"),
        "symbols": source("symbols.html"),
    }


def source(name: str) -> Markup:
    """The text of a template that the pages of the trainer share."""
    return Markup((Path(__file__).parent / "templates" / name).read_text(encoding="utf-8"))


def with_words(page: str) -> str:
    """Adds explanations of the technical words to `page`, at the place in its template for them."""
    words = explained(html.unescape(_TAGS.sub(" ", page)))
    rows = "".join(f"<dt>{word}</dt><dd>{escape(text)}</dd>" for word, text in words.items())
    section = f'<section id="words"><h2>Words</h2><dl class="words">{rows}</dl></section>'
    return page.replace(_WORDS, section)


def _splits(facts: ReportFacts) -> list[tuple[str, ScoredSplit]]:
    found = [("On the test split", facts.test)]
    if facts.cross_fitted is not None:
        some = facts.basis is not None and facts.basis.folds < facts.basis.folds_planned
        which = f"{len(facts.cross_fitted.truth):,}" if some else "all"
        found.append((f"On {which} other pictures, cross-fitted", facts.cross_fitted))
    return found


def _guessing(split: ScoredSplit, classes: int) -> float | None:
    """The share that would be correct if the most frequent class were always named."""
    counts = np.bincount(split.truth, minlength=classes)
    return float(counts.max() / counts.sum()) if len(split.truth) else None


def _curves(facts: ReportFacts) -> dict[str, Markup]:
    if not facts.history:
        return {}
    return {
        "loss": charts.loss_chart(facts.history, facts.kept_epoch),
        "accuracy": charts.accuracy_chart(facts.history, facts.kept_epoch),
        "rate": charts.rate_chart(facts.history, facts.kept_epoch),
    }


def _matrix(title: str, split: ScoredSplit, labels: Sequence[str]) -> dict[str, Any]:
    matrix = confusion_matrix(split, len(labels))
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    return {
        "title": title,
        "shares": len(split.truth) >= FEWEST,
        "rows": [
            (label, list(zip(matrix[i].tolist(), shares[i].tolist(), strict=True)))
            for i, label in enumerate(labels)
        ],
    }


def _mistakes(
    title: str, split: ScoredSplit, facts: ReportFacts, thumbnails: Thumbnails
) -> Mistakes:
    labels = facts.labels
    scores, best = split.scores.max(axis=1), split.best
    passed = accepted(split, labels, facts.accept)

    def picture(position: int) -> ShownPicture:
        return ShownPicture(
            uri=thumbnails.of_row(int(split.rows[position])),
            name=split.names[position],
            label=labels[split.truth[position]],
            taken_for=labels[best[position]],
            score=float(scores[position]),
            accepted=bool(passed[position]),
        )

    note = (
        "These pictures measure; they are not for choosing by."
        if split is facts.test
        else "Each scored by a model that had not trained on it. Look here for what to improve, "
        "and for wrong labels: the most confident errors often are."
    )
    wrong = worst_errors(split)
    confused = confusions(split, labels)[:_PAIRS]
    shown = {position for c in confused for position in c.worst[:_PICTURES_OF_A_PAIR]}
    others = [position for position in wrong if position not in shown]
    return Mistakes(
        title=title,
        note=note,
        errors=len(wrong),
        total=len(split.truth),
        pairs=tuple(
            ConfusedPair(
                c.label,
                c.taken_for,
                c.pictures.count,
                c.pictures.total,
                tuple(picture(position) for position in c.worst[:_PICTURES_OF_A_PAIR]),
            )
            for c in confused
        ),
        worst=tuple(picture(position) for position in others[:_WORST]),
    )


def _disturbed(facts: ReportFacts, thumbnails: Thumbnails) -> list[dict[str, Any]]:
    """The name of each disturbance, its mild and strong figures, and an example picture."""
    by_name: dict[str, dict[str, Any]] = {}
    for found in facts.disturbed:
        row = by_name.setdefault(found.name, {"name": found.name, "example": ""})
        row[found.severity] = found
    tensor = _example(facts)
    for number, way in enumerate(DISTURBANCES):
        if tensor is not None and way.name in by_name:
            rng, box = np.random.default_rng(number), without_bars(tensor, facts.fill)
            changed = disturb(tensor, way, 1, rng, box)
            by_name[way.name]["example"] = thumbnails.of_tensor(changed, side=112)
    return list(by_name.values())


def _example(facts: ReportFacts) -> Any:
    """A test picture that is classified correctly and confidently, on a plain board if possible.

    It is a tensor, uint8 (height, width, channels); None if there is no such picture.
    """
    if facts.tensors is None or not facts.test.right.any():
        return None
    scores = np.where(facts.test.right, facts.test.scores.max(axis=1), 0)
    surest = np.argsort(-scores, kind="stable")[: min(_SURE, int(facts.test.right.sum()))]
    candidates = [np.asarray(facts.tensors[int(facts.test.rows[i])]) for i in surest]
    plain = (each for each in candidates if find_board(each) is not None)
    return next(plain, candidates[0])


def breakable(text: str) -> Markup:
    """A name that may be broken into lines after underscores and slashes."""
    return Markup(re.sub(r"([_/\\])(?=.)", r"\1<wbr>", str(escape(text))))


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def _interval(figure: Figure) -> str:
    if figure.interval is None:
        return ""
    low, high = figure.interval
    return f"{low:.1%} to {high:.1%}"


def _points(figure: Figure) -> str:
    if figure.value is None or figure.interval is None:
        return "–"
    low, high = figure.interval
    match share_wording(figure.interval):
        case ShareWording.FIGURE:
            return f"{_signed(figure.value)} points ({_signed(low)} to {_signed(high)})"
        case ShareWording.INTERVAL:
            return f"{_signed(low)} to {_signed(high)} points"
        case _:
            return "too few to say"


def _signed(share: float) -> str:
    """A share in percentage points with a sign; the minus sign is as wide as the plus sign."""
    return f"{100 * share:+.1f}".replace("-", "−")
