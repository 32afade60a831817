"""The signals of a simulated light barrier or button, as one that is set up right gives them."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Any

from edge.simulation.world import DrawnWorld, TrueItem
from edge.vision.trigger import Trigger, TriggerSurroundings
from edge.vision.trigger.signals import SignalSettings, SignalTrigger

_PUT_IN_SECONDS = 0.1
"""How long after an item lies in a bin somebody says so."""


class SimulatedSignalSettings:
    """Stands in for the section `trigger` of a station that is told of items by a signal."""

    def __init__(self, settings: SignalSettings, world: DrawnWorld) -> None:
        """Opens nothing yet."""
        self._settings, self._world = settings, world

    def __getattr__(self, name: str) -> Any:
        return getattr(self._settings, name)

    def open(self, around: TriggerSurroundings | None = None) -> Trigger:
        """Opens the trigger; see `TriggerSettings`."""
        settings = self._settings
        return SignalTrigger(
            WorldSignal(self._world, settings),
            delay_seconds=settings.delay_seconds,
            view_seconds=settings.view_seconds,
        )


class WorldSignal:
    """One signal for each item of a world; see Signal."""

    def __init__(self, world: DrawnWorld, settings: SignalSettings) -> None:
        """Has given none.

        Args:
            settings: say how long before its middle passes that of the region an item is announced.
        """
        self._world = world
        self._before = settings.delay_seconds + settings.view_seconds / 2
        self._coming: list[float] = []

    def take(self, now: float) -> Sequence[float]:
        """See Signal."""
        for item in self._world.announced():
            heapq.heappush(self._coming, self._at(item))
        found = []
        while self._coming and self._coming[0] <= now:
            found.append(heapq.heappop(self._coming))
        return found

    def _at(self, item: TrueItem) -> float:
        if item.passes is None:
            return item.entered + _PUT_IN_SECONDS
        return item.passes - self._before
