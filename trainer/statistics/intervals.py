"""95 % intervals that hold where pictures come in groups, such as series of one object."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.core.model.metrics import paired_interval, share_in_words
from edge.core.model.wilson import Z95, wilson

_DRAWS = 2000
"""Bootstrap samples; fewer of very many groups, so that they fit into memory."""
_WEIGHTS = 8_000_000

Mask = npt.NDArray[np.bool_]
Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its 95 % interval; both are None if there are no pictures."""

    value: float | None
    interval: Interval | None

    def in_words(self, count: int, total: int) -> str:
        """The share `count` of `total` in words, as precisely as that many pictures allow."""
        return share_in_words(self.value, self.interval, count, total)

    @property
    def shown(self) -> str:
        """A share and its interval for a table: "89.3% (84.0% to 93.1%)", or "–"."""
        if self.value is None or self.interval is None:
            return "–"
        return f"{self.value:.1%} ({self.interval[0]:.1%} to {self.interval[1]:.1%})"

    def to_json(self) -> dict[str, object]:
        """`value` and `interval`."""
        return {"value": self.value, "interval": self.interval}


NOTHING = Figure(None, None)


def share_difference(one: Figure, other: Figure) -> Figure:
    """A share less one of other pictures; nothing if either has none.

    The interval is that of the square of both shares' intervals, so it has a width also where all
    are right, and stays within -1..1. Source: R. G. Newcombe, Interval estimation for the
    difference between independent proportions, Statistics in Medicine 17 (1998), method 10.
    """
    if one.value is None or other.value is None or one.interval is None or other.interval is None:
        return NOTHING
    value = one.value - other.value
    down = math.hypot(one.value - one.interval[0], other.interval[1] - other.value)
    up = math.hypot(one.interval[1] - one.value, other.value - other.interval[0])
    return Figure(value, (value - down, value + up))


