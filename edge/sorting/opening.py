"""Opens what sorting stands on, as the station file describes it: the model, the sorter, and what
is done with the pictures of items."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from edge.config.reading import StationPlan
from edge.core.images.preprocess import InputSpec
from edge.events import Stamps
from edge.receiving.station import Receiving
from edge.runtime.clock import SYSTEM_CLOCK, Clock
from edge.sorting.dispatch import destinations
from edge.sorting.openers import Openers
from edge.sorting.picture_uses import PictureUses
from edge.sorting.sorter import Sorter
from edge.sorting.sorting_state import ALWAYS_SORTS, SortingState
from edge.sorting.vote_deadlines import VoteDeadlines
from edge.vision.sharpness import sharpness
from edge.vision.trigger import TriggerSurroundings
from edge.vision.trigger.beside import beside

if TYPE_CHECKING:
    from edge.lanes.belt_travel import BeltTravel

_VERDICT_SECONDS = 0.02
"""The time for a verdict besides the inference: to wake the thread, to vote and to dispatch it."""


def open_sorter(
    plan: StationPlan,
    openers: Openers,
    clock: Clock,
    beat: Callable[[], None],
    *,
    parts: ExitStack,
    state: SortingState = ALWAYS_SORTS,
    travel: BeltTravel | None = None,
) -> Sorter:
    """A sorter with the trigger of the station, in whose view no item is.

    Args:
        openers: open the model, and the pins of a trigger that has some.
        clock, beat, state: as of Sorter.
        parts: closes what the trigger opens.
        travel: the way of the belt; None: it has no encoder.

    Raises:
        BundleError: the model differs from its bundle, or gives other scores than it recorded.
        PinError, TriggerError: what tells of items cannot be used.
    """
    trigger = plan.config.trigger.open(TriggerSurroundings(openers.pins, clock, parts))
    if clock is SYSTEM_CLOCK:  # on simulated time nothing is gained, and runs must be repeatable
        trigger = beside(trigger, parts)
    looks_again = plan.config.codes is not None or plan.config.photographs is not None
    moving = [lane for lane in destinations(plan).values() if lane.moves]
    by_way = [] if travel is None else [lane for lane in moving if lane.distance_metres is not None]
    delays = [lane.delay_seconds for lane in moving if lane not in by_way]
    return Sorter(
        trigger,
        openers.model(plan),
        closing=VoteDeadlines(
            deadline_seconds=plan.config.decision.deadline_seconds,
            shortest_delay_seconds=min(filter(None, delays), default=None),
            margin_seconds=_VERDICT_SECONDS,
            min_gap_seconds=plan.config.decision.min_gap_seconds,
            alone=plan.config.bin is not None,
            travel=travel,
            shortest_metres=min((lane.distance_metres or 0.0 for lane in by_way), default=None),
        ),
        clock=clock.now,
        beat=beat,
        sharpness=sharpness if looks_again else None,
        state=state,
    )


def open_picture_uses(
    plan: StationPlan,
    *,
    receiving: Receiving,
    stamps: Stamps,
    clock: Clock,
    parts: ExitStack,
    patience: Callable[[], float],
    spec: Callable[[], InputSpec],
) -> PictureUses:
    """What the station file has done with the pictures of items.

    Args:
        receiving: looks for codes in them, and may find later that an item is another thing.
        stamps: knows whether the time of day is right.
        parts: closes what is opened.
        patience: how many seconds the writing of the last photographs may take, asked at the end.
        spec: which part of a picture the model uses now.

    Raises:
        FileLockedError: another running station keeps its photographs in the same folder.
    """
    if plan.config.photographs is None:
        return PictureUses(codes=receiving)
    from edge.samples.photographs import open_photographs  # which no other station needs

    photographs = open_photographs(
        plan,
        spec=spec,
        clock=clock,
        time_is_right=stamps.synchronised,
        is_undecided=lambda: receiving.may_stop_later,
    )
    receiving.find_photographs(photographs.keep_after_all)
    parts.callback(lambda: photographs.close(seconds=patience()))
    return PictureUses(keep=photographs.keep, codes=receiving)
