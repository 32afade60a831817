"""The schedule of the lanes: planned actuations, their ends, and the longest on-time. Pure."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from edge.flow import Actuated, ItemKey, Missed

if TYPE_CHECKING:
    from edge.lanes.belt_travel import BeltTravel


LONGEST_BY_HAND = 60.0
"""The most seconds for which an actuator without a longest on-time is active by hand."""


@dataclass(frozen=True, slots=True)
class Timing:
    """The on-times of a lane's actuator."""

    hold_seconds: float
    """On-time for one item; items that follow each other closely prolong it."""
    max_on_seconds: float | None = None
    """The longest on-time without a pause; None if there is no limit."""
    cool_seconds: float = 0.0
    """The pause that the actuator needs after the longest on-time; a shorter on-time needs a
    proportionally shorter pause."""
    release_seconds: float | None = None
    """The time after a move at which the holding signal ends; None if the actuator stays held."""
    held_active: bool = False
    """Whether the signal ends after the return to rest only: a push must be held until then."""
    group: str | None = None
    """The lanes of one group share a mover: an actuation that is due while another one of the group
    lasts begins when that one ends. None: it moves whatever others do."""


class LaneAction(Enum):
    """An action of a lane's actuator; see the methods of `Actuator`."""

    ACTIVATE = "activate"
    REST = "rest"
    RELEASE = "release"


class _Diverting(NamedTuple):
    """A move for an item that has begun."""

    passes: float
    """When the item has come by, for which the actuator moved: in the middle of its on-time."""
    actuated: Actuated


@dataclass(slots=True)
class _Lane:
    timing: Timing
    on_since: float | None = None
    off_at: float = 0.0
    release_at: float | None = None
    heat: float = 0.0
    """Seconds of on-time that no pause had made up for when the actuator was last switched."""
    by_hand: bool = False
    """Whether it was switched on by hand the last time."""
    diverting: list[_Diverting] = field(default_factory=list)
    """The items for which it moved, and which may not have come by yet."""

    def passed(self, now: float) -> list[Actuated]:
        """What became of the moves whose items have come by, in order."""
        passed = [one.actuated for one in self.diverting if one.passes <= now]
        self.diverting = [one for one in self.diverting if one.passes > now]
        return passed

    def left(self, now: float, missed: Missed) -> list[Actuated]:
        """What became of the moves that end now, for the reason `missed`."""
        ended = self.passed(now)
        ended += [one.actuated._replace(done=now, missed=missed) for one in self.diverting]
        self.diverting = []
        return ended

    def activate(self, now: float, seconds: float) -> bool:
        """Switches it on, if it may stay on for so many seconds; returns whether it is on."""
        heat = self._heat_at(now)
        if not self._stands(heat, seconds):
            return False
        self.heat, self.on_since = heat, now
        self.moves(now)
        return True

    def stands(self, now: float, seconds: float) -> bool:
        """Whether it may stay on for so many seconds from now."""
        on = 0.0 if self.on_since is None else now - self.on_since
        return self._stands(self._heat_at(now) + on, seconds)

    def _stands(self, heat: float, seconds: float) -> bool:
        longest = self.timing.max_on_seconds
        # A time that is short by a rounding error is enough.
        return longest is None or longest - heat >= seconds - 1e-9

    def _heat_at(self, now: float) -> float:
        longest, cool = self.timing.max_on_seconds, self.timing.cool_seconds
        if longest is None or self.on_since is not None:
            return self.heat
        return max(0.0, self.heat - (now - self.off_at) * longest / cool) if cool else 0.0

    def prolong(self, now: float, seconds: float) -> None:
        """Keeps it on for so many seconds from now, at most until the longest on-time is over."""
        longest = self.timing.max_on_seconds
        if longest is None and self.by_hand:
            longest = LONGEST_BY_HAND
        self.off_at = max(self.off_at, now + seconds)
        if longest is not None and self.on_since is not None:
            self.off_at = min(self.off_at, self.on_since + longest - self.heat)

    def moves(self, now: float) -> None:
        held = self.timing.held_active and self.on_since is not None
        wait = None if held else self.timing.release_seconds
        self.release_at = None if wait is None else now + wait


class _Due(NamedTuple):
    """An actuation that has its time."""

    at: float
    number: int
    lane: str
    key: ItemKey | None
    by_hand: float | None = None
    """Seconds for which somebody wants it active; None: it is for an item or a signal."""


_MOST_ON_BELT = 1000
"""So many items may be between the camera and the lanes."""


class _OnBelt(NamedTuple):
    """An actuation that waits for the belt, and not for a time."""

    metres: float
    at: float
    lane: str
    key: ItemKey | None


