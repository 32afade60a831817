"""The traffic on the simulated belt: which item is where and when, as the ground truth of a run."""

from __future__ import annotations

import csv
import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from edge.core.files import storage_errors
from edge.core.images.preprocess import Box
from edge.simulation.belt.motion import BeltMotion
from edge.simulation.belt.scene import PlacedLayer
from edge.simulation.belt.sprite import SpriteLayer

COLUMNS = (
    *("item", "label", "source", "cut", "entered", "centred", "left"),
    *("box_left", "box_top", "box_width", "box_height"),
    *("view_width", "view_height", "pixels_per_second"),
)
"""The columns of a ground truth file. Times are seconds on CLOCK_MONOTONIC; the box is that of the
item's pixels when it is in the middle of the view. An item reaches a place that is `d` pixels
behind the middle of the view at `centred + d / pixels_per_second`, if the belt's speed does not
change."""

_LEAST_GAP = 0.08
"""The least length of empty belt between two items, in widths of the view."""
_TOUCHING = 0.95
"""The distance of the middles of two items that touch, in halves of their widths together: their
boxes overlap a little, so that their outlines meet."""
_MOMENT_SECONDS = 0.5
"""How long the empty belt is shown after the last item."""


@dataclass(frozen=True, slots=True, eq=False)
class BeltItem:
    """An item to lay on the belt."""

    label: str
    source: str
    """The photograph's path, or the seed from which the item was drawn."""
    cut: str
    """How the item was made: `drawn`; `cut` out of its photograph; or `whole`, the complete
    photograph, if cutting failed."""
    layer: SpriteLayer
    top: int
    """The row of the view at which the layer begins."""
    left: int | None = None
    """The column at which it begins where an item does not travel; None: anywhere."""


@dataclass(frozen=True, slots=True, eq=False)
class _PassingItem:
    thing: BeltItem
    item: int
    behind: int
    """The pixels that the belt moves until the layer's left edge is at that of the view."""

    def left(self, moved: int) -> int:
        return moved - self.behind


class ItemSource(Protocol):
    """A source of items to lay on the belt."""

    @property
    def ended(self) -> bool:
        """Whether all items were taken and no more will come."""
        ...

    def take(self) -> BeltItem | None:
        """The next item; None if it is not ready yet, or there are no more."""
        ...


@dataclass(frozen=True, slots=True)
class Spacing:
    """The distance from the middle of an item to that of the next."""

    pixels: float
    """More if they would nearly touch."""
    jitter: float
    """The share by which it varies."""
    touching: float = 0.0
    """The share of items that touch the one before them instead."""


class Traffic:
    """The items on a belt that runs to the right.

    Attributes:
        passed: items that have left the view.
    """

    def __init__(
        self,
        things: ItemSource,
        *,
        view: tuple[int, int],
        motion: BeltMotion,
        spacing: Spacing,
        random: np.random.Generator,
        record: Callable[[dict[str, object]], None] = lambda row: None,
    ) -> None:
        """Starts with an empty belt.

        Args:
            things: the items. An item that is not ready in time comes later.
            view: (width, height) in pixels.
            motion: how the belt moves.
            spacing: the distance from item to item.
            random: decides the spacing.
            record: called with a row of ground truth as an item comes into view, with the keys
                COLUMNS; `entered`, `centred` and `left` are seconds since the belt began.
        """
        self._things, self._view, self._motion = things, view, motion
        self._spacing, self._random = spacing, random
        self._record = record
        self._coming: _PassingItem | None = None
        self._in_view: deque[_PassingItem] = deque()
        self._middle = 0.0  # of the last item: pixels the belt moves until it is at the left edge
        self._width = 0
        self._count = 0
        self._last_gone = 0.0
        self.passed = 0
        self._lay_next(0)

    def at(self, seconds: float) -> tuple[int, tuple[PlacedLayer, ...]]:
        """(pixels that the belt has moved, the items in view) at a time after its start.

        Args:
            seconds: the time since the start, not less than at the last call.
        """
        moved = round(self._motion.moved(seconds))
        if self._coming is None:
            self._lay_next(moved)
        while self._coming is not None and self._reaches_view(self._coming, moved):
            passing = self._coming
            self._record(self._truth(passing))
            self._in_view.append(passing)
            self._lay_next(moved)
        while self._in_view and self._in_view[0].left(moved) >= self._view[0]:
            self._in_view.popleft()
            self.passed += 1
        placed = (PlacedLayer(p.thing.layer, p.left(moved), p.thing.top) for p in self._in_view)
        return moved, tuple(placed)

    def over(self, seconds: float) -> bool:
        """Whether the last item has left with its shadow, and the empty belt has been shown."""
        gone = self._coming is None and not self._in_view
        return gone and self._things.ended and seconds >= self._last_gone + _MOMENT_SECONDS

    def _lay_next(self, moved: int) -> None:
        self._coming = None
        thing = self._things.take()
        if thing is None:
            return
        layer, view_width = thing.layer, self._view[0]
        box = layer.box
        if self._count == 0:
            # The first one comes after half a view of empty belt.
            middle = view_width * 0.5 + box.width / 2
        else:
            spacing, both = self._spacing, (self._width + box.width) / 2
            sway = 1 + spacing.jitter * self._random.uniform(-1, 1)
            apart = max(spacing.pixels * sway, both + _LEAST_GAP * view_width)
            if spacing.touching and self._random.uniform() < spacing.touching:
                apart = _TOUCHING * both
            middle = self._middle + apart
        behind = max(round(middle + box.left + box.width / 2), moved + layer.size[0])
        self._middle, self._width = behind - box.left - box.width / 2, box.width
        self._count += 1
        self._coming = _PassingItem(thing, self._count, behind)
        self._last_gone = self._motion.when(behind + view_width)

    @staticmethod
    def _reaches_view(passing: _PassingItem, moved: int) -> bool:
        return passing.left(moved) + passing.thing.layer.size[0] > 0

    def _truth(self, passing: _PassingItem) -> dict[str, object]:
        thing, (width, height) = passing.thing, self._view
        box = thing.layer.box
        # The box's left edge is at 0 when the belt has moved so far.
        first = passing.behind - box.left
        when = self._motion.when
        at_centre = math.floor(width / 2 - box.width / 2)
        values = (
            *(passing.item, thing.label, thing.source, thing.cut),
            when(first - box.width),
            when(first - box.width / 2 + width / 2),
            when(first + width),
            *(at_centre, thing.top + box.top, box.width, box.height),
            *(width, height, self._motion.pixels_per_second),
        )
        return dict(zip(COLUMNS, values, strict=True))


