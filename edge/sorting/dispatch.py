"""From a verdict to its consequences: the lane's move, the ledger's row, the tally's count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from edge.config.reading import StationPlan
from edge.core.errors import LabelLaneError
from edge.core.verdict import RejectReason, Verdict, unreadable
from edge.events import ActuationEnded, EventSink, ItemSorted, Stamp, Stamps, utc_text
from edge.flow import (
    EMPTY,
    NO_CODE,
    Actuated,
    CodeFound,
    Frame,
    ItemInFrame,
    ItemKey,
    Missed,
    UnreadableFrame,
)
from edge.lanes.lanes import Lanes
from edge.runtime.clock import Clock
from edge.sorting.model import ActiveModel
from edge.sorting.picture_uses import CodeLook, PictureUses
from edge.sorting.routing import Destination, Routing, route
from edge.sorting.sorter import Outcome
from edge.sorting.tally import Tally


def destinations(plan: StationPlan) -> dict[str, Destination]:
    """The destinations that the station's lanes are, by the name of the lane."""
    return {
        name: Destination(
            name,
            lane.actuator is not None,
            plan.config.delay_seconds(lane),
            lane.distance_metres,
        )
        for name, lane in plan.config.lanes.items()
    }


@dataclass(frozen=True, slots=True, eq=False)
class _Item:
    """An item with its verdict."""

    verdict: Verdict
    key: ItemKey
    stamp: Stamp
    captured: float
    """When its last classified frame was captured, in seconds on the monotonic clock."""
    decided: float
    """When it got its verdict, on the same clock."""
    passed: float
    """When the item passed, as `route` takes it; the next field likewise."""
    deadline: float | None
    source: str
    frames: int
    sharpest: ItemInFrame | None
    """The item in the frame that shows it best; None: its picture is unreadable."""
    seen_as: int | None
    """The number that its trigger gave it; None: its picture is unreadable."""


class _Held(NamedTuple):
    """An item that waits for its code, or for the other items of its frame."""

    item: _Item
    look: CodeLook | None
    """None if its picture is not searched for codes before it is sent."""
    until: float
    """When it goes without, in seconds on the monotonic clock."""


class _Planned(NamedTuple):
    """The move that is planned for an item, at a set time after it passes."""

    key: ItemKey
    lane: Destination
    passed: float
    """When the item passes, as it was known when the move was planned."""


