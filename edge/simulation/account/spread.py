"""The spread of a measured quantity, in memory that does not grow with the number of values."""

from __future__ import annotations

import math
from collections import Counter


class Spread:
    """How often each value occurred, rounded to a step; percentiles are exact but for the step."""

    def __init__(self, *, step: float = 0.01) -> None:
        """Has no values yet.

        Args:
            step: values are rounded to a multiple of this, in the unit of the values.
        """
        self._step, self._counts = step, Counter[int]()

    def add(self, value: float) -> None:
        """Adds one value."""
        self._counts[round(value / self._step)] += 1

    def __len__(self) -> int:
        return self._counts.total()

    def percentile(self, percent: float) -> float | None:
        """The smallest value that `percent` of 100 values do not exceed; None if there is none."""
        rank = max(1, math.ceil(percent / 100 * len(self)))
        for steps in sorted(self._counts):
            rank -= self._counts[steps]
            if rank <= 0:
                return self._rounded(steps)
        return None

    def scaled(self, factor: float) -> Spread:
        """The same values times `factor`, in steps that are scaled likewise."""
        other = Spread(step=self._step * factor)
        other._counts = self._counts
        return other

    def magnitudes(self) -> Spread:
        """The values without their signs."""
        other = Spread(step=self._step)
        for steps, count in self._counts.items():
            other._counts[abs(steps)] += count
        return other

    def bins(self, count: int) -> list[tuple[float, float, int]]:
        """(from, to, number of values) of at most `count` equally wide bins; none of no values."""
        if not self._counts:
            return []
        low, high = min(self._counts), max(self._counts)
        wide = max(1, math.ceil((high - low + 1) / count))
        numbers = [0] * math.ceil((high - low + 1) / wide)
        for steps, number in self._counts.items():
            numbers[(steps - low) // wide] += number
        return [
            (self._rounded(low + index * wide), self._rounded(low + (index + 1) * wide), number)
            for index, number in enumerate(numbers)
        ]

    def to_json(self) -> dict[str, float | int | None]:
        """The number of values, percentiles, and the largest."""
        percentiles = {f"p{percent}": self.percentile(percent) for percent in (50, 95, 99)}
        return {"count": len(self), **percentiles, "max": self.percentile(100)}

    def _rounded(self, steps: int) -> float:
        return round(steps * self._step, 6) + 0.0  # no -0.0
