"""Purity and recovery, and whether they are good enough."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from deploy.demo.figures import (
    CHANCE,
    Stated,
    fewest,
    fewest_of,
    is_below,
    shortcomings,
)
from edge.core.model.metrics import Share
from edge.simulation.account.lane_figures import lane_figures

LANES = {"metal": ["can"], "paper": ["carton", "ball"], "rest": []}


@pytest.mark.parametrize(
    ("stated", "total", "chance", "least"),
    [
        # scipy.stats.betabinom.ppf(chance, total, right + 0.5, wrong + 0.5)
        (Share(128, 128), 40, 0.001 / 8, 35),
        (Share(126, 128), 40, 0.001 / 8, 33),
        (Share(0, 13), 13, 0.001, 0),
        (Share(1270, 1280), 40, 0.001 / 8, 36),
        # Of two items nothing follows, whatever is stated.
        (Share(110, 128), 2, 0.001 / 8, 0),
        (Share(5, 5), 0, 0.001, 0),
    ],
)
def test_the_fewest_that_chance_explains(
    stated: Share, total: int, chance: float, least: int
) -> None:
    assert fewest(stated, total, chance) == least


@pytest.mark.parametrize(
    ("share", "total", "chance", "least"),
    [
        # scipy.stats.binom.ppf(chance, total, share)
        (0.975, 40, 0.001 / 8, 34),
        (0.975, 128, 0.001, 118),
        (0.5, 10, 0.001, 1),
        (1.0, 40, 0.001, 40),
    ],
)
def test_the_fewest_after_a_share_that_is_known(
    share: float, total: int, chance: float, least: int
) -> None:
    assert fewest_of(share, total, chance) == least


def test_a_good_demo_fails_by_chance_as_seldom_as_it_says() -> None:
    """Over many runs of a model that is right 98 times in 100, all of it drawn by chance."""
    rng = np.random.default_rng(0)
    runs, failed = 4000, 0
    for right, lanes in zip(
        rng.binomial(128, 0.98, runs), rng.binomial(40, 0.98, (runs, 4)), strict=True
    ):
        least = fewest(Share(int(right), 128), 40, CHANCE / 8)
        failed += int(lanes.min()) < least
    # Four comparisons of the eight: half of one in a thousand, and three standard deviations.
    assert failed <= CHANCE / 2 * runs + 3 * (CHANCE / 2 * runs) ** 0.5


def fates(right: int, wrong: int = 0) -> list[tuple[str, str]]:
    """So many cans in their lane, and so many rejected; forty of the other classes in theirs."""
    others = [("carton", "paper")] * 20 + [("ball", "paper")] * 20
    return [("can", "metal")] * right + [("can", "rest")] * wrong + others


GOOD = Stated(recovery=Share(126, 128), purity=Share(126, 126))


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (fates(40), []),
        # One item of forty, or two, or three: chance explains them.
        (fates(39, 1), []),
        (fates(37, 3), []),
        (fates(28, 12), ["lane metal: recovery 28 of 40;"]),
        ([*fates(40), *[("carton", "metal")] * 20], ["lane metal: purity", "lane paper: recovery"]),
        # All rejected.
        ([("can", "rest")] * 40, ["lane metal: recovery 0 of 40;"]),
        # Of a few items little follows.
        ([("can", "rest")], []),
    ],
)
def test_a_lane_falls_short_where_chance_does_not_explain_it(
    found: list[tuple[str, str]], words: list[str]
) -> None:
    lines = [str(each) for each in shortcomings(lane_figures(Counter(found), LANES), GOOD)]
    assert len(lines) == len(words), lines
    assert all(word in line for word, line in zip(words, lines, strict=True))


@pytest.mark.parametrize(
    ("one", "other", "below"),
    [
        (Share(95, 100), Share(96, 100), False),
        (Share(80, 100), Share(96, 100), True),
        (Share(96, 100), Share(80, 100), False),
        # Of few, little follows.
        (Share(4, 5), Share(96, 100), False),
        (Share(0, 0), Share(96, 100), False),
        (Share(940, 1000), Share(960, 1000), True),
    ],
)
def test_below_is_said_only_where_chance_does_not_explain_it(
    one: Share, other: Share, below: bool
) -> None:
    assert is_below(one, other) is below