class Dispatch:
    """Carries out verdicts: plans the lane's move and offers the row, and never waits for either.

    While codes matter, an item may be held until its code is known: `send_due` sends it then. Only
    the sorting thread may call its methods, except `note`.
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
        pictures: PictureUses,
    ) -> None:
        """Stores its parts; the caller closes `lanes` and `recorder`.

        Args:
            stamps: gives the events that are offered to `recorder` their ids.
            clock: that of the frames' capture times.
            pictures: what is done with the pictures of items.
        """
        self._pictures, self._codes = pictures, pictures.codes
        self._plan, self._lanes, self._recorder, self._tally = plan, lanes, recorder, tally
        self._stamps, self._clock = stamps, clock
        self._items = 0
        self._held: list[_Held] = []
        self._planned: dict[int, _Planned] = {}
        """By the number that an item has from its trigger, while it is in view."""
        by_name = destinations(plan)
        self._default = by_name[plan.config.default_lane]
        receiving = plan.config.receiving
        mismatch = None if receiving is None else receiving.mismatch_lane
        self._mismatch = self._default if mismatch is None else by_name[mismatch]
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

    @property
    def next_due(self) -> float | None:
        """When the next item goes without its code, on the monotonic clock; None: none is held."""
        return min((held.until for held in self._held), default=None)

    def carry_out(self, outcomes: Iterable[Outcome], *, max_items: int | None = None) -> bool:
        """Carries out the outcomes; returns True after `max_items`, and leaves out the rest."""
        limit = self._plan.config.decision.deadline_seconds
        for outcome in outcomes:
            verdict = outcome.verdict
            if verdict.accepted and verdict.label == EMPTY and EMPTY not in self._destinations:
                self._tally.empty += 1
                continue
            item = self._numbered(
                verdict,
                outcome.frame,
                passed=outcome.passed,
                deadline=None if limit is None else outcome.first + limit,
                frames=outcome.frames,
                sharpest=outcome.sharpest,
                seen_as=outcome.item,
            )
            self._codes.expect(item.key, outcome.sharpest.frame, alone=outcome.alone)
            wait = self._codes.wait_seconds
            look = self._codes.look(item.key, *outcome.sharpest) if wait else None
            if look is not None or self._codes.scan_waits:
                until = item.decided + wait
                if outcome.closes is not None:
                    until = min(until, outcome.closes)
                self._held.append(_Held(item, look, until))
            else:
                self._send(item)
            if not wait:
                self._codes.look(item.key, *outcome.sharpest)
            if self._items == max_items:
                break
        self.send_due()
        return self._items == max_items

    def carry_out_unreadable(
        self, frame: UnreadableFrame, model: ActiveModel, *, max_items: int | None = None
    ) -> bool:
        """Rejects the item of a picture that could not be decoded; True after `max_items`.

        Args:
            frame: the picture; that of a live camera stands for an item of which there is none.
            model: the model that would have classified it.
            max_items: the number of items after which the station ends; None: no limit.
        """
        reason = RejectReason.UNREADABLE if frame.source else RejectReason.BAD_PICTURE
        item = self._numbered(
            unreadable(title=model.title, digest=model.digest, reason=reason),
            frame,
            passed=frame.captured,
            deadline=None,
            frames=0,
            sharpest=None,
            seen_as=None,
        )
        self._send(item)
        self.send_due()
        return self._items == max_items

    def correct(self, passing: Mapping[int, float]) -> None:
        """Moves what is planned for items that are still in view to when they really pass.

        Args:
            passing: when they pass, by the numbers that they have from the trigger.
        """
        for index, held in enumerate(self._held):
            item, number = held.item, held.item.seen_as
            if number is not None and number in passing:
                self._held[index] = held._replace(item=replace(item, passed=passing[number]))
        for number, planned in list(self._planned.items()):
            if number not in passing:
                del self._planned[number]
            elif (passed := passing[number]) != planned.passed:
                self._planned[number] = planned._replace(passed=passed)
                lane, way = planned.lane, self._lanes.travel
                if way is not None:
                    lane = lane.on_belt(way, passed=passed, now=self._clock.now())
                assert lane.delay_seconds is not None
                at = passed + lane.delay_seconds
                self._lanes.replan(planned.key, at, metres=lane.metres)

    def send_due(self) -> None:
        """Sends the items that were held and whose code is known, or whose time is up."""
        left = []
        for held in self._held:
            found = NO_CODE if held.look is None else held.look.found
            if found is None and self._clock.now() < held.until:
                left.append(held)
            else:
                self._send(held.item, found or NO_CODE)
        self._held = left

    def _numbered(
        self,
        verdict: Verdict,
        frame: Frame | UnreadableFrame,
        *,
        passed: float,
        deadline: float | None,
        frames: int,
        sharpest: ItemInFrame | None,
        seen_as: int | None,
    ) -> _Item:
        """An item that gets its number now; see _Item."""
        now, captured, source = self._clock.now(), frame.captured, frame.source
        taken = self._clock.wall() - (now - captured)
        stamp = self._stamps.at(taken)
        self._items += 1
        key = ItemKey(self._items, taken, stamp.id)
        return _Item(
            verdict, key, stamp, captured, now, passed, deadline, source, frames, sharpest, seen_as
        )

    def _send(self, item: _Item, code: CodeFound = NO_CODE) -> None:
        """Plans the lane's move and offers the row.

        Args:
            code: what was read in the item's picture.
        """
        verdict, default = item.verdict, self._default
        if code == NO_CODE:
            code = self._codes.scanned(item.key)
        # A picture of goods that the model does not know cannot tell.
        if verdict.accepted and code.expected != verdict.label and code.expected in verdict.scores:
            verdict = replace(verdict, reject=RejectReason.CONTRADICTED)
            default = self._mismatch
        stands = self._lanes.held  # one read: another thread may change it in between
        if verdict.accepted and (stands or self._lane_of(verdict) in self._lanes.full):
            reason = RejectReason.NOT_SORTING if stands else RejectReason.BIN_FULL
            verdict = replace(verdict, reject=reason)
        now, destinations = self._clock.now(), self._destinations
        if (way := self._lanes.travel) is not None:
            default = default.on_belt(way, passed=item.passed, now=now)
            destinations = {
                label: lane.on_belt(way, passed=item.passed, now=now)
                for label, lane in destinations.items()
            }
        routing = route(
            verdict,
            destinations=destinations,
            default=default,
            passed=item.passed,
            now=now,
            deadline=item.deadline,
        )
        if stands and routing.at is not None:
            routing = replace(routing, at=None, missed=Missed.HELD)
        captured = item.captured
        if routing.at is not None:
            self._lanes.actuate(routing.lane, routing.at, item.key, metres=routing.metres)
            target = destinations[verdict.label] if routing.verdict.accepted else default
            if target.delay_seconds is not None and item.seen_as is not None:
                self._planned[item.seen_as] = _Planned(item.key, target, item.passed)
        # The times of a video that is read as fast as possible may be in the future.
        latency_ms = 1000 * max(0.0, item.decided - captured)
        self._tally.count(routing, latency_ms)
        due = None if routing.at is None else item.key.taken + (routing.at - captured)
        photograph = None
        if item.sharpest is not None:
            photograph = self._pictures.keep(routing.verdict, item.sharpest, item.key)
        self._recorder.offer(self._row(item, routing, code, due, latency_ms, photograph))

    def _lane_of(self, verdict: Verdict) -> str:
        return self._destinations[verdict.label].lane

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

    def _row(
        self,
        item: _Item,
        routing: Routing,
        code: CodeFound,
        due: float | None,
        latency_ms: float,
        photograph: str | None,
    ) -> ItemSorted:
        """The item's row.

        Args:
            due: when the actuator is to move, in seconds since 1970; None if none is to move.
        """
        verdict = routing.verdict
        known = verdict.label != ""
        shown = None if item.sharpest is None else item.sharpest.frame.exposure
        return ItemSorted(
            *item.stamp,
            item=item.key.item,
            source=item.source,
            label=verdict.label if known else None,
            confidence=verdict.confidence if known else None,
            scores=verdict.scores if known else None,
            accepted=verdict.accepted,
            reject=verdict.reject.value if verdict.reject else None,
            lane=routing.lane,
            bundle=verdict.title,
            bundle_digest=verdict.digest,
            latency_ms=latency_ms,
            frames=item.frames,
            actuation="missed" if routing.missed else "none" if due is None else "planned",
            due=None if due is None else utc_text(due),
            missed=routing.missed.value if routing.missed else None,
            barcode=code.barcode,
            quantity=code.quantity,
            photograph=photograph,
            monotonic=round(item.captured, 6),
            boot_id=self._stamps.boot_id,
            clock_synchronised=self._stamps.synchronised(),
            exposure_microseconds=None if shown is None else shown.microseconds,
            gain=None if shown is None else shown.gain,
            white_balance=None if shown is None else shown.white_balance,
        )
