"""What a station's state has to do with items, as the sorting thread sees it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from edge.flow import Observation


class SortingState(Protocol):
    """What a station's state has to do with items. The sorting thread asks, and never waits."""

    @property
    def sorts(self) -> bool:
        """Whether items are sorted; else those in view are rejected."""
        ...

    @property
    def next_at(self) -> float | None:
        """When `look` is to be called at the latest, on the frames' clock; None: any time."""
        ...

    def seen(self, at: float, observations: Sequence[Observation]) -> None:
        """What is in view in a frame that was captured at the time `at`, if anything is."""
        ...

    def look(self, *, quiet: bool, late_since: float | None = None, learns: bool = False) -> None:
        """Notices what follows from the time alone.

        Args:
            learns: whether the trigger finds nothing yet, as it learns what there is without items.
            quiet: whether no item waits for a moment: for the end of its vote, or for its code.
            late_since: since when all frames have been too old to be acted on; None: they are not.
        """
        ...


class AlwaysSorts:
    """The state of what only sorts."""

    sorts = True
    next_at = None

    def seen(self, at: float, observations: Sequence[Observation]) -> None:
        """See SortingState."""

    def look(self, *, quiet: bool, late_since: float | None = None, learns: bool = False) -> None:
        """See SortingState."""


ALWAYS_SORTS = AlwaysSorts()
