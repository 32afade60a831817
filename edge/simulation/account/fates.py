"""What became of each item: its verdicts, the lane that it fell into, and how exactly. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from edge.core.images.image_file import Image
from edge.events import ItemSorted
from edge.flow import Actuated
from edge.simulation.account.passage import Flap, Interval, lane_of
from edge.simulation.world import TrueItem

END = "past all lanes"
"""Where items fall that no lane takes, if every lane has an actuator."""


@dataclass(frozen=True, slots=True)
class LanePlace:
    """A lane, as far as the account needs it."""

    name: str
    labels: tuple[str, ...]
    hold_seconds: float | None
    """How long its actuator diverts items each time; None: it has no actuator."""
    delay_seconds: float | None
    """How long after an item has passed its actuator moves; None: at once, or it has none."""

    @property
    def has_place(self) -> bool:
        """Whether its actuator has a place on the belt, where an item comes by at a moment."""
        return self.hold_seconds is not None and self.delay_seconds is not None

    def flap(self, out: Sequence[Interval]) -> Flap:
        """Its flap. An item comes by in the middle of the time for which the actuator is out, if
        all goes by the station file: as much too early as too late misses it.
        """
        assert self.hold_seconds is not None
        assert self.delay_seconds is not None
        return Flap(self.name, self.delay_seconds, out, after_seconds=self.hold_seconds / 2)


@dataclass(slots=True)
class Judgement:
    """A verdict of the station, and what followed from it."""

    number: int | None
    """The item that was in the picture; None: there was none."""
    label: str
    captured: float
    """When its last frame was taken, in seconds on the clock of the run."""
    decided: float
    picture: Image | None = None
    """The item in the frame that decided, if pictures are kept."""
    row: ItemSorted | None = None
    """Its row, once that is written."""


@dataclass(slots=True)
class Pending:
    """An item that may still be judged, or moved."""

    item: TrueItem
    judgements: list[Judgement] = field(default_factory=list)

    @property
    def is_written(self) -> bool:
        """Whether the rows of all its verdicts are written."""
        return all(judgement.row is not None for judgement in self.judgements)

    @property
    def first(self) -> Judgement | None:
        """Its verdict; of several the first."""
        return self.judgements[0] if self.judgements else None


@dataclass(frozen=True, slots=True)
class Landing:
    """When an actuator moved for an item."""

    error_seconds: float
    """How long after the right moment, by when the item really passes; negative: before it."""
    after_plan_seconds: float
    """How long after the moment for which the station had planned it in the end."""


class LaneMoves:
    """When the actuators of the lanes were out."""

    def __init__(self, places: Sequence[LanePlace]) -> None:
        self._out: dict[str, list[Interval]] = {place.name: [] for place in places}
        self._since: dict[str, float] = {}

    def moved(self, lane: str, at: float, *, active: bool) -> None:
        """Adds a move of an actuator; one that changes nothing is ignored."""
        if active:
            self._since.setdefault(lane, at)
        elif lane in self._since:
            self._out[lane].append((self._since.pop(lane), at))

    def out(self, lane: str) -> list[Interval]:
        """When the actuator was out; the last interval may be without an end."""
        since = self._since.get(lane)
        return self._out[lane] + ([] if since is None else [(since, float("inf"))])

    def forget_before(self, moment: float) -> None:
        """Forgets the moves that ended before `moment`."""
        for lane, intervals in self._out.items():
            self._out[lane] = [each for each in intervals if each[1] >= moment]


def fell_into(
    pending: Pending,
    places: Mapping[str, LanePlace],
    default: str,
    moves: LaneMoves,
    *,
    moved: bool,
) -> str:
    """The lane that an item fell into.

    Along a belt, the first actuator that is out when the item comes by takes it. A lane whose
    actuator moves at once, or which has none, gets what the station sent there.

    Args:
        places: the lanes by their names.
        default: the name of the default lane.
        moves: when the actuators were out.
        moved: whether no actuation that was planned for it was missed.
    """
    item, first = pending.item, pending.first
    row = None if first is None else first.row
    if item.passes is not None:
        flaps = sorted(
            (place.flap(moves.out(place.name)) for place in places.values() if place.has_place),
            key=lambda flap: flap.seconds,
        )
        taken = lane_of(item.arrives, flaps, end="")
        if taken:
            return taken
    if row is not None and row.missed is None and moved:
        sent = places[row.lane]
        if not sent.has_place:
            return sent.name
    resting = [name for name, place in places.items() if place.hold_seconds is None]
    return default if default in resting else (resting[0] if resting else END)


def landing(
    pending: Pending,
    places: Mapping[str, LanePlace],
    moves: LaneMoves,
    actuated: Actuated | None,
) -> Landing | None:
    """How exactly the actuator moved for an item.

    None: it was to move for none, moved for none, or was out already for the item before.

    Args:
        actuated: what became of the actuation for it; None: none has ended.
    """
    if actuated is None or actuated.missed is not None or pending.item.passes is None:
        return None
    place = places[actuated.lane]
    if not place.has_place:
        return None
    assert place.delay_seconds is not None
    assert place.hold_seconds is not None
    right = pending.item.arrives(place.delay_seconds)
    for start, _ in moves.out(place.name):
        if actuated.done <= start <= actuated.done + place.hold_seconds:
            return Landing(start - right, start - actuated.at)
    return None


def moved_at(pending: Pending, places: Mapping[str, LanePlace], moves: LaneMoves) -> float | None:
    """When a lane that moves at once began to move for an item; None: it did not."""
    first = pending.first
    if first is None or first.row is None or first.row.actuation != "planned":
        return None
    place = places[first.row.lane]
    if place.hold_seconds is None or place.has_place:
        return None
    starts = [start for start, _ in moves.out(place.name) if start >= first.decided]
    return min(starts, default=None)
