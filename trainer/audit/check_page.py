"""The page of a check: one self-contained HTML file, and the same content as JSON."""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from edge.core.dataset import SPLITS
from edge.core.files import write_file
from trainer import report
from trainer.audit.check import CheckResult
from trainer.audit.page_thumbnails import PageThumbnails
from trainer.audit.problems import Problem, given_away, given_away_by_source, partly_given_away
from trainer.audit.review import COLUMNS, relative_name, suspects
from trainer.audit.shortcut import ShortcutResult
from trainer.report.report_page import breakable, with_words

_SAMPLES, _SAMPLES_IN_ALL = 12, 240
_LABELS, _SETS, _OF_A_SET, _POOR, _OUTLIERS, _FRAMES, _FILES = 60, 24, 6, 12, 36, 8, 200


@dataclass(frozen=True, slots=True)
class _Shown:
    """The numbers of the pictures that each section shows."""

    samples: dict[str, list[int]]
    labels: list[int]
    sets: list[list[int]]
    quality: dict[str, list[int]]
    outliers: list[int]
    frames: dict[str, list[int]]

    def all(self) -> set[int]:
        groups = [self.labels, self.outliers, *self.sets, *self.samples.values()]
        return {number for group in [*groups, *self.quality.values()] for number in group}


def write_page(file: Path, checked: CheckResult, problems: Sequence[Problem], review: str) -> None:
    """Writes the page to `file`: nothing fetched, for screen, phone and paper.

    Its one script lets a person decide on the suspects and saves the review list with that; the
    page's policy lets no other run. All else can be read without it.

    Args:
        review: the name of the review list beside it.

    Raises:
        StorageError: the place cannot be written.
    """
    environment = Environment(
        loader=PackageLoader("trainer.audit"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"breakable": breakable, "share": lambda share: f"{share:.1%}"}
    shown = _choose(checked)
    evidence = PageThumbnails(
        checked, shown.all(), framed=(n for group in shown.frames.values() for n in group)
    )
    page = environment.get_template("check.html").render(
        **_content(checked, shown),
        **_decisions(checked, review),
        evidence=evidence,
        problems=problems,
        review=review,
    )
    write_file(file, with_words(page).encode("utf-8", "backslashreplace"))


def to_json(checked: CheckResult, problems: Sequence[Problem]) -> dict[str, Any]:
    """The object that `data check --json` prints and keeps beside the page."""
    names = _names(checked)
    errors, sources = checked.label_errors, checked.sources
    labels = sorted({picture.label for picture in checked.pictures})
    return {
        "source": str(checked.source),
        "spoils": any(problem.spoils for problem in problems),
        "problems": [asdict(problem) for problem in problems],
        "pictures": len(checked.pictures),
        "classes": {
            label: {"pictures": count, "parts": _splits(checked, label)}
            for label, count in checked.counts.items()
        },
        "sizes": _sizes(checked),
        "formats": dict(Counter(facts.kind for facts in checked.facts)),
        "unreadable": [
            {"path": relative_name(picture.path, checked.root), "why": facts.why}
            for picture, facts in checked.unreadable
        ],
        "skipped": list(checked.skipped),
        "copies": [
            {
                "paths": [names[i] for i in copies.members],
                "labels": list(copies.labels),
                "parts": list(copies.splits),
                "exact": copies.exact,
                "how": copies.how,
                "similarity": copies.similarity,
            }
            for copies in checked.copies
        ],
        "label_errors": None
        if errors is None
        else {
            "probable": int(errors.probable.sum()),
            "judge_agrees": round(errors.agreement, 4),
            "wrong": {name: round(value, 4) for name, value in asdict(errors.wrong).items()},
            "ranking": [
                {
                    "path": names[i],
                    "label": checked.pictures[i].label,
                    "suggested": labels[errors.suggested[i]],
                    "probability_of_label": round(float(errors.given[i]), 4),
                    "probable_error": bool(errors.probable[i]),
                }
                for i in errors.ranking.tolist()
            ],
        },
        "odd": [
            {"path": names[outlier.index], "score": outlier.score} for outlier in checked.outliers
        ],
        "poor": {
            names[i]: list(facts.quality.warnings)
            for i, facts in enumerate(checked.facts)
            if facts.quality.warnings
        },
        "background": _told_json(checked.background),
        "files": _told_json(checked.files),
        "sources": None
        if sources is None
        else {
            "kind": sources.kind,
            "counts": sources.counts,
            "told": sources.told.value,
            "largest_class": sources.largest.value,
            "classes": {
                told.label: {
                    "sources": list(told.sources),
                    "recall": told.recall.value,
                    "precision": told.precision.value,
                    "f1": round(told.f1, 4),
                }
                for told in sources.classes
            },
            "shows": _told_json(checked.source_shows),
        },
        "without_features": checked.without_features,
    }


def _told_json(told: ShortcutResult | None) -> dict[str, Any] | None:
    if told is None:
        return None
    return {
        "accuracy": round(told.accuracy, 4),
        "chance": round(told.chance, 4),
        "classes": {
            each.label: {
                "recall": each.recall.value,
                "precision": each.precision.value,
                "f1": round(each.f1, 4),
                "f1_at_least": round(each.surely, 4),
                "f1_of_middle": round(each.middle_f1, 4),
            }
            for each in told.classes
        },
    }


def _choose(checked: CheckResult) -> _Shown:
    by_label: dict[str, list[int]] = {label: [] for label in checked.classes}
    for number, picture in enumerate(checked.pictures):
        by_label[picture.label].append(number)
    each = max(4, min(_SAMPLES, _SAMPLES_IN_ALL // max(1, len(by_label))))
    errors = checked.label_errors
    quality: dict[str, list[int]] = {}
    for number, facts in enumerate(checked.facts):
        for words in facts.quality.warnings:
            quality.setdefault(words, []).append(number)
    told = [*given_away(checked), *partly_given_away(checked)]
    right = checked.background.right.tolist() if checked.background else []
    return _Shown(
        samples={label: _spread(numbers, each) for label, numbers in by_label.items()},
        labels=[i for i in errors.ranking.tolist() if errors.probable[i]][:_LABELS]
        if errors
        else [],
        sets=[list(copies.members[:_OF_A_SET]) for copies in checked.copies[:_SETS]],
        quality={words: _spread(numbers, _POOR) for words, numbers in quality.items()},
        outliers=[outlier.index for outlier in checked.outliers[:_OUTLIERS]],
        frames={
            each.label: [i for i in right if checked.pictures[i].label == each.label][:_FRAMES]
            for each in told
        },
    )


def _content(checked: CheckResult, shown: _Shown) -> dict[str, Any]:
    errors = checked.label_errors
    labels = sorted({picture.label for picture in checked.pictures})
    poor = Counter(words for facts in checked.facts for words in facts.quality.warnings)
    unreadable = Counter(picture.label for picture, _ in checked.unreadable)
    probable = Counter(
        picture.label
        for i, picture in enumerate(checked.pictures)
        if errors is not None and errors.probable[i]
    )
    copied = Counter(
        checked.pictures[i].label for copies in checked.copies for i in copies.members[1:]
    )
    counts = checked.counts
    return {
        "checked": checked,
        "names": _names(checked),
        "total": len(checked.pictures),
        "counts": counts,
        "most": max(1, *counts.values()),
        "splits": [split for split in SPLITS if any(p.split == split for p in checked.pictures)],
        "by_part": Counter((picture.label, picture.split) for picture in checked.pictures),
        "unreadable": unreadable,
        "probable": probable,
        "copied": copied,
        "poor": poor,
        "formats": Counter(facts.kind for facts in checked.facts).most_common(),
        "sizes": _sizes(checked),
        "shown": shown,
        "labels": labels,
        "suggested": [labels[i] for i in errors.suggested] if errors else [],
        "given_away": given_away(checked),
        "partly": partly_given_away(checked),
        "by_source": given_away_by_source(checked),
        "most_files": _FILES,
        "style": Markup(
            (Path(report.__file__).parent / "templates" / "style.css").read_text(encoding="utf-8")
        ),
    }


def _decisions(checked: CheckResult, review: str) -> dict[str, Any]:
    """The values that the page's script needs to write the review list."""
    rows = [[str(word) for word in astuple(suspect)] for suspect in suspects(checked)]
    # The key under which a browser keeps decisions: other suspects are another list.
    key = hashlib.sha256(json.dumps([str(checked.root.resolve()), rows]).encode()).hexdigest()[:16]
    content = {"name": review, "key": key, "columns": COLUMNS, "rows": rows}
    script = (Path(__file__).parent / "templates" / "decide.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return {
        "suspected": {row[0] for row in rows},
        # Within a script only `<` could end it, and in JSON it stands in texts alone.
        "review_list": Markup(json.dumps(content).replace("<", "\\u003c")),
        "script": Markup(script),
        "script_hash": f"sha256-{digest}",
    }


def _spread(numbers: Sequence[int], count: int) -> list[int]:
    """At most `count` of the numbers, spread evenly from the first to the last."""
    at = np.linspace(0, len(numbers) - 1, min(count, len(numbers))).round().astype(int)
    return [numbers[i] for i in at]


def _sizes(checked: CheckResult) -> list[dict[str, int]]:
    """Width, height and how many, the most frequent first."""
    sizes = Counter((facts.width, facts.height) for facts in checked.facts)
    return [
        {"width": width, "height": height, "pictures": count}
        for (width, height), count in sorted(sizes.items(), key=lambda item: (-item[1], item[0]))
    ]


def _splits(checked: CheckResult, label: str) -> dict[str, int]:
    return dict(Counter(p.split for p in checked.pictures if p.label == label and p.split))


def _names(checked: CheckResult) -> list[str]:
    return [relative_name(picture.path, checked.root) for picture in checked.pictures]
