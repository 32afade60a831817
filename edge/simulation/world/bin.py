"""A bin as a station's world: one item at a time, which lies there until a lane has taken it."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from edge.core.images.image_file import Image
from edge.core.images.preprocess import Box
from edge.runtime.clock import Clock
from edge.simulation.belt.items import scene_and_items
from edge.simulation.belt.scene import PlacedLayer
from edge.simulation.belt.traffic import BeltItem
from edge.simulation.belt.wire import BeltOrder
from edge.simulation.world import Shot, TrueItem
from edge.vision.region import Region

_FIRST_SECONDS = 2.0
"""How long the empty bin is shown at first, in which a trigger learns the background."""
_EMPTY_SECONDS = 1.0
"""How long the bin is empty between two items, at least."""
_PATIENCE_SECONDS = 10.0
"""After so long an item without a verdict is taken out by hand."""
_BY_HAND_SECONDS = 1.0
"""How long an item lies there after a verdict that moved nothing: until somebody takes it out."""
_ASIDE = 0.05
"""How far from the middle an item may lie, as a share of the view."""
_KEPT = 8
"""How many items are remembered after they are gone."""


@dataclass(slots=True, eq=False)
class _Lying:
    """An item in the bin."""

    number: int
    thing: BeltItem
    placed: PlacedLayer
    box: Box
    """In pixels of the picture."""
    entered: float
    leaves: float
    """When it will be taken out."""
    left: float | None = None
    """When it was; None: it lies there."""


class BinWorld:
    """A bin under the camera: an item appears, lies still, and is gone after its lane has moved."""

    kind: ClassVar[str] = "bin"
    metres_per_second: float | None = None
    longest_stay = _PATIENCE_SECONDS

    def __init__(
        self,
        order: BeltOrder,
        *,
        region: Region | None,
        rate: float,
        holds: Mapping[str, float],
        each_frame: bool = False,
    ) -> None:
        """Draws nothing yet.

        Args:
            order: the items, of which there is a number, and the camera. The belt's speed and
                spacing are not used.
            region: the station's region, in whose middle items lie; None: the whole picture.
            rate: items a second, if the station is done with each in time.
            holds: the seconds for which an actuator is active, by the name of its lane.
            each_frame: every picture shows another item, as photographs in a folder do.
        """
        assert order.items is not None
        self.order, self.rate, self._holds = order, rate, holds
        self.count, self._each_frame = order.items, each_frame
        self._random = np.random.default_rng((order.seed, 1))
        self._scene, things = scene_and_items(
            order.model_copy(update={"exposure_seconds": 0.0}), random=self._random
        )
        self._things = enumerate(itertools.islice(things, self.count), start=1)
        part = region or Region(width=order.width, height=order.height)
        self._middle = part.left + part.width / 2, part.top + part.height / 2
        self._lock = threading.Lock()
        self._now: _Lying | None = None
        self._before: deque[_Lying] = deque(maxlen=_KEPT)
        self._new: deque[TrueItem] = deque()
        self._to_announce: deque[TrueItem] = deque()
        self._next = _FIRST_SECONDS
        self._over = False

    @property
    def items_from(self) -> str:
        """Where its items are from: `drawn`, or `photographed`."""
        return "photographed" if self.order.pictures else "drawn"

    def open(self, clock: Clock) -> _BinShots:
        """See World."""
        began = clock.now()
        every = 1 / (self.rate if self._each_frame else self.order.frames_per_second)
        # A camera's first picture is no item: nothing can be compared with it.
        self._next = began + (1.5 * every if self._each_frame else _FIRST_SECONDS)
        pictures = range(1, self.count + 2) if self._each_frame else itertools.count(1)
        return _BinShots(self, (began + number * every for number in pictures))

    def appeared(self) -> Iterator[TrueItem]:
        """See World."""
        while self._new:
            yield self._new.popleft()

    def announced(self) -> Iterator[TrueItem]:
        """See DrawnWorld."""
        while self._to_announce:
            yield self._to_announce.popleft()

    def item_at(self, moment: float, box: Box | None) -> int | None:
        """See World."""
        with self._lock:
            there = [*self._before, *([] if self._now is None else [self._now])]
        for lying in reversed(there):
            if lying.entered <= moment < (float("inf") if lying.left is None else lying.left):
                return lying.number if box is None or _overlap(lying.box, box) else None
        return None

    def lane_moved(self, lane: str, at: float) -> None:
        """See World: whatever lies there is gone when the actuator is out for half of its time."""
        with self._lock:
            if self._now is not None:
                self._now.leaves = min(self._now.leaves, at + self._holds[lane] / 2)

    def judged(self, number: int | None, at: float) -> None:
        """See World: where no lane moves for it, somebody takes it out."""
        with self._lock:
            if self._now is not None and self._now.number == number:
                self._now.leaves = min(self._now.leaves, at + _BY_HAND_SECONDS)

    def close(self) -> None:
        """See World: it wrote nothing."""

    @property
    def is_over(self) -> bool:
        """Whether the last item is gone, and the empty bin has been shown."""
        return self._over

    def picture(self, moment: float) -> Image:
        """The bin at a moment, which is not before that of the last call."""
        with self._lock:
            lying = self._now
            if lying is not None and (self._each_frame or moment >= lying.leaves):
                lying.left = moment
                self._before.append(lying)
                self._now, lying = None, None
                self._next = max(self._next, moment + (0 if self._each_frame else _EMPTY_SECONDS))
            if lying is None and moment >= self._next:
                following = next(self._things, None)
                if following is None:
                    self._over = True
                else:
                    lying = self._now = self._laid(*following, moment)
                    self._next = moment + (0 if self._each_frame else 1 / self.rate)
        placed = () if lying is None else (lying.placed,)
        return self._scene.view(placed, moved=0, random=self._random)

    def _laid(self, number: int, thing: BeltItem, moment: float) -> _Lying:
        box, order, (x, y) = thing.layer.box, self.order, self._middle
        # What is drawn lies in the middle, and a photograph's item as in the photograph, or nearly.
        left, top = x - box.left - box.width / 2, y - box.top - box.height / 2
        if thing.left is not None:
            left, top = thing.left, thing.top
        left, top = (
            round(at + _ASIDE * side * self._random.uniform(-1, 1))
            for at, side in ((left, order.width), (top, order.height))
        )
        true = TrueItem(number, thing.label, thing.source, entered=moment, passes=None)
        self._new.append(true)
        self._to_announce.append(true)
        return _Lying(
            number,
            thing,
            PlacedLayer(thing.layer, left, top),
            Box(left + box.left, top + box.top, box.width, box.height),
            entered=moment,
            leaves=moment + _PATIENCE_SECONDS,
        )


class _BinShots:
    def __init__(self, world: BinWorld, moments: Iterator[float]) -> None:
        self._world, self._moments = world, moments
        self._closed = False

    def take(self) -> Shot | None:
        if self._closed or self._world.is_over:
            return None
        moment = next(self._moments, None)
        return None if moment is None else Shot(moment, partial(self._world.picture, moment))

    def close(self) -> None:
        self._closed = True


def _overlap(one: Box, other: Box) -> bool:
    return (
        one.left < other.left + other.width
        and other.left < one.left + one.width
        and one.top < other.top + other.height
        and other.top < one.top + one.height
    )
