"""The sorting thread: it takes the latest frame, classifies its items, and carries out verdicts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from edge.flow import Actuated, UnreadableFrame
from edge.runtime import heartbeat
from edge.runtime.clock import Clock
from edge.runtime.heartbeat import Heartbeat
from edge.sorting.dispatch import Dispatch
from edge.sorting.sorter import Outcome, Sorter
from edge.vision.latest_frame import LatestFrame
from edge.vision.region import Region, cut
from edge.vision.seen_frames import SeenFrames
from edge.vision.trigger import AnnouncingTrigger, learning


class Watch(NamedTuple):
    """Who is shown what a station does, and must not hold it up."""

    judged: Callable[[Outcome], None] = lambda outcome: None
    """Is shown each item's outcome before the dispatch is, by the sorting thread."""
    actuated: Callable[[Actuated], None] = lambda ended: None
    """Is shown what became of each actuation, by the lanes' thread."""

    def before(self, note: Callable[[Actuated], None]) -> Callable[[Actuated], None]:
        """Tells `actuated`, and then `note`."""

        def report(ended: Actuated) -> None:
            self.actuated(ended)
            note(ended)

        return report


UNWATCHED = Watch()


class SortingLoop:
    """Gives each frame to the sorter, and each verdict to the dispatch.

    Attributes:
        seen: is given each frame that was looked at, for other threads to show.
    """

    def __init__(
        self,
        latest: LatestFrame,
        sorter: Sorter,
        dispatch: Dispatch,
        *,
        region: Region | None,
        heart: Heartbeat,
        clock: Clock,
        judged: Callable[[Outcome], None] = lambda outcome: None,
    ) -> None:
        """Takes no frame yet.

        Args:
            region: the part of each frame that is looked at; None: all of it.
            heart: is given the thread's signs of life.
            clock: that of the frames' capture times.
            judged: as of Watch.
        """
        self._latest, self._sorter, self._dispatch = latest, sorter, dispatch
        self._region, self._heart, self._clock = region, heart, clock
        self._judged = judged
        self._learning = learning(sorter.trigger)
        self._announcing = sorter.trigger if isinstance(sorter.trigger, AnnouncingTrigger) else None
        self.seen = SeenFrames()

    def run(self, max_items: int | None = None) -> None:
        """Sorts until no more frames come or `max_items` have passed; None: no limit.

        Raises:
            RegionError: the region does not fit the camera's picture.
        """
        with self._heart.working():
            for frame in self._latest.frames(self._patience):
                self._heart.beat()
                self._sorter.state.look(
                    quiet=self._next_moment is None,
                    late_since=self._latest.late_since,
                    learns=self.learns,
                )
                if isinstance(frame, UnreadableFrame):
                    done = self._dispatch.carry_out_unreadable(
                        frame, self._sorter.model, max_items=max_items
                    )
                else:
                    outcomes = (
                        self._sorter.close_due()
                        if frame is None
                        else self._sorter.look(cut(frame, self._region))
                    )
                    done = self._dispatch.carry_out(self._shown(outcomes), max_items=max_items)
                    if frame is not None:
                        self.seen.put(frame, self._sorter.in_view)
                self._dispatch.correct(self._sorter.passing)
                if done or self._reject_unseen(max_items):
                    break
            else:
                self._dispatch.carry_out(self._shown(self._sorter.end()), max_items=max_items)
            while (due := self._dispatch.next_due) is not None:
                self._heart.beat()
                left = max(0.0, due - self._clock.now())
                self._latest.wait_until_woken(min(left, heartbeat.BEAT_SECONDS))
                self._dispatch.send_due()

    @property
    def learns(self) -> bool:
        """Whether the trigger finds nothing yet, as it learns what there is without items."""
        return self._learning is not None and not self._learning.ready

    def _reject_unseen(self, max_items: int | None) -> bool:
        """Rejects the items that were announced and of which there is no picture; True after
        `max_items`, and the rest is left out."""
        if self._announcing is None:
            return False
        for at in self._announcing.unseen(self._clock.now(), oldest=self._latest.oldest):
            unseen = UnreadableFrame(at, 0, "", "there is no picture of it")
            model = self._sorter.model
            if self._dispatch.carry_out_unreadable(unseen, model, max_items=max_items):
                return True
        return False

    def _shown(self, outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
        for outcome in outcomes:
            self._judged(outcome)
            yield outcome

    def _patience(self) -> float:
        """How long to wait for a frame before an open vote must be closed without one, an item sent
        without its code, or the station's state looked at."""
        moments = (self._next_moment, self._sorter.state.next_at)
        first = min((moment for moment in moments if moment is not None), default=math.inf)
        return min(max(0.0, first - self._clock.now()), heartbeat.BEAT_SECONDS)

    @property
    def _next_moment(self) -> float | None:
        """When a vote must be closed, or an item sent; None: none waits for a moment."""
        moments = (self._sorter.next_closing, self._dispatch.next_due)
        return min((moment for moment in moments if moment is not None), default=None)
