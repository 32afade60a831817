"""Replays recorded frames with other trigger settings, to find values that count items correctly.

A recording holds the reduced pictures in which the motion trigger detects motion. So a replay gives
exactly what the trigger would have found, and a minute of frames needs little memory.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from edge.core.images.preprocess import Box
from edge.flow import Frame, Observation
from edge.vision.trigger.blobs import Blob
from edge.vision.trigger.motion import MotionTrigger, Settings, small_picture
from edge.vision.trigger.track import Edges

CONTRASTS = (6.0, 10.0, 20.0, 40.0)
MIN_GAPS = (0.0, 0.1, 0.3, 1.0)
"""The values that are tried in addition to those of the station file, in all combinations."""
_TOGETHER = 0.25
"""The gap below which items may be pieces of one object, if it lasts for most of their frames, as a
share of the picture's longer side."""


@dataclass(eq=False)
class Item:
    """An item that the trigger found, with its place in each frame of the recording."""

    number: int
    boxes: dict[int, Box] = field(default_factory=dict)
    """The item's box by the index of the frame, in pixels of the small picture."""
    whole: set[int] = field(default_factory=set)
    """The indices of the frames in which the picture's edge does not cut the item off."""
    confirmed: bool = False


@dataclass(frozen=True, eq=False)
class ReplayResult:
    """The items that the trigger finds in a recording with one set of values."""

    settings: Settings
    items: Sequence[Item]
    """The confirmed items, in order of appearance."""
    single_frame: int
    """The number of objects that were seen in a single frame only, and are not items."""
    blobs: Sequence[Sequence[Blob]]
    """The objects in front of the background, by frame."""
    learned: int
    """The index of the first frame after those in which the background is learned."""
    size: tuple[int, int]
    """Width and height of the small picture; (0, 0) if there was no frame."""
    together: Sequence[Sequence[Item]]
    """Groups of items that travel close to each other, and may be pieces of one object."""

    @property
    def pieces(self) -> int:
        """The number of surplus items, if each group that travels together is one object."""
        return sum(len(group) - 1 for group in self.together)


class Recording:
    """Frames that can be replayed with several settings."""

    def __init__(self) -> None:
        self._frames: list[Frame] = []

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def seconds(self) -> float:
        """The seconds from the first frame to the last."""
        return self._frames[-1].captured - self._frames[0].captured if self._frames else 0.0

    @property
    def frames_per_second(self) -> float:
        """The frame rate, from the median time between frames; 0 if there is one frame at most."""
        times = [frame.captured for frame in self._frames]
        steps = [later - sooner for sooner, later in itertools.pairwise(times)]
        usual = statistics.median(steps) if steps else 0.0
        return 1 / usual if usual > 0 else 0.0

    def add(self, frame: Frame) -> None:
        """Adds a frame that is cut to the station's region."""
        small = small_picture(frame.image)
        # A copy: the camera may write its next frame into the same memory.
        image = small.copy() if small.base is not None else small
        self._frames.append(Frame(image, frame.captured, frame.sequence, frame.source))

    def look(self, settings: Settings) -> ReplayResult:
        """Runs the trigger over the recording with these settings."""
        trigger = MotionTrigger(settings)
        found: dict[int, Item] = {}
        blobs: list[Sequence[Blob]] = []
        for index, frame in enumerate(self._frames):
            for observation in trigger.look(frame):
                if not observation.gone:
                    _note(
                        found.setdefault(observation.item, Item(observation.item)),
                        index,
                        observation,
                    )
            blobs.append(trigger.blobs)
        items = [item for item in found.values() if item.confirmed]
        start = self._frames[0].captured if self._frames else 0.0
        waiting = [f for f in self._frames if f.captured - start < settings.learn_seconds]
        return ReplayResult(
            settings,
            items,
            single_frame=len(found) - len(items),
            blobs=blobs,
            learned=len(waiting),
            size=self._size,
            together=_together(items, side=max(self._size)),
        )

    @property
    def times(self) -> list[float]:
        """The time of each frame, in seconds from the first one."""
        return [frame.captured - self._frames[0].captured for frame in self._frames]

    @property
    def _size(self) -> tuple[int, int]:
        if not self._frames:
            return 0, 0
        height, width = self._frames[0].image.shape[:2]
        return width, height


def variants(settings: Settings) -> Iterator[Settings]:
    """Copies of `settings` with all values of `contrast` and `min_gap` to try, its own included."""
    gaps = sorted({*MIN_GAPS, settings.min_gap})
    for contrast in sorted({*CONTRASTS, settings.contrast}):
        for gap in gaps:
            yield settings.model_copy(update={"contrast": contrast, "min_gap": gap})


def best(looks: Sequence[ReplayResult], things: int, *, contrast: float) -> ReplayResult | None:
    """The result to propose if `things` items passed; None if no result counts them correctly.

    Among the results with the correct count and no pieces that travel together, it prefers the one
    with the most neighbours (the next higher and lower value of either key) that are correct too,
    so that a small change of the light does no harm. Then it prefers a contrast close to the
    present one, and then the smallest gap.

    Args:
        looks: the results of all values that were tried.
        things: the number of items that passed.
        contrast: the contrast in the station file.
    """
    right = [look for look in looks if len(look.items) == things and not look.together]
    if not right:
        return None
    contrasts = sorted({look.settings.contrast for look in looks})
    gaps = sorted({look.settings.min_gap for look in looks})

    def place(look: ReplayResult) -> tuple[int, int]:
        settings = look.settings
        return contrasts.index(settings.contrast), gaps.index(settings.min_gap)

    places = {place(look) for look in right}

    def rank(look: ReplayResult) -> tuple[int, int, float]:
        row, column = place(look)
        steps = ((1, 0), (-1, 0), (0, 1), (0, -1))
        neighbours = sum((row + down, column + across) in places for down, across in steps)
        steps_away = abs(row - contrasts.index(contrast))
        return neighbours, -steps_away, -look.settings.min_gap

    return max(right, key=rank)


def _note(item: Item, index: int, observation: Observation) -> None:
    assert observation.box is not None
    item.boxes[index] = observation.box
    if observation.whole:
        item.whole.add(index)
    item.confirmed = item.confirmed or observation.confirmed


def _together(items: Sequence[Item], *, side: int) -> list[list[Item]]:
    """The groups of items that are close to each other for most of one item's frames."""
    groups: list[list[Item]] = []
    for item in items:
        near = [g for g in groups if any(_close(item, other, _TOGETHER * side) for other in g)]
        groups = [group for group in groups if group not in near]
        groups.append([*itertools.chain.from_iterable(near), item])
    return sorted((g for g in groups if len(g) > 1), key=lambda group: group[0].number)


def _close(one: Item, two: Item, gap: float) -> bool:
    both = one.boxes.keys() & two.boxes.keys()
    if 2 * len(both) < min(len(one.boxes), len(two.boxes)):
        return False
    near = (Edges.of(one.boxes[at]).gap(Edges.of(two.boxes[at])) <= gap for at in both)
    return 2 * sum(near) > len(both)
