"""A belt as a station's world: drawn or photographed items pass, at a constant distance or nearly.

The belt is drawn by a process of its own (`edge/simulation/belt/`), which also writes down what
passes.
"""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import ClassVar

from edge.core.images.preprocess import Box
from edge.flow import Frame
from edge.runtime.clock import Clock
from edge.simulation.belt.camera import BeltCamera
from edge.simulation.belt.motion import BeltMotion
from edge.simulation.belt.traffic import GroundTruth, GroundTruthTail
from edge.simulation.belt.wire import BeltOrder
from edge.simulation.world import Shot, TrueItem
from edge.vision.camera import log
from edge.vision.region import Region

_KEPT_SECONDS = 10.0
"""How long an item is remembered after it has left the view: a verdict may come so late."""
_SHADOW = 0.08
"""How far beside an item its shadow may be all that the region shows of it as it leaves, in widths
of the view. Items that do not touch are no nearer to each other."""


class BeltWorld:
    """A belt that runs to the right under the camera."""

    kind: ClassVar[str] = "belt"

    def __init__(
        self, order: BeltOrder, *, region: Region | None, view_metres: float | None
    ) -> None:
        """Draws nothing yet.

        Args:
            order: the belt, with a number of items; it is drawn without losing frames, whatever its
                `paced` says.
            region: the station's region; None: the whole picture.
            view_metres: the width of the view; None if it is not known.
        """
        self._folder = tempfile.TemporaryDirectory(prefix="pilah-simulate-")
        truth = Path(self._folder.name) / "truth.csv"
        self.order = order.model_copy(update={"paced": False, "truth": truth})
        self._tail = GroundTruthTail(truth)
        self._view_metres = view_metres
        self._middle = order.width / 2 if region is None else region.left + region.width / 2
        self._there: dict[int, GroundTruth] = {}
        speed = order.views_per_second * order.width
        self._motion, self._began = BeltMotion(speed, order.speeds), 0.0
        self._new: deque[TrueItem] = deque()
        self._to_announce: deque[TrueItem] = deque()

    @property
    def count(self) -> int:
        """See World."""
        assert self.order.items is not None
        return self.order.items

    @property
    def rate(self) -> float:
        """See World."""
        return self.order.views_per_second / self.order.spacing_views

    @property
    def items_from(self) -> str:
        """Where its items are from: `drawn`, or `photographed`."""
        return "photographed" if self.order.pictures else "drawn"

    @property
    def metres_per_second(self) -> float | None:
        """See World."""
        return (
            None if self._view_metres is None else self._view_metres * self.order.views_per_second
        )

    def when_metres(self, metres: float) -> float:
        """When the belt has gone so far, in seconds on the clock of the run."""
        assert self._view_metres is not None
        return self._when(metres / self._view_metres * self.order.width)

    def open(self, clock: Clock) -> _BeltShots:
        """See World.

        Raises:
            CameraError: the belt's process cannot be started.
        """
        began = self._began = clock.now()
        # The belt counts from its own beginning, and what is planted from that of the run.
        speeds = tuple(
            change if change.at is None else change.model_copy(update={"at": change.at - began})
            for change in self.order.speeds
        )
        self._motion = BeltMotion(self._motion.pixels_per_second, speeds)
        order = self.order.model_copy(update={"speeds": speeds})
        return _BeltShots(BeltCamera(order, clock=lambda: began, tell=log))

    def appeared(self) -> Iterator[TrueItem]:
        """See World."""
        self._read()
        while self._new:
            yield self._new.popleft()

    def announced(self) -> Iterator[TrueItem]:
        """See DrawnWorld."""
        self._read()
        while self._to_announce:
            yield self._to_announce.popleft()

    def item_at(self, moment: float, box: Box | None) -> int | None:
        """See World."""
        self._read()
        for number in [n for n, item in self._there.items() if item.left < moment - _KEPT_SECONDS]:
            del self._there[number]
        found = self._covering(moment, box)
        if found is None and box is not None:
            beside = round(_SHADOW * self.order.width)
            wider = box._replace(left=box.left - beside, width=box.width + 2 * beside)
            found = self._covering(moment, wider)
        return found

    longest_stay = 0.0

    def lane_moved(self, lane: str, at: float) -> None:
        """See World: it changes nothing that the camera sees."""

    def judged(self, number: int | None, at: float) -> None:
        """See World: it changes nothing that the camera sees."""

    def close(self) -> None:
        """Removes the file of what passed; may be called twice."""
        self._folder.cleanup()

    def _read(self) -> None:
        for item in self._tail.rows():
            self._there[item.item] = item
            there = self._moved(item.entered) + item.box.width / 2 + self._middle
            true = TrueItem(
                number=item.item,
                label=item.label,
                source=item.source,
                entered=item.entered,
                passes=self._when(there),
                ride=partial(self._ride, there),
            )
            self._new.append(true)
            self._to_announce.append(true)

    def _ride(self, there: float, seconds: float) -> float:
        return self._when(there + seconds * self._motion.pixels_per_second)

    def _moved(self, moment: float) -> float:
        return self._motion.moved(moment - self._began)

    def _when(self, pixels: float) -> float:
        return self._began + self._motion.when(pixels)

    def _covering(self, moment: float, box: Box | None) -> int | None:
        best, most = None, 0.0
        for number, item in self._there.items():
            if item.entered <= moment <= item.left:
                covered = self._covered(item, moment, box)
                if covered > most:
                    best, most = number, covered
        return best

    def _covered(self, item: GroundTruth, moment: float, box: Box | None) -> float:
        """How much of `box` the item covers, in pixels; without one, the nearer to the middle the
        more."""
        left = self._moved(moment) - self._moved(item.entered) - item.box.width
        if box is None:
            return 1 / (1 + abs(left + item.box.width / 2 - self._middle))
        wide = min(left + item.box.width, box.left + box.width) - max(left, box.left)
        top = max(item.box.top, box.top)
        tall = min(item.box.top + item.box.height, box.top + box.height) - top
        return wide * tall if wide > 0 and tall > 0 else 0.0


class _BeltShots:
    def __init__(self, camera: BeltCamera) -> None:
        self._camera = camera

    def take(self) -> Shot | None:
        frame = self._camera.read()
        if not isinstance(frame, Frame):
            return None
        image = frame.image
        return Shot(frame.captured, lambda: image)

    def close(self) -> None:
        self._camera.close()
