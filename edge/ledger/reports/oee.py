"""Overall equipment effectiveness: Availability x Performance x Quality. Pure.

*Availability*: of the time in which the station was to sort, the share in which it did.
*Performance*: of the items that could have been sorted in that time at the best rate, the share
that was: accepted, and moved into their lane. *Quality*: of those, the share that audits found in
the right lane, with its interval. It is not one minus the share of rejects, which is 100 % for a
machine that rejects nothing and is wrong every time; a reject costs performance. As both are about
the same items, the product is that of the items in the right lane and the least time for each,
over the planned time.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.core.model.wilson import wilson


@dataclass(frozen=True, slots=True)
class AuditedPurity:
    """What audits of items that were chosen by chance found."""

    audited: int
    """Sorted items that somebody looked at."""
    right: int
    """Those that lay in the lane where they belong."""

    @property
    def share(self) -> float | None:
        """The purity; None: nothing was audited."""
        return self.right / self.audited if self.audited else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Its 95 % interval (Wilson); None: nothing was audited."""
        return wilson(self.right / self.audited, self.audited) if self.audited else None


@dataclass(frozen=True, slots=True)
class Effectiveness:
    """The three factors, and their product where all are known."""

    planned_seconds: float
    executing_seconds: float
    items: int
    """Those that were accepted, and moved into their lane."""
    ideal_rate: float | None
    """Items a second at the best; None: not known."""
    quality: AuditedPurity
    unknown_seconds: float = 0.0
    """After a power cut or a kill: whether it was to sort then, nobody knows. Not in `planned`."""

    @property
    def share_known(self) -> float:
        """The factor on availability and OEE if it was to sort in all of the unknown time."""
        whole = self.planned_seconds + self.unknown_seconds
        return self.planned_seconds / whole if whole else 1.0

    @property
    def availability(self) -> float | None:
        """The share of the planned time in which it sorted; None: none was planned."""
        return self.executing_seconds / self.planned_seconds if self.planned_seconds else None

    @property
    def performance(self) -> float | None:
        """The share of the items that could have been sorted which was; None: not known."""
        if self.ideal_rate is None or not self.executing_seconds:
            return None
        return self.items / (self.ideal_rate * self.executing_seconds)

    @property
    def oee(self) -> float | None:
        """The product; None: a factor is not known."""
        share = self.quality.share
        return None if share is None else self._times(share)

    @property
    def oee_interval(self) -> tuple[float, float] | None:
        """The product with the ends of the quality's interval; None: a factor is not known."""
        ends = self.quality.interval
        if ends is None:
            return None
        low, high = self._times(ends[0]), self._times(ends[1])
        return None if low is None or high is None else (low, high)

    def _times(self, quality: float) -> float | None:
        availability, performance = self.availability, self.performance
        if availability is None or performance is None:
            return None
        return availability * performance * quality
