"""The times at which a planted fault lasts: at random, the same for the same seed. Pure."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np


class Windows:
    """One window of a given length in each period, at a random place in it; or one in all.

    Whether a moment lies in a window depends on the seed alone, not on what was asked before.
    """

    def __init__(
        self, *, every: float, seconds: float, seed: tuple[int, ...], at: float | None = None
    ) -> None:
        """Computes nothing yet.

        Args:
            every: the length of a period, in seconds; 0: one window without an end.
            seconds: the length of a window, no longer than a period.
            seed: decides the places.
            at: when the only window begins, in seconds; None: there is one in each period.
        """
        self.every, self.seconds, self._seed, self._at = every, seconds, seed, at
        self._place = lru_cache(maxsize=64)(self._drawn_place)

    def start(self, period: int) -> float:
        """When the window of a period begins, in seconds after the start of the period."""
        return self._place(period) * (self.every - self.seconds)

    @property
    def first(self) -> float:
        """When the first window begins, in seconds since the run began."""
        if self._at is not None:
            return self._at
        return self.start(0) if self.every else 0.0

    def holds(self, moment: float) -> bool:
        """Whether `moment`, in seconds since the run began, lies in a window."""
        return self.strength(moment) > 0

    def strength(self, moment: float, *, fade: float = 0.0) -> float:
        """0 outside of a window, 1 in it; between them within `fade` seconds of its ends."""
        if moment < 0:
            return 0.0
        if self._at is not None:
            since = moment - self._at
        elif not self.every:
            return 1.0
        else:
            period = math.floor(moment / self.every)
            since = moment - period * self.every - self.start(period)
        left = self.seconds - since
        if since < 0 or left <= 0:
            return 0.0
        return 1.0 if fade <= 0 else min(1.0, max(since, 1e-9) / fade, left / fade)

    def _drawn_place(self, period: int) -> float:
        return float(np.random.default_rng((*self._seed, period)).random())
