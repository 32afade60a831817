from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.web.plots import HEIGHT, WIDTH, Plot, PlotMark, plot, round_step


def drawn(*marks: PlotMark | None, least: float = 0.0, most: float = 100.0) -> Plot:
    names = [str(number) for number in range(len(marks))]
    written = "{:.{}f}".format
    return plot(marks, names, least=least, most=most, written=written)


def test_heights_are_in_proportion_and_the_axis_has_round_values() -> None:
    found = drawn(PlotMark(0, 50, 100), None, PlotMark(25, 25, 25))
    assert [word.text for word in found.up] == ["0", "50", "100"]
    floor, top = found.up[0].at, found.up[-1].at
    first, second = found.marks
    assert (first.low, first.high) == (floor, top)
    assert first.value == pytest.approx((floor + top) / 2)
    assert second.value == pytest.approx(floor - (floor - top) / 4)
    assert [word.text for word in found.across] == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("about", "step"), [(0, 1), (0.3, 0.5), (0.02, 0.02), (1, 1), (1.2, 2), (26, 50), (3000, 5000)]
)
def test_steps_are_round(about: float, step: float) -> None:
    assert round_step(about) == pytest.approx(step)


def test_of_many_names_some_are_written_and_the_newest_is() -> None:
    found = drawn(*[PlotMark(0, 1, 2)] * 31)
    assert len(found.across) <= 8
    assert found.across[-1].text == "30"


@pytest.mark.parametrize("low", [0.02, 0.15, 0.33, 0.51, 0.57, 0.8, 0.92, 0.995])
def test_a_plot_that_hangs_ends_at_its_most_and_has_round_values(low: float) -> None:
    mark = PlotMark(low, (1 + low) / 2, 1)
    found = plot(
        [mark], ["x"], least=low, most=1.0, hangs=True,
        written=lambda value, digits: f"{value:.{digits}f}",
    )  # fmt: skip
    values = [float(word.text) for word in found.up]
    assert values[-1] == 1
    assert 0 <= values[0] <= low
    steps = {round(second - first, 6) for first, second in pairwise(values)}
    assert len(steps) == 1
    assert len(values) <= 6


def test_counts_have_whole_numbers_at_the_axis_and_small_steps_their_decimals() -> None:
    def words(most: float, smallest_step: float = 0.0) -> list[str]:
        found = plot(
            [None], ["x"], least=0, most=most, smallest_step=smallest_step,
            written=lambda value, digits: f"{value:.{digits}f}",
        )  # fmt: skip
        return [word.text for word in found.up]

    assert words(1, 1) == ["0", "1"]
    assert words(2, 1) == ["0", "1", "2"]
    assert words(2) == ["0.0", "0.5", "1.0", "1.5", "2.0"]


@given(
    values=st.lists(st.floats(0, 1e6), min_size=1, max_size=31),
    least=st.floats(0, 1e3),
    above=st.floats(1e-6, 1e6),
)
def test_all_is_within_the_drawing(values: list[float], least: float, above: float) -> None:
    found = drawn(*[PlotMark(v, v, v) for v in values], least=least, most=least + above)
    for mark in found.marks:
        assert 0 <= mark.x - mark.half <= mark.x + mark.half <= WIDTH
        assert 0 <= mark.high <= HEIGHT
        assert 0 <= mark.low <= found.floor
