"""Whether purity and recovery of every lane are good enough. Pure.

A lane of forty is a small sample: a model that is right 98 times in 100 loses two of forty in one
lane out of five. So no lane is held to a round figure. It is held to what the run itself states of
its model, measured on its test split, and falls short only where chance explains it less often than
in one run of a thousand: see `fewest`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from edge.core.model.metrics import Share
from edge.simulation.account.lane_figures import LaneFigures

CHANCE = 0.001
"""How often a demo may fail by chance alone, in all that it is judged by together."""


@dataclass(frozen=True, slots=True)
class Stated:
    """What a run says of its model, by pictures that the model was not trained on."""

    recovery: Share
    """Pictures accepted as what they are, of all."""
    purity: Share
    """Pictures accepted as what they are, of the accepted."""


def fewest(stated: Share, total: int, chance: float) -> int:
    """The fewest right ones of `total` that chance explains, after `stated` of another sample.

    Were the share of right ones just p, their number would be binomial, of (total, p). What p is,
    `stated` tells but roughly: by Jeffreys' prior it has a Beta(right + 1/2, wrong + 1/2)
    distribution, and over that the number of right ones is beta-binomial,
    P(k) = C(n, k) B(k + a, n - k + b) / B(a, b). The result is the smallest k for which
    P(0) + ... + P(k) is above `chance`. Source: Gelman and others, Bayesian data analysis, 2013,
    on posterior predictive distributions; Brown, Cai and DasGupta, Statistical science 16 (2001),
    on Jeffreys' prior for a proportion.

    Args:
        stated: right ones of the other sample.
        chance: 0..1, how seldom fewer may come about by chance.
    """
    a, b = stated.count + 0.5, stated.total - stated.count + 0.5
    below = 0.0
    for right in range(total + 1):
        ways = math.lgamma(total + 1) - math.lgamma(right + 1) - math.lgamma(total - right + 1)
        below += math.exp(ways + _log_beta(right + a, total - right + b) - _log_beta(a, b))
        if below > chance:
            return right
    return total


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def fewest_of(share: float, total: int, chance: float) -> int:
    """The same after a share that is known: the smallest k at which the binomial sum passes."""
    below = 0.0
    for right in range(total + 1):
        below += math.comb(total, right) * share**right * (1 - share) ** (total - right)
        if below > chance:
            return right
    return total


@dataclass(frozen=True, slots=True)
class Shortcoming:
    """A lane that is worse than what the run states explains."""

    lane: str
    what: str
    """purity or recovery."""
    share: Share
    fewest: int

    def __str__(self) -> str:
        return (
            f"lane {self.lane}: {self.what} {self.share.count} of {self.share.total}; by what the "
            f"run states of its model, chance leaves {self.fewest} at least, but in one run of a "
            "thousand"
        )


def shortcomings(lanes: Mapping[str, LaneFigures], stated: Stated) -> list[Shortcoming]:
    """The lanes whose purity or recovery is less than chance explains.

    All lanes together fall short by chance once in a thousand runs: each of their shares is given
    its part of that (Bonferroni).
    """
    judged = [
        (name, what, mine, of_model)
        for name, lane in lanes.items()
        if lane.labels
        for what, mine, of_model in (
            ("purity", lane.purity, stated.purity),
            ("recovery", lane.recovery, stated.recovery),
        )
    ]
    found = []
    for name, what, mine, of_model in judged:
        least = fewest(of_model, mine.total, CHANCE / len(judged))
        if mine.count < least:
            found.append(Shortcoming(name, what, mine, least))
    return found


def is_below(one: Share, other: Share) -> bool:
    """Whether `one` is significantly below `other`, at 95 % confidence.

    The two shares' difference is tested one-sided by Newcombe's interval without continuity
    correction (Interval estimation for the difference between independent proportions, Statistics
    in Medicine 17, 1998, method 10). The same pictures stand behind both here, which the test does
    not know: it finds a difference less easily.
    """
    if one.value is None or other.value is None or one.interval is None or other.interval is None:
        return False
    drop = other.value - one.value
    below, above = other.value - other.interval[0], one.interval[1] - one.value
    return bool(drop - (below**2 + above**2) ** 0.5 > 0)
