"""The charts of a report."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from markupsafe import Markup

from trainer.evaluation.learning_curve import MORE, LearningCurve
from trainer.report.report_facts import EpochLine
from trainer.report.scored_split import Reliability
from trainer.report.svg import Axis, Chart, linear_axis, log_axis, share_axis

_LOWEST_RATE = 1e-12
_WIDTH, _HEIGHT = 330, 220
"""The size of charts of which three are shown side by side."""


def loss_chart(history: Sequence[EpochLine], kept: int | None) -> Markup:
    """Loss of training and validation over all epochs."""
    losses = [value for line in history for value in (line.loss, line.validation_loss)]
    high = max((value for value in losses if math.isfinite(value)), default=1.0)
    chart = Chart(
        "Loss of training and validation over the epochs",
        _epochs(history),
        linear_axis("", 0, high * 1.05),
        width=_WIDTH,
        height=_HEIGHT,
    )
    _phases(chart, history, kept)
    chart.line([(i + 1, line.loss) for i, line in enumerate(history)], "a")
    chart.line([(i + 1, line.validation_loss) for i, line in enumerate(history)], "b")
    _epoch_tips(chart, history)
    return chart.svg()


def accuracy_chart(history: Sequence[EpochLine], kept: int | None) -> Markup:
    """Accuracy of training and validation over all epochs."""
    values = [v for line in history for v in (line.accuracy, line.validation_accuracy)]
    low = min((value for value in values if math.isfinite(value)), default=0.0)
    chart = Chart(
        "Accuracy of training and validation over the epochs",
        _epochs(history),
        share_axis("", low),
        width=_WIDTH,
        height=_HEIGHT,
    )
    _phases(chart, history, kept)
    chart.line([(i + 1, line.accuracy) for i, line in enumerate(history)], "a")
    chart.line([(i + 1, line.validation_accuracy) for i, line in enumerate(history)], "b")
    _epoch_tips(chart, history)
    return chart.svg()


def rate_chart(history: Sequence[EpochLine], kept: int | None) -> Markup:
    """The learning rate over all epochs."""
    rates = [max(line.learning_rate, _LOWEST_RATE) for line in history]
    chart = Chart(
        "Learning rate over the epochs",
        _epochs(history),
        log_axis("", min(rates) * 0.8, max(rates) * 1.25, text=_power),
        width=_WIDTH,
        height=_HEIGHT,
    )
    _phases(chart, history, kept)
    chart.line([(i + 1, rate) for i, rate in enumerate(rates)], "a")
    _epoch_tips(chart, history)
    return chart.svg()


def reliability_chart(found: Reliability, when: str) -> Markup:
    """Accuracy over confidence, with the number of pictures in each bin as pale bars."""
    chart = Chart(
        f"Share right over the score, {when}",
        share_axis("score of the best label"),
        share_axis(""),
        width=340,
        height=300,
    )
    most = max(each.right.total for each in found.bins)
    for each in found.bins:
        pictures = "1 picture" if each.right.total == 1 else f"{each.right.total} pictures"
        tip = f"scores {each.low:.1f} to {each.high:.1f}: {pictures}"
        chart.bar(each.low, each.high, 0.3 * each.right.total / most, tip)
    chart.line([(0, 0), (1, 1)], "ideal")
    for each in found.bins:
        if each.right.value is not None and each.right.interval is not None:
            chart.whisker(each.confidence, *each.right.interval, "a")
            tip = (
                f"score {each.confidence:.2f} on average, right {each.right.value:.1%} "
                f"({each.right.count} of {each.right.total})"
            )
            chart.dot(each.confidence, each.right.value, "a", tip)
    return chart.svg()


def coverage_chart(
    curve: Sequence[tuple[float, float, float]],
    operating: tuple[float, float] | None,
    purity: float,
) -> Markup:
    """The share of accepted pictures that is correct, over the share that is accepted."""
    lowest = min([purity, *(accuracy for _, accuracy, _ in curve)])
    if operating:
        lowest = min(lowest, operating[1])
    chart = Chart(
        "Share right of the accepted over the share accepted",
        share_axis("accepted"),
        share_axis("", max(0.0, lowest - 0.02)),
    )
    chart.level(purity, f"wanted {purity:.0%}")
    fine = max(1, len(curve) // 400)
    chart.line([point[:2] for point in (*curve[:-1:fine], *curve[-1:])], "a")
    step = max(1, len(curve) // 40)
    for coverage, accuracy, score in curve[::step]:
        tip = f"from score {score:.2f}: {coverage:.0%} accepted, {accuracy:.1%} of these right"
        chart.dot(coverage, accuracy, "a quiet", tip, size=0.6)
    if operating:
        tip = f"with the thresholds: {operating[0]:.1%} accepted, {operating[1]:.1%} of these right"
        chart.dot(*operating, "mark", tip)
    return chart.svg()


def learning_chart(curve: LearningCurve) -> Markup:
    """Accuracy over pictures per class, the fitted curve and its forecast."""
    last = curve.points[-1].pictures
    end = (curve.forecast.pictures + MORE) if curve.forecast else last
    values = [point.lowest for point in curve.points]
    chart = Chart(
        "Accuracy over pictures per class",
        log_axis("pictures per class", curve.points[0].pictures * 0.85, max(end, last) * 1.15),
        share_axis("", max(0.0, min(values) - 0.02)),
    )
    if curve.fit:
        first = math.log(curve.points[0].pictures)
        steps = [math.exp(first + i / 40 * (math.log(end) - first)) for i in range(41)]
        chart.line([(step, curve.fit.accuracy(step)) for step in steps], "ideal")
    for point in curve.points:
        chart.whisker(point.pictures, point.lowest, point.highest, "a")
        tip = (
            f"{point.pictures:.0f} pictures per class: {point.accuracy:.1%} right "
            f"({point.lowest:.1%} to {point.highest:.1%} over the repeats)"
        )
        chart.dot(point.pictures, point.accuracy, "a", tip)
    if curve.fit and curve.forecast:
        now, more = curve.forecast.pictures, curve.forecast.pictures + MORE
        tip = (
            f"{more:.0f} pictures per class: {100 * curve.forecast.gain:+.1f} points more than "
            f"with {now:.0f}, by the fitted curve"
        )
        chart.dot(more, curve.fit.accuracy(more), "mark", tip)
    return chart.svg()


def _power(rate: float) -> str:
    """A short form of a learning rate: 1e-4."""
    return f"{rate:.0e}".replace("e-0", "e-")


def _epochs(history: Sequence[EpochLine]) -> Axis:
    return linear_axis("epoch", 0.5, len(history) + 0.5, whole=True)


def _phases(chart: Chart, history: Sequence[EpochLine], kept: int | None) -> None:
    start = 0
    runs = itertools.groupby(history, key=lambda line: line.phase)
    for number, (phase, lines) in enumerate(runs):
        end = start + len(list(lines))
        chart.region(start + 0.5, end + 0.5, phase, shaded=number % 2 == 1)
        start = end
    if kept is not None:
        chart.upright(kept + 1, "kept")


def _epoch_tips(chart: Chart, history: Sequence[EpochLine]) -> None:
    for number, line in enumerate(history, start=1):
        tip = (
            f"epoch {number} ({line.phase} {line.epoch}): loss {line.loss:.3f}, validation "
            f"{line.validation_loss:.3f}; right {line.accuracy:.1%}, validation "
            f"{line.validation_accuracy:.1%}; rate {line.learning_rate:.2g}"
        )
        chart.hover(number, tip, 1)
