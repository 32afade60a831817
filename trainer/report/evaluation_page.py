"""What a run does on the pictures of other places, as a page, a table and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from edge.core.files import write_file
from trainer.evaluation.adaptation import Adaptation
from trainer.evaluation.new_pictures import Evaluated, SourceFigures
from trainer.report.report_page import breakable, source, with_words
from trainer.report.scored_split import calibration
from trainer.statistics.intervals import Figure

_HEADS = ("source", "pictures", "right", "confidence", "unknown", "accepted", "of these right")


def write_page(file: Path, found: Evaluated) -> None:
    """Writes the page to `file`; it needs no other file and has no scripts.

    Raises:
        StorageError: the place cannot be written.
    """
    environment = Environment(
        loader=PackageLoader("trainer.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"breakable": breakable, "share": lambda share: f"{share:.1%}"}
    page = environment.get_template("evaluation.html").render(
        run=found.run,
        heads=_HEADS,
        rows=_rows(found),
        findings=findings(found),
        shares=[(each.name, each.label_shares()) for each in _all(found)],
        labels=found.run.facts.labels,
        adapted=[(name, each, _adapted_rows(each)) for name, each in found.adapted.items()],
        notes=found.notes,
        style=source("style.css"),
        symbols=source("symbols.html"),
    )
    write_file(file, with_words(page).encode("utf-8", "backslashreplace"))


def table(found: Evaluated) -> str:
    """The figures as text, one line for each source, with what is surely different below."""
    rows = [_HEADS, *_rows(found)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEADS))]
    lines = ["  ".join(cell.ljust(widths[i]) for i, cell in enumerate(row)) for row in rows]
    lines += findings(found)
    for name, each in found.adapted.items():
        lines.append(f"{name}, a head fitted again with at most so many new pictures of a class:")
        lines += [f"  {new:>7}  {right}  {gain}" for new, right, gain in _adapted_rows(each)]
        lines += [f"  {each.note}"] * bool(each.note)
    return "\n".join(line.rstrip() for line in lines)


def findings(found: Evaluated) -> list[str]:
    """What is different from the run's test pictures by more than chance, in sentences."""
    said = []
    for each in found.sources:
        accuracy, confidence = found.accuracy_shift(each), found.confidence_shift(each)
        if _sure(accuracy):
            said.append(
                f"{each.name}: {_points(accuracy)} points right than on the run's test pictures"
            )
        if _sure(confidence):
            said.append(f"{each.name}: its confidence is {_points(confidence)} points")
        reliability = calibration(np.asarray(each.answers.scores, np.float64), each.truth)
        mean = each.confidence
        right = each.share(each.right)
        if reliability and mean and right.interval and mean.value > right.interval[1]:
            said.append(
                f"{each.name}: it is surer than it should be: {mean.value:.1%} on average, and "
                f"{right.in_words(int(each.right.sum()), len(each.truth))} right"
            )
        if each.trained_on:
            said.append(f"{each.name}: {each.trained_on} pictures that it was trained on left out")
        if each.tested_on:
            said.append(f"{each.name}: {each.tested_on} pictures are of the run's test split")
    return said


def to_json(found: Evaluated) -> dict[str, Any]:
    """The object that `evaluate --json` prints."""
    return {
        "run": str(found.run.path),
        "labels": list(found.run.facts.labels),
        "sources": {each.name: _source_json(found, each) for each in found.sources},
        "test": found.test and _source_json(found, found.test),
        "adapted": {
            name: {
                "run": each.run.to_json(),
                "points": [
                    {
                        "new_per_class": point.new,
                        "new_in_all": round(point.drawn, 1),
                        "accuracy": point.accuracy.to_json(),
                        "gain": point.gain.to_json(),
                    }
                    for point in each.points
                ],
                "note": each.note,
            }
            for name, each in found.adapted.items()
        },
        "notes": list(found.notes),
    }


def _source_json(found: Evaluated, each: SourceFigures) -> dict[str, Any]:
    return {
        "path": each.path,
        "images": len(each.truth),
        "groups": len(set(each.groups)),
        "accuracy": each.share(each.right).to_json(),
        "accuracy_shift": found.accuracy_shift(each).to_json(),
        "confidence": each.confidence and each.confidence.figure.to_json(),
        "confidence_shift": found.confidence_shift(each).to_json(),
        "unknown": each.unknown.to_json(),
        "accepted": each.share(each.accepted).to_json(),
        "purity": each.share(each.right, each.accepted).to_json(),
        "classes": {
            label: {
                "share": true,
                "taken_share": taken,
                "recall": each.share(each.right, each.truth == i).to_json(),
            }
            for i, (label, (true, taken)) in enumerate(each.label_shares().items())
        },
        "trained_on": each.trained_on,
        "in_test_split": each.tested_on,
        "skipped": each.skipped,
    }


def _all(found: Evaluated) -> list[SourceFigures]:
    return [*([found.test] if found.test else []), *found.sources]


def _rows(found: Evaluated) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for each in _all(found):
        total, accepted = len(each.truth), int(each.accepted.sum())
        confidence = each.confidence
        right = int((each.right & each.accepted).sum())
        rows.append(
            (
                each.name,
                f"{total:,}",
                each.share(each.right).in_words(int(each.right.sum()), total),
                f"{confidence.value:.1%}" if confidence else "–",
                "–"
                if each.unknown.value is None
                else each.unknown.in_words(int(each.called_unknown.sum()), total),
                each.share(each.accepted).in_words(accepted, total),
                each.share(each.right, each.accepted).in_words(right, accepted),
            )
        )
    return rows


def _adapted_rows(adapted: Adaptation) -> list[tuple[str, str, str]]:
    return [
        ("the run", f"{adapted.run.shown} right", ""),
        *(
            (
                str(point.new),
                f"{point.accuracy.shown} right",
                "" if not point.new else f"{_points(point.gain)} points, {point.drawn:.0f} in all",
            )
            for point in adapted.points
        ),
    ]


def _sure(change: Figure) -> bool:
    return bool(change.interval) and not change.interval[0] <= 0 <= change.interval[1]  # type: ignore[index]


def _points(change: Figure) -> str:
    """A change in percentage points with its interval, as `4.0 (1.2 to 6.8) fewer`."""
    value = 100 * (change.value or 0.0)
    word = "fewer" if value < 0 else "more"
    ends: Sequence[float] = sorted(abs(100 * end) for end in change.interval or (0.0, 0.0))
    if change.interval is None:
        return f"{abs(value):.1f} {word}"
    if change.interval[0] <= 0 <= change.interval[1]:
        low, high = (100 * end for end in change.interval)
        return f"{value:+.1f} ({low:+.1f} to {high:+.1f})"
    return f"{abs(value):.1f} ({ends[0]:.1f} to {ends[1]:.1f}) {word}"
