"""Opens the model and the sorter of a station, as its station file describes them."""

from __future__ import annotations

from collections.abc import Callable

from edge.config.reading import StationPlan
from edge.runtime.clock import Clock
from edge.sorting.dispatch import destinations
from edge.sorting.model import open_model
from edge.sorting.sorter import Sharpness, Sorter, VoteDeadlines

_VERDICT_SECONDS = 0.02
"""The time for a verdict besides the inference: to wake the thread, to vote and to dispatch it."""


def open_sorter(
    plan: StationPlan,
    *,
    clock: Clock,
    beat: Callable[[], None],
    sharpness: Sharpness | None = None,
) -> Sorter:
    """A sorter with the trigger and the model of the station, in whose view no item is.

    Args:
        clock, beat, sharpness: as of Sorter.

    Raises:
        BundleError: the model is not as its bundle describes it, or does not reproduce its golden
            picture.
    """
    delays = [lane.delay_seconds for lane in destinations(plan).values() if lane.moves]
    return Sorter(
        plan.config.trigger.open(),
        open_model(plan),
        closing=VoteDeadlines(
            deadline_seconds=plan.config.decision.deadline_seconds,
            shortest_delay_seconds=min(filter(None, delays), default=None),
            margin_seconds=_VERDICT_SECONDS,
        ),
        clock=clock.now,
        beat=beat,
        sharpness=sharpness,
    )
