"""Adds up counts that begin anew with each start of a station's process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping


class RunningTotals:
    """Counts over all runs of a station that were seen. They never go down while this lives."""

    def __init__(self) -> None:
        """Has seen no run."""
        self._run: str | None = None
        self._before: Counter[tuple[str, ...]] = Counter()
        self._now: Counter[tuple[str, ...]] = Counter()

    def see(self, run: str, counts: Mapping[tuple[str, ...], int]) -> None:
        """Takes what a run has counted so far.

        Args:
            run: is another one for each run.
            counts: by any key.
        """
        if run != self._run:
            self._before.update(self._now)
            self._run, self._now = run, Counter()
        self._now = Counter(dict(counts))

    @property
    def totals(self) -> Mapping[tuple[str, ...], int]:
        """The counts of all runs, by key. A key that was seen once stays, at 0 too."""
        return {
            key: self._before[key] + self._now[key]
            for key in dict.fromkeys((*self._before, *self._now))
        }
