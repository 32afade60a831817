"""A comparison as a page, a table and JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from edge.core.files import write_file
from trainer.compare.comparison import Pair, WayComparison, WayFigures
from trainer.report.report_page import breakable, source, with_words
from trainer.report.svg import Chart, linear_axis, share_axis

_HEADS = (
    "way", "right", "spread", "corrupted", "less than the best", "int8", "minutes", "cut short",
)  # fmt: skip
FLATTERS = (
    "choose a way by these figures, or quote them for it, not both: of the best of several, chance "
    "made some a little better than they are"
)
"""What whoever reads a comparison is to know."""


def write_page(file: Path, found: WayComparison, *, title: str) -> None:
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
    environment.filters |= {"breakable": breakable}
    best = found.ways[0]
    page = environment.get_template("comparison.html").render(
        title=title,
        verdict=found.verdict(),
        flatters=FLATTERS,
        splits=found.splits,
        trainings=found.trainings,
        folds=found.folds,
        pictures=sum(len(outcome.predictions) for outcome in best.outcomes),
        heads=_HEADS,
        rows=_rows(found),
        chart=frontier_chart(found),
        style=source("style.css"),
        symbols=source("symbols.html"),
    )
    write_file(file, with_words(page).encode("utf-8", "backslashreplace"))


def table(found: WayComparison) -> str:
    """The figures as text, a line for each way, the best first, and the verdict."""
    rows = [_HEADS, *_rows(found)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEADS))]
    lines = ["  ".join(cell.ljust(widths[i]) for i, cell in enumerate(row)) for row in rows]
    return "\n".join([*(line.rstrip() for line in lines), found.verdict()])


def to_json(found: WayComparison) -> dict[str, Any]:
    """The object that `compare --json` prints."""
    return {
        "verdict": found.verdict(),
        "winner": found.winner and found.winner.name,
        "as_good_as_the_best": list(found.as_good),
        "note": FLATTERS,
        "folds": found.folds,
        "ways": {
            way.name: {
                "accuracy": way.figure.to_json(),
                "spread": way.spread,
                "corrupted": way.corrupted,
                "int8_milliseconds": way.milliseconds,
                "seeds" if found.folds is None else "splits": {
                    outcome.split: {
                        "accuracy": outcome.accuracy,
                        "images": len(outcome.predictions),
                        "corrupted": outcome.corrupted,
                        "minutes": outcome.minutes,
                        "cut_short": outcome.cut_short,
                    }
                    for outcome in way.outcomes
                },
            }
            for way in found.ways
        },
        "pairs": [
            {
                "one": pair.one,
                "other": pair.other,
                "difference": pair.difference.value,
                "interval": pair.difference.interval,
                "p": pair.difference.p,
                "p_corrected": pair.corrected,
            }
            for pair in found.pairs
        ],
    }


def frontier(ways: tuple[WayFigures, ...]) -> list[WayFigures]:
    """The measured ways that no other one beats in time and in accuracy, the fastest first."""
    timed = sorted(
        (way for way in ways if way.milliseconds is not None),
        key=lambda way: (way.milliseconds or 0.0, -way.accuracy),
    )
    kept: list[WayFigures] = []
    for way in timed:
        if not kept or way.accuracy > kept[-1].accuracy:
            kept.append(way)
    return kept


def frontier_chart(found: WayComparison) -> Markup | None:
    """Accuracy over the time of the int8 model; None if fewer than two ways were measured."""
    timed = [way for way in found.ways if way.milliseconds is not None]
    if len(timed) < 2:
        return None
    lows = [(way.figure.interval or (way.accuracy, 0.0))[0] for way in timed]
    longest = max(way.milliseconds or 0.0 for way in timed)
    chart = Chart(
        "Accuracy over the time of the int8 model",
        linear_axis("milliseconds a picture, int8, one thread", 0.0, 1.1 * longest),
        share_axis("", max(0.0, min(lows) - 0.01)),
    )
    chart.line([(way.milliseconds or 0.0, way.accuracy) for way in frontier(found.ways)], "ideal")
    for way in timed:
        at, interval = way.milliseconds or 0.0, way.figure.interval
        if interval:
            chart.whisker(at, *interval, "a")
        chart.name(at, way.accuracy, way.name)
        chart.dot(at, way.accuracy, "a", f"{way.name}: {way.accuracy:.1%} right, {at:.1f} ms")
    return chart.svg()


def _rows(found: WayComparison) -> list[tuple[str, ...]]:
    best = found.ways[0]
    return [
        (
            way.name,
            _share(way),
            "–" if way.spread is None else f"{100 * way.spread:.1f} points",
            "–" if way.corrupted is None else f"{way.corrupted:.1%}",
            "" if way is best else _less(found.between(best.name, way.name)),
            "–" if way.milliseconds is None else f"{way.milliseconds:.1f} ms",
            f"{sum(o.minutes for o in way.outcomes) / len(way.outcomes):.1f}",
            f"{sum(o.cut_short for o in way.outcomes)} of {len(way.outcomes)}",
        )
        for way in found.ways
    ]


def _share(way: WayFigures) -> str:
    interval = way.figure.interval
    told = f" ({interval[0]:.1%} to {interval[1]:.1%})" if interval else ""
    return f"{way.accuracy:.1%}{told}"


def _less(pair: Pair) -> str:
    low, high = pair.difference.interval
    sure = "" if pair.sure else ", no difference"
    return f"{100 * pair.difference.value:.1f} points ({100 * low:.1f} to {100 * high:.1f}){sure}"