class GroundTruthFile:
    """Writes the ground truth to a CSV file; each row is flushed at once."""

    def __init__(self, path: Path) -> None:
        """Replaces the file and writes its first line.

        Raises:
            StorageError: the file cannot be written.
        """
        with storage_errors("write", path):
            self._file = path.open("w", encoding="utf-8", newline="", buffering=1)
        self._rows = csv.DictWriter(self._file, COLUMNS, lineterminator="\n")
        self._rows.writeheader()

    def write(self, row: dict[str, object], *, began: float) -> None:
        """Adds a row of Traffic; `began` is the belt's start in seconds on CLOCK_MONOTONIC."""
        times = {key: began + float(str(row[key])) for key in ("entered", "centred", "left")}
        self._rows.writerow(row | {key: f"{time:.6f}" for key, time in times.items()})

    def close(self) -> None:
        """Closes the file; may be called twice."""
        self._file.close()


@dataclass(frozen=True, slots=True)
class GroundTruth:
    """The ground truth of one item that passed; times are in seconds on CLOCK_MONOTONIC."""

    item: int
    label: str
    source: str
    cut: str
    entered: float
    """When its first pixel comes into view."""
    centred: float
    """When its middle passes the middle of the view."""
    left: float
    """When its last pixel leaves the view."""
    box: Box
    """The box of its pixels when it is centred."""
    pixels_per_second: float


def read_ground_truth(path: Path) -> Iterator[GroundTruth]:
    """Reads the rows of a ground truth file; an incomplete last row is left out."""
    with path.open(encoding="utf-8", newline="") as file:
        yield from _rows_of(line for line in file if line.endswith("\n"))


class GroundTruthTail:
    """Reads the rows of a ground truth file while it is being written, each once."""

    def __init__(self, path: Path) -> None:
        """Opens nothing yet: the file may not be there so soon."""
        self._path, self._at, self._names = path, 0, ""

    def rows(self) -> Iterator[GroundTruth]:
        """The rows that have come since this was called last; those of an incomplete line later."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._at)
            whole = file.read().rpartition(b"\n")[0]
        if not whole:
            return
        self._at += len(whole) + 1
        lines = whole.decode("utf-8").split("\n")
        if not self._names:
            self._names = lines.pop(0)
        yield from _rows_of(f"{line}\n" for line in (self._names, *lines))


def _rows_of(lines: Iterable[str]) -> Iterator[GroundTruth]:
    for row in csv.DictReader(lines):
        sides = (row[f"box_{side}"] for side in ("left", "top", "width", "height"))
        yield GroundTruth(
            item=int(row["item"]),
            label=row["label"],
            source=row["source"],
            cut=row["cut"],
            entered=float(row["entered"]),
            centred=float(row["centred"]),
            left=float(row["left"]),
            box=Box(*(int(side) for side in sides)),
            pixels_per_second=float(row["pixels_per_second"]),
        )
