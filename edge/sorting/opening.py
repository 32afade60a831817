"""The model and the sorter of a station, as its file asks for them."""

from __future__ import annotations

from collections.abc import Callable

from edge.config.reading import StationPlan
from edge.runtime.clock import Clock
from edge.sorting.dispatch import destinations
from edge.sorting.model import open_model
from edge.sorting.sorter import Closing, Sharpness, Sorter

_VERDICT_SECONDS = 0.02
"""What a verdict takes besides the inference: a wake-up of the thread, the vote, the hand-over."""


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
        BundleError: the model is not what its bundle says, or does not reproduce.
    """
    delays = [lane.delay_seconds for lane in destinations(plan).values() if lane.moves]
    return Sorter(
        plan.config.trigger.open(),
        open_model(plan),
        closing=Closing(
            deadline_seconds=plan.config.decision.deadline_seconds,
            shortest_delay_seconds=min(filter(None, delays), default=None),
            margin_seconds=_VERDICT_SECONDS,
        ),
        clock=clock.now,
        beat=beat,
        sharpness=sharpness,
    )
