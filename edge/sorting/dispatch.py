"""From a verdict to its consequences: the lane's move, the ledger's row, the tally's count."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from edge.config.reading import StationPlan
from edge.core.errors import LabelLaneError
from edge.core.verdict import Verdict, unreadable
from edge.events import ActuationEnded, EventSink, ItemSorted, Stamp, Stamps, utc_text
from edge.flow import EMPTY, Actuated, ItemKey, Sighting, UnreadableFrame
from edge.lanes.lanes import Lanes
from edge.runtime.clock import Clock
from edge.sorting.model import ActiveModel
from edge.sorting.routing import Destination, Routing, route
from edge.sorting.sorter import Outcome
from edge.sorting.tally import Tally


def destinations(plan: StationPlan) -> dict[str, Destination]:
    """The destinations that the station's lanes are, by the name of the lane."""
    return {
        name: Destination(name, lane.actuator is not None, plan.config.delay_seconds(lane))
        for name, lane in plan.config.lanes.items()
    }


class _Moments(NamedTuple):
    """The times of one item."""

    captured: float
    """Seconds on the monotonic clock."""
    due: float | None
    """When the actuator is to move, in seconds since 1970; None if none is to move."""
    latency_ms: float


class PictureUses(NamedTuple):
    """What is done with the picture of an item; neither waits."""

    keep: Callable[[Verdict, Sighting, ItemKey], str | None] = lambda verdict, sighting, key: None
    """Has a photograph of the item kept, and returns its file for the item's row; None: none is
    kept. The sighting is the item in the frame that shows it best."""
    sent: Callable[[Outcome, ItemKey], None] = lambda outcome, key: None
    """Is shown the outcome just after its item was sent."""


NO_USES = PictureUses()


class Dispatch:
    """Carries out verdicts: plans the lane's move and offers the row, and never waits for either.

    Only the sorting thread may call its methods, except `note`.
    """

    def __init__(
        self,
        plan: StationPlan,
        *,
        lanes: Lanes,
        recorder: EventSink,
        tally: Tally,
        stamps: Stamps,
        clock: Clock,
        pictures: PictureUses = NO_USES,
    ) -> None:
        """Stores its parts; the caller closes `lanes` and `recorder`.

        Args:
            stamps: gives the events that are offered to `recorder` their ids.
            clock: that of the frames' capture times.
            pictures: what is done with the pictures of items.
        """
        self._pictures = pictures
        self._plan, self._lanes, self._recorder, self._tally = plan, lanes, recorder, tally
        self._stamps, self._clock = stamps, clock
        by_name = destinations(plan)
        self._default = by_name[plan.config.default_lane]
        self._destinations = {
            label: by_name[name]
            for name, lane in plan.config.lanes.items()
            for label in lane.labels
        }

    def check_labels(self, model: ActiveModel) -> None:
        """Checks that each label of `model` has a lane; `empty` needs none.

        Raises:
            LabelLaneError: a label has no lane.
        """
        homeless = [x for x in model.rules.labels if x not in self._destinations and x != EMPTY]
        if homeless:
            raise LabelLaneError(
                f"{model.title}: the station has no lane for {', '.join(map(repr, homeless))}: put "
                "each label of the model into the labels of one lane"
            )

    def carry_out(self, outcomes: Iterable[Outcome], *, max_items: int | None = None) -> bool:
        """Carries out the outcomes; returns True after `max_items`, and leaves out the rest."""
        limit = self._plan.config.decision.deadline_seconds
        for outcome in outcomes:
            verdict = outcome.verdict
            if verdict.accepted and verdict.label == EMPTY and EMPTY not in self._destinations:
                self._tally.empty += 1
                continue
            key = self._route(
                verdict,
                captured=outcome.frame.captured,
                passed=outcome.passed,
                deadline=None if limit is None else outcome.first + limit,
                source=outcome.frame.source,
                frames=outcome.frames,
                sighting=outcome.sharpest,
            )
            self._pictures.sent(outcome, key)
            if self._tally.items == max_items:
                return True
        return False

    def carry_out_unreadable(
        self, frame: UnreadableFrame, model: ActiveModel, *, max_items: int | None = None
    ) -> bool:
        """Rejects the item of a picture that could not be decoded; True after `max_items`.

        Args:
            frame: the picture.
            model: the model that would have classified it.
            max_items: the number of items after which the station ends; None: no limit.
        """
        captured = frame.captured
        self._route(
            unreadable(title=model.title, digest=model.digest),
            captured=captured,
            passed=captured,
            deadline=None,
            source=frame.source,
            frames=0,
            sighting=None,
        )
        return self._tally.items == max_items

    def _route(
        self,
        verdict: Verdict,
        *,
        captured: float,
        passed: float,
        deadline: float | None,
        source: str,
        frames: int,
        sighting: Sighting | None,
    ) -> ItemKey:
        """Plans the lane's move and offers the row; which item it is.

        Args:
            captured: when the last classified frame was captured; see `route` for the others.
            sighting: the item in the frame that shows it best; None: its picture is unreadable.
        """
        now = self._clock.now()
        routing = route(
            verdict,
            destinations=self._destinations,
            default=self._default,
            passed=passed,
            now=now,
            deadline=deadline,
        )
        taken = self._clock.wall() - (now - captured)
        stamp = self._stamps.at(taken)
        key = ItemKey(self._tally.items + 1, taken, stamp.id)
        if routing.at is not None:
            self._lanes.actuate(routing.lane, routing.at, key)
        # The times of a video that is read as fast as possible may be in the future.
        latency_ms = 1000 * max(0.0, now - captured)
        self._tally.count(routing, latency_ms)
        due = None if routing.at is None else taken + (routing.at - captured)
        moments = _Moments(captured, due, latency_ms)
        photograph = None
        if sighting is not None:
            photograph = self._pictures.keep(routing.verdict, sighting, key)
        self._recorder.offer(self._item(routing, stamp, moments, source, frames, photograph))
        return key

    def note(self, actuated: Actuated) -> None:
        """Offers the row for the outcome of an actuation; called from the lanes' thread."""
        if actuated.key is None:
            return
        ended = self._clock.wall() - (self._clock.now() - actuated.done)
        self._recorder.offer(
            ActuationEnded(
                *self._stamps.at(actuated.key.taken),
                item=actuated.key.item,
                lane=actuated.lane,
                ended=utc_text(ended),
                missed=None if actuated.missed is None else actuated.missed.value,
                item_id=actuated.key.id,
            )
        )

    def _item(
        self,
        routing: Routing,
        stamp: Stamp,
        moments: _Moments,
        source: str,
        frames: int,
        photograph: str | None,
    ) -> ItemSorted:
        verdict, due = routing.verdict, moments.due
        known = verdict.label != ""
        return ItemSorted(
            *stamp,
            item=self._tally.items,
            source=source,
            label=verdict.label if known else None,
            confidence=verdict.confidence if known else None,
            scores=verdict.scores if known else None,
            accepted=verdict.accepted,
            reject=verdict.reject.value if verdict.reject else None,
            lane=routing.lane,
            bundle=verdict.title,
            bundle_digest=verdict.digest,
            latency_ms=moments.latency_ms,
            frames=frames,
            actuation="missed" if routing.missed else "none" if due is None else "planned",
            due=None if due is None else utc_text(due),
            missed=routing.missed.value if routing.missed else None,
            photograph=photograph,
            monotonic=round(moments.captured, 6),
            boot_id=self._stamps.boot_id,
            clock_synchronised=self._stamps.synchronised(),
        )
