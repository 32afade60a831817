"""Charts hold what they are given, within their frame, and say it in words."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import pytest

from trainer.report.svg import Chart, gauge, linear_axis, log_axis, share_axis


def chart() -> Chart:
    return Chart("a chart", linear_axis("x", 0, 10), share_axis("y"))


def test_a_chart_is_well_formed_and_has_a_name() -> None:
    drawn = chart()
    drawn.line([(0, 0.1), (5, math.nan), (10, 0.9)], "a")
    drawn.dot(5, 0.5, "a", 'half & "half" <b>')
    drawn.dot(6, 0.5, "b", "square")
    drawn.dot(7, 0.5, "mark", "diamond")
    drawn.dot(math.nan, 0.5, "a", "nowhere")
    drawn.whisker(5, -0.2, 1.2, "a")
    drawn.bar(1, 2, 0.3, "bar")
    drawn.region(0, 5, "head", shaded=True)
    drawn.upright(3, "best")
    drawn.level(0.9, "wanted")
    drawn.level(1.9, "out of sight")
    drawn.hover(4, "tip", 1)
    tree = ElementTree.fromstring(drawn.svg())
    assert tree.get("aria-label") == "a chart"
    titles = [element.text for element in tree.iter("title")]
    assert 'half & "half" <b>' in titles
    assert {"square", "diamond", "bar", "tip"} <= set(titles)
    assert "nowhere" not in titles
    texts = [element.text for element in tree.iter("text")]
    assert {"head", "best", "wanted", "100%"} <= set(texts)
    assert "out of sight" not in texts


def test_nothing_leaves_the_frame() -> None:
    drawn = chart()
    drawn.line([(0, -3), (10, 7)], "a")
    drawn.whisker(5, -9, 9, "a")
    drawn.hover(10, "tip", 4)
    numbers = re.findall(r'(?:x1|x2|y1|y2|points)="([^"]*)"', str(drawn.svg()))
    for number in " ".join(numbers).replace(",", " ").split():
        assert -0.1 <= float(number) <= 440.1


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 10, [0, 2, 4, 6, 8, 10]),
        (0, 1.3, [0, 0.5, 1]),
        (0.5, 3.5, [1, 2, 3]),
        (0.5, 36.5, [10, 20, 30]),
        (7, 7, [7, 7.2, 7.4, 7.6, 7.8, 8]),
    ],
)
def test_ticks_are_round(low: float, high: float, ticks: list[float]) -> None:
    assert linear_axis("", low, high).ticks == pytest.approx(ticks)


def test_epochs_have_whole_numbers() -> None:
    assert linear_axis("", 0.5, 1.5, whole=True).ticks == (1,)
    assert linear_axis("", 0.5, 2.5, whole=True).ticks == (1, 2)


@pytest.mark.parametrize(
    ("low", "start", "count"), [(0.0, 0.0, 6), (0.63, 0.6, 5), (0.885, 0.88, 7), (1.0, 0.99, 2)]
)
def test_an_axis_of_shares_ends_at_one(low: float, start: float, count: int) -> None:
    axis = share_axis("", low)
    assert axis.low == pytest.approx(start)
    assert axis.high == 1
    assert len(axis.ticks) == count


@pytest.mark.parametrize(("low", "high"), [(1e-5, 1e-3), (5, 170), (3, 3), (1e-9, 1e3)])
def test_a_logarithmic_axis_has_a_few_ticks(low: float, high: float) -> None:
    axis = log_axis("", low, high)
    assert 1 <= len(axis.ticks) <= 13
    assert axis.along(axis.low) == 0
    assert axis.along(axis.high) == pytest.approx(1)
    assert math.isfinite(axis.along(0))


def test_a_gauge_shows_value_and_interval() -> None:
    tree = ElementTree.fromstring(gauge(0.5, (0.25, 0.75)))
    (line,), (dot,) = tree.findall("line"), tree.findall("circle")
    assert (line.get("x1"), line.get("x2"), dot.get("cx")) == ("25.0", "75.0", "50.0")
    assert (
        len(ElementTree.fromstring(gauge(0.0, (-0.9, 0.1), low=-0.6, high=0.3)).findall("line"))
        == 2
    )
    assert gauge(None, None) == ""
