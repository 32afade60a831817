"""A comparison as a page, a table and JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from edge.core.files import write_file
from edge.core.terminal.wording import in_a_sentence
from trainer.compare.comparison import WayComparison, WayFigures, points
from trainer.compare.speed import InferenceTime
from trainer.report.report_page import breakable, source, with_words
from trainer.report.svg import Chart, linear_axis, share_axis
from trainer.statistics.paired_runs import Difference

_HEADS = (
    "way", "right", "spread", "less than the best", "corrupted", "less on corrupted", "int8",
    "minutes", "cut short",
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
        worth=len(frontier(found)),
        alike=in_a_sentence(list(found.as_good)) if found.as_good else "",
        several=len(found.as_good) > 1,
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
                "corrupted": way.corrupted.to_json(),
                "int8_milliseconds": way.timing and way.timing.milliseconds,
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
                **_difference(pair.difference),
                "corrupted": pair.corrupted and _difference(pair.corrupted),
            }
            for pair in found.pairs
        ],
    }


def frontier(found: WayComparison) -> list[WayFigures]:
    """The measured ways that no other one beats in time and in accuracy, the fastest first.

    Of ways whose times do not differ by more than those of one model do, the best one is there; and
    a slower one only where it is better than the faster one before it by more than chance explains.
    """
    timed = [(way, way.timing) for way in found.ways if way.timing is not None]
    timed.sort(key=lambda each: (-each[0].accuracy, each[1].milliseconds))
    kept: list[tuple[WayFigures, InferenceTime]] = []
    for way, timing in timed:
        if all(timing.is_less_than(better) for _, better in kept):
            kept.append((way, timing))
    sure: list[WayFigures] = []
    for way, _ in reversed(kept):
        if not sure or found.between(way.name, sure[-1].name).sure:
            sure.append(way)
    return sure


def frontier_chart(found: WayComparison) -> Markup | None:
    """Accuracy over the time of the int8 model; None if fewer than two ways were measured.

    The ways that cannot be told from the best one are drawn pale. A line joins those that are worth
    their time; there is none where all but one are not.
    """
    timed = [(way, way.timing.milliseconds) for way in found.ways if way.timing is not None]
    if len(timed) < 2:
        return None
    lows = [(way.figure.interval or (way.accuracy, 0.0))[0] for way, _ in timed]
    longest = max(at for _, at in timed)
    chart = Chart(
        "Accuracy before int8 over the time of the int8 model",
        linear_axis("milliseconds a picture, int8, one thread", 0.0, 1.1 * longest),
        share_axis("", max(0.0, min(lows) - 0.01)),
    )
    places = {way.name: (at, way.accuracy) for way, at in timed}
    chart.line([places[way.name] for way in frontier(found)], "ideal")
    for way, at in timed:
        alike = way.name in found.as_good
        if way.figure.interval:
            chart.whisker(at, *way.figure.interval, "alike" if alike else "a")
        chart.name(at, way.accuracy, way.name)
        tip = f"{way.name}: {way.accuracy:.1%} right, {at:.1f} ms"
        more = ", not to be told from the best" if alike else ""
        chart.dot(at, way.accuracy, "alike" if alike else "a", f"{tip}{more}")
    return chart.svg()


def _rows(found: WayComparison) -> list[tuple[str, ...]]:
    best = found.ways[0]
    return [
        (
            way.name,
            way.figure.shown,
            "–" if way.spread is None else f"{100 * way.spread:.1f} points",
            "" if way is best else _less(found.between(best.name, way.name).difference),
            _corrupted(way),
            "" if way is best else _less(found.between(best.name, way.name).corrupted),
            "–" if way.timing is None else f"{way.timing.milliseconds:.1f} ms",
            f"{sum(o.minutes for o in way.outcomes) / len(way.outcomes):.1f}",
            f"{sum(o.cut_short for o in way.outcomes)} of {len(way.outcomes)}",
        )
        for way in found.ways
    ]


def _corrupted(way: WayFigures) -> str:
    some = 0 < way.disturbed < len(way.outcomes)
    of = f", on {way.disturbed} of {len(way.outcomes)}" if some else ""
    return f"{way.corrupted.shown}{of}"


def _less(difference: Difference | None) -> str:
    if difference is None:
        return "–"
    sure = "" if difference.sure else ", no difference"
    return f"{points(difference)}{sure}"


def _difference(difference: Difference) -> dict[str, Any]:
    return {
        "difference": difference.value,
        "interval": difference.interval,
        "p": difference.p,
        "p_corrected": difference.corrected,
    }
