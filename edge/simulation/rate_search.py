"""The highest rate of items at which a purity still holds, found by simulated runs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edge.core.errors import UsageError
from edge.core.model.metrics import Share
from edge.core.model.wilson import Z95
from edge.simulation.account.lane_figures import share_json
from edge.simulation.account.report import Report

_CLOSE = 1.05
"""The search ends when the rate that holds and the one that does not are this near."""
CARRIED = 0.9
"""A world that carries less than this share of the rate that is asked for carries no more."""
_CHANCE = 0.5
"""How much longer than on average a single gap between items may be by chance, and by the sizes of
the two, as a share of it."""
_SLOWEST = 1 / 64
"""The search gives up below this share of the rate with which it began."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One run of the search."""

    asked: float
    """Items a second that were asked for."""
    carried: float
    """Items a second that came."""
    purity: Share
    recovery: Share
    holds: bool
    """Whether the lower end of the purity's interval is as high as was wanted."""

    def to_json(self) -> dict[str, Any]:
        """The run as JSON."""
        return {
            "rate_asked": self.asked,
            "items_per_second": round(self.carried, 4),
            **share_json("purity", self.purity),
            **share_json("recovery", self.recovery),
            "holds": self.holds,
        }


@dataclass(frozen=True, slots=True)
class RateSearch:
    """What a search came to."""

    purity: float
    """The purity that was wanted."""
    probes: tuple[Probe, ...]
    """In the order in which they were run."""
    saturated: bool
    """Whether items came no faster, while the purity still held."""

    @property
    def best(self) -> Probe | None:
        """The fastest run in which the purity held; None: it held in none."""
        held = [probe for probe in self.probes if probe.holds]
        return max(held, key=lambda probe: probe.carried, default=None)

    @property
    def beyond(self) -> float | None:
        """The lowest rate at which it did not hold, above the best; None: there is none."""
        best = self.best
        failed = [
            probe.carried
            for probe in self.probes
            if not probe.holds and (best is None or probe.carried > best.carried)
        ]
        return min(failed, default=None)

    def to_json(self) -> dict[str, Any]:
        """The search as JSON; `rate` is null if the purity held at no rate."""
        best = self.best
        return {
            "purity": self.purity,
            "rate": None if best is None else round(best.carried, 4),
            "rate_too_high": None if self.beyond is None else round(self.beyond, 4),
            "saturated": self.saturated,
            "runs": [probe.to_json() for probe in self.probes],
        }

    def lines(self) -> list[str]:
        """The search as lines for a terminal."""
        lines = [f"{'asked':>7} {'came':>7}  {'purity':<38} {'recovery':<38} holds"]
        lines += [
            f"{probe.asked:>7.2f} {probe.carried:>7.2f}  {probe.purity!s:<38} "
            f"{probe.recovery!s:<38} {'yes' if probe.holds else 'no'}"
            for probe in sorted(self.probes, key=lambda probe: probe.asked)
        ]
        return [*lines, self.conclusion]

    @property
    def conclusion(self) -> str:
        """The result in a sentence."""
        best, beyond = self.best, self.beyond
        wanted = (
            f"a purity of {self.purity:.1%} of what is in the lanes, by the lower end of its 95 % "
            "interval,"
        )
        if best is None:
            slowest = min(probe.carried for probe in self.probes)
            return f"{wanted} holds at no rate that was tried, down to {slowest:.2f} items a second"
        said = f"{wanted} holds up to {best.carried:.2f} items a second"
        if self.saturated:
            return f"{said}, and no more can come"
        return f"{said}, and no more at {beyond:.2f}" if beyond is not None else said


def is_carried(asked: float, came: float, *, items: int) -> bool:
    """Whether items came as fast as was asked for, or slower by no more than chance may do.

    Args:
        asked, came: items a second.
        items: how many came.
    """
    chance = _CHANCE / math.sqrt(max(1, items - 1))
    return came * (1 + chance) >= CARRIED * asked


def fewest_items(purity: float) -> int:
    """How many items the lanes must have for a purity to hold if all of them are right.

    Wilson's lower limit of n right ones of n is n / (n + z^2).
    """
    return math.ceil(Z95 * Z95 * purity / (1 - purity) - 1e-9)


def check_count(count: int, purity: float) -> None:
    """Checks that so many items can show a purity at all.

    Raises:
        UsageError: they cannot.
    """
    fewest = fewest_items(purity)
    if count < fewest:
        best = count / (count + Z95 * Z95)
        raise UsageError(
            f"--find-rate {purity:g} needs --count {fewest} or more: of {count} items, if all are "
            f"right, the purity's 95 % interval begins at {best:.1%}. Twice as many leave room for "
            "rejects and for a mistake"
        )


def find_rate(purity: float, *, start: float, run: Callable[[float], Report]) -> RateSearch:
    """Doubles the rate while the purity holds, or halves it until it does; then bisects.

    Args:
        purity: the purity that the lower end of the interval must reach, 0..1.
        start: the rate of the first run.
        run: runs with the same items at another rate, in items a second.
    """
    probes: list[Probe] = []

    def holds(rate: float) -> bool:
        report = run(rate)
        interval = report.purity.interval
        carried = report.items_per_second or 0.0
        fine = interval is not None and interval[0] >= purity
        probes.append(Probe(rate, carried, report.purity, report.recovery, fine))
        return fine

    def is_full() -> bool:
        return probes[-1].carried < CARRIED * probes[-1].asked

    low, high = None, None
    rate = start
    while low is None or high is None:
        if holds(rate):
            low = rate
            if is_full():
                return RateSearch(purity, tuple(probes), saturated=True)
            rate *= 2
        else:
            high = rate
            rate /= 2
            if low is None and rate < start * _SLOWEST:
                return RateSearch(purity, tuple(probes), saturated=False)
    while high / low > _CLOSE:
        middle = math.sqrt(low * high)
        if holds(middle):
            low = middle
        else:
            high = middle
    return RateSearch(purity, tuple(probes), saturated=False)