class Resampling:
    """Intervals for figures over the same pictures.

    Where every picture is a group of its own: Wilson's and Tango's. Where pictures share groups: a
    bootstrap that draws whole groups (Davison and Hinkley, Bootstrap methods and their application,
    1997), drawn out by Student's t for the fewness of the groups, and never narrower than the
    interval of independent pictures. Where all pictures agree a bootstrap has no width: then as
    many independent pictures are supposed as there are groups.
    """

    def __init__(self, groups: Sequence[str] | None, total: int, *, seed: int = 0) -> None:
        """Intervals over `total` pictures.

        Args:
            groups: of each picture; None: each is its own.
        """
        names = list(range(total)) if groups is None else list(groups)
        if len(names) != total:
            raise ValueError(f"{total} pictures need as many groups. Received: {len(names)}")
        self._of = np.unique(names, return_inverse=True)[1] if total else np.zeros(0, np.int64)
        self.groups = int(self._of.max()) + 1 if total else 0
        self.total = total
        self.independent = self.groups == total
        self._rng = np.random.default_rng(seed)
        self._drawn: npt.NDArray[np.float32] | None = None

    def share(self, hits: Mask, among: Mask | None = None) -> Figure:
        """The share of `hits` in `among`, by default in all pictures; both bool (pictures,)."""
        among = np.ones(self.total, bool) if among is None else among
        hits = hits & among
        count, total = int(hits.sum()), int(among.sum())
        if not total:
            return NOTHING
        value = count / total
        plain = wilson(value, total)
        if self.independent:
            return Figure(value, plain)
        groups = len(np.unique(self._of[among]))
        if count in (0, total) or groups == 1:
            return Figure(value, wilson(value, groups))
        drawn = self._draw(hits, among)
        with np.errstate(invalid="ignore"):
            shares = drawn[:, 0] / drawn[:, 1]
        return Figure(value, _limited(wider(_drawn_out(value, shares, groups), plain)))

    def mean(self, values: npt.NDArray[np.floating]) -> Figure:
        """The mean of `values` (pictures,), 0..1 each: the share of several tries that were right.

        Pictures are resampled here, too, where each is a group of its own, because such values
        vary less than right and wrong do.
        """
        if not self.total:
            return NOTHING
        value = float(np.mean(values))
        if self.groups == 1 or not np.ptp(values):
            return Figure(value, wilson(value, self.groups))
        drawn = self._draw(values, np.ones(self.total, bool))
        means = drawn[:, 0] / drawn[:, 1]
        return Figure(value, _limited(_drawn_out(value, means, self.groups)))

    def f1(self, is_label: Mask, taken: Mask) -> Figure:
        """The F1 of one label: the harmonic mean of its precision and recall.

        Where there is no mistake, nothing right or one group, the bounds are those that follow from
        the bounds of both.

        Args:
            is_label: which pictures are of the label.
            taken: which pictures are taken for it.
        """
        right, most = is_label & taken, int(is_label.sum()) + int(taken.sum())
        if not most:
            return NOTHING
        value = 2 * int(right.sum()) / most
        groups = len(np.unique(self._of[is_label | taken]))
        if value in (0.0, 1.0) or groups == 1:
            bounds = [self.share(right, among).interval for among in (is_label, taken)]
            low, high = (_harmonic_mean([each[end] for each in bounds if each]) for end in (0, 1))
            return Figure(value, (low, high))
        drawn = self._draw(right, is_label, taken)
        with np.errstate(invalid="ignore"):
            values = 2 * drawn[:, 0] / (drawn[:, 1] + drawn[:, 2])
        if self.independent:
            return Figure(value, _quantiles(values))
        return Figure(value, _limited(_drawn_out(value, values, groups)))

    def change(self, before: Mask, after: Mask) -> Figure:
        """The share of `after` less that of `before`, of the same pictures; -1..1."""
        if not self.total:
            return NOTHING
        lost, won = int((before & ~after).sum()), int((after & ~before).sum())
        value = (won - lost) / self.total
        low, high = paired_interval(lost, won, self.total)
        plain = -high, -low
        if self.independent:
            return Figure(value, plain)
        if not lost + won or self.groups == 1:
            low, high = paired_interval(0, 0, self.groups)
            return Figure(value, wider((-high, -low), plain))
        drawn = self._draw(before, after, np.ones(self.total, bool))
        changes = (drawn[:, 1] - drawn[:, 0]) / drawn[:, 2]
        wide = wider(_drawn_out(value, changes, self.groups), plain)
        return Figure(value, (max(-1.0, wide[0]), min(1.0, wide[1])))

    def _draw(self, *masks: Mask | npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """The sum over the pictures of each mask in each bootstrap sample, (draws, masks)."""
        sums = np.zeros((self.groups, len(masks)))
        for column, mask in enumerate(masks):
            np.add.at(sums[:, column], self._of, mask)
        if self._drawn is None:
            draws = int(np.clip(_WEIGHTS / self.groups, 200, _DRAWS))
            even = np.full(self.groups, 1 / self.groups)
            self._drawn = self._rng.multinomial(self.groups, even, draws).astype(np.float32)
        return np.asarray(self._drawn @ sums, np.float64)


def _quantiles(values: npt.NDArray[np.floating]) -> Interval:
    low, high = np.nanquantile(values, [0.025, 0.975])
    return float(low), float(high)


def _drawn_out(value: float, values: npt.NDArray[np.floating], groups: int) -> Interval:
    """The bootstrap's interval, as much wider as few groups make its spread too small."""
    low, high = _quantiles(values)
    factor = students_t(groups - 1) / Z95 * math.sqrt(groups / (groups - 1))
    return value - factor * (value - low), value + factor * (high - value)


def students_t(freedom: int, confidence: float = 0.95) -> float:
    """The point of Student's t between which and its negative a share `confidence` lies."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + confidence) / 2))


def wider(one: Interval, other: Interval) -> Interval:
    """The interval from the lower one of both lower ends to the higher one of both upper ends."""
    return min(one[0], other[0]), max(one[1], other[1])


def _limited(interval: Interval) -> Interval:
    return max(0.0, interval[0]), min(1.0, interval[1])


def _harmonic_mean(values: Sequence[float]) -> float:
    return len(values) / sum(1 / value for value in values) if all(values) else 0.0