@dataclass(slots=True)
class Schedule:
    """The planned actuations of all lanes; times are seconds on the caller's clock.

    Attributes:
        timings: the on-times of each lane's actuator, by the lane's name.
        missed: the number of actuations that were left out, by reason.
    """

    timings: Mapping[str, Timing]
    missed: Counter[Missed] = field(default_factory=Counter)
    _due: list[_Due] = field(default_factory=list)
    _on_belt: list[_OnBelt] = field(default_factory=list)
    _ended: list[Actuated] = field(default_factory=list)
    _begun: list[str] = field(default_factory=list)
    _added: int = 0
    _lanes: dict[str, _Lane] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._lanes = {name: _Lane(timing) for name, timing in self.timings.items()}

    def add(
        self, lane: str, at: float, key: ItemKey | None = None, *, metres: float | None = None
    ) -> None:
        """Plans an actuation of `lane` for the item `key`.

        Args:
            at: when.
            metres: instead of that: where the belt must be; `at` is an estimate. None: there is no
                such place.
        """
        if metres is None:
            self._plan(_Due(at, 0, lane, key))
        else:
            self._on_belt.append(_OnBelt(metres, at, lane, key))
            if len(self._on_belt) > _MOST_ON_BELT:  # its encoder is dead
                lost = self._on_belt.pop(0)
                self._end(Actuated(lost.lane, lost.key, lost.at, at, Missed.OVERDUE))

    def replan(self, key: ItemKey, at: float, *, metres: float | None = None) -> bool:
        """Changes when the actuation for the item `key` is due; returns whether it was planned.

        Args:
            at, metres: as of `add`.
        """
        lanes = [due.lane for due in self._due if due.key == key]
        lanes += [one.lane for one in self._on_belt if one.key == key]
        if not lanes:
            return False
        self._due = [due for due in self._due if due.key != key]
        heapq.heapify(self._due)
        self._on_belt = [one for one in self._on_belt if one.key != key]
        self.add(lanes[0], at, key, metres=metres)
        return True

    def add_by_hand(self, lane: str, at: float, seconds: float) -> None:
        """Plans that `lane` is active for so many seconds, because somebody wants to see it."""
        self._plan(_Due(at, 0, lane, None, seconds))

    def stands(self, lane: str, now: float, seconds: float) -> bool:
        """Whether the actuator of `lane` may stay active for so many seconds from now."""
        return self._lanes[lane].stands(now, seconds)

    def _plan(self, due: _Due) -> None:
        self._added += 1
        heapq.heappush(self._due, due._replace(number=self._added))

    def reach(self, belt: BeltTravel, now: float) -> None:
        """Gives those actuations their time whose place the belt has reached or is about to."""
        left = []
        for one in self._on_belt:
            at = belt.time_of(one.metres, now)
            if at is None:
                left.append(one)
            else:
                self.add(one.lane, at, one.key)
        self._on_belt = left

    def begin(self, now: float) -> list[tuple[str, LaneAction]]:
        """The actions before the first actuation: every actuator goes to rest."""
        for lane in self._lanes.values():
            lane.moves(now)
        return [(name, LaneAction.REST) for name in self._lanes]

    def retime(self, lane: str, timing: Timing) -> None:
        """Changes the on-times of `lane`, from its next actuation on."""
        self._lanes[lane].timing = timing

    def miss_due(self, now: float, missed: Missed) -> None:
        """Leaves out the actuations that are due at the time `now`, for the reason `missed`; not
        those by hand."""
        by_hand = []
        while self._due and self._due[0].at <= now:
            due = heapq.heappop(self._due)
            if due.by_hand is not None:
                by_hand.append(due)
            else:
                self._end(Actuated(due.lane, due.key, due.at, now, missed))
        for due in by_hand:
            heapq.heappush(self._due, due)

    def cancel_all(self, now: float) -> None:
        """Leaves out all planned actuations, because nothing moves any more."""
        for lane in self._lanes.values():
            self._end(*lane.left(now, Missed.CUT_SHORT))
        self._cancel(now, Missed.STOPPED, by_hand=False)

    def fail(self, lane: str, now: float) -> None:
        """The pin of `lane` could not be written: it has not moved now."""
        self._ended = [
            one._replace(missed=Missed.FAULT)
            if (one.lane, one.done, one.missed) == (lane, now, None)
            else one
            for one in self._ended
        ]
        self._end(*self._lanes[lane].left(now, Missed.FAULT))

    def hold(self, now: float, *, by_hand: bool = False) -> None:
        """Leaves out all planned actuations; what is active goes to rest with the next action.

        Args:
            by_hand: whether what somebody moves by hand goes on.
        """
        for lane in self._lanes.values():
            if lane.on_since is not None and not (by_hand and lane.by_hand):
                lane.off_at = min(lane.off_at, now)
                self._end(*lane.left(now, Missed.CUT_SHORT))
        self._cancel(now, Missed.HELD, by_hand=by_hand)

    def _cancel(self, now: float, missed: Missed, *, by_hand: bool) -> None:
        for one in self._on_belt:
            self.add(one.lane, one.at, one.key)
        self._on_belt.clear()
        kept = [due for due in self._due if by_hand and due.by_hand is not None]
        gone = [due for due in self._due if due not in kept]
        for due in sorted(gone, key=lambda due: due[:2]):
            if due.by_hand is None:
                self._end(Actuated(due.lane, due.key, due.at, now, missed))
        heapq.heapify(kept)
        self._due = kept

    def take_ended(self) -> list[Actuated]:
        """The outcomes of the actuations that ended since the last call, in order. One for an item
        ends when the item has come by, or with the next action after that."""
        ended, self._ended = self._ended, []
        return ended

    def take_begun(self) -> list[str]:
        """The lanes that moved for an item since the last call, in order."""
        begun, self._begun = self._begun, []
        return begun

    @property
    def has_ended(self) -> bool:
        """Whether `take_ended` would give any."""
        return bool(self._ended)

    @property
    def idle(self) -> bool:
        """Whether nothing is planned and everything is at rest."""
        return self.idle_but_belt and not self._on_belt

    @property
    def idle_but_belt(self) -> bool:
        """Whether nothing has a moment, and everything is at rest."""
        return not self._due and all(lane.on_since is None for lane in self._lanes.values())

    @property
    def on_belt(self) -> int:
        """How many actuations wait for the belt."""
        return len(self._on_belt)

    @property
    def next_at(self) -> float | None:
        """When the next action is due; None if there is none unless more is planned."""
        ends = [lane.off_at for lane in self._lanes.values() if lane.on_since is not None]
        releases = [lane.release_at for lane in self._lanes.values() if lane.release_at is not None]
        return min([*ends, *releases, *(due.at for due in self._due[:1])], default=None)

    def take_due(self, now: float) -> list[tuple[str, LaneAction]]:
        """The actions due at the time `now`, in order; the caller carries them out at once."""
        changes: list[tuple[str, LaneAction]] = []
        for lane in self._lanes.values():
            self._end(*lane.passed(now))
        while self._due and self._due[0].at <= now:
            due = heapq.heappop(self._due)
            at, name, key, lane = due.at, due.lane, due.key, self._lanes[due.lane]
            seconds = lane.timing.hold_seconds if due.by_hand is None else due.by_hand
            changes.extend(self._ended_in_group(lane, now))
            if (free := self._free_at(lane)) is not None:
                self._plan(due._replace(at=free))
                continue
            if due.by_hand is None and now > at + seconds:
                self._end(Actuated(name, key, at, now, Missed.OVERDUE))
                continue
            # The longest on-time may have ended since the last call.
            changes.extend(self._switched_off(name, now))
            if lane.on_since is None:
                if not lane.activate(now, seconds):
                    if due.by_hand is None:
                        self._end(Actuated(name, key, at, now, Missed.COOLING))
                    continue
                changes.append((name, LaneAction.ACTIVATE))
            elif due.by_hand is None and not lane.stands(now, seconds):
                self._end(Actuated(name, key, at, now, Missed.COOLING))  # it goes off too soon
                continue
            if key is None:
                self._end(Actuated(name, key, at, now))
            else:
                self._begun.append(name)
                moved = Actuated(name, key, at, now)
                lane.diverting.append(_Diverting(now + seconds / 2, moved))
            lane.by_hand = due.by_hand is not None
            # A full hold time, even if this call is a little late: a flap needs its time.
            lane.prolong(now, seconds)
        for name, lane in self._lanes.items():
            changes.extend(self._switched_off(name, now))
            if lane.release_at is not None and lane.release_at <= now:
                lane.release_at = None
                changes.append((name, LaneAction.RELEASE))
        return changes

    def _ended_in_group(self, lane: _Lane, now: float) -> list[tuple[str, LaneAction]]:
        """The ends of the actuations that last no longer, of the lanes that share its mover."""
        group = lane.timing.group
        if group is None:
            return []
        shared = [name for name, one in self._lanes.items() if one.timing.group == group]
        return [change for name in shared for change in self._switched_off(name, now)]

    def _free_at(self, lane: _Lane) -> float | None:
        """When the mover that it shares is free; None: it is."""
        group = lane.timing.group
        if group is None:
            return None
        sharing = (one for one in self._lanes.values() if one.timing.group == group)
        return max((one.off_at for one in sharing if one.on_since is not None), default=None)

    def _end(self, *ended: Actuated) -> None:
        self.missed.update(one.missed for one in ended if one.missed is not None)
        self._ended.extend(ended)

    def _switched_off(self, name: str, now: float) -> list[tuple[str, LaneAction]]:
        lane = self._lanes[name]
        if lane.on_since is None or now < lane.off_at:
            return []
        self._end(*lane.passed(now))
        lane.heat += now - lane.on_since
        lane.on_since, lane.off_at = None, now
        lane.moves(now)
        return [(name, LaneAction.REST)]
