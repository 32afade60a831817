"""Small drawn scenes before a still camera, and what a motion trigger sees in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

from edge.core.images.image_file import Image
from edge.core.images.preprocess import Box
from edge.flow import Frame, Sighting
from edge.vision.trigger.motion import Settings

WIDTH, HEIGHT, PER_SECOND = 320, 240, 15
GREY, RED, WHITE, DARK = (110, 110, 110), (60, 60, 210), (230, 235, 230), (40, 45, 40)

Place = Callable[[float], tuple[float, float] | None]
"""The centre of a thing at a time, in pixels; None: it is not there."""


def travelling(
    *, start: float, pace: float, y: float = 120, angle: float = 0, x: float = -40
) -> Place:
    """From outside on the left to the right at so many pixels a second, or as `angle` says."""

    def place(at: float) -> tuple[float, float] | None:
        way = (at - start) * pace
        return (x + way * np.cos(angle), y + way * np.sin(angle)) if at >= start else None

    return place


def lying(*, start: float, end: float, x: float = 160, y: float = 120) -> Place:
    """There from one time to another."""
    return lambda at: (x, y) if start <= at < end else None


def along(*points: tuple[float, float, float]) -> Place:
    """Through (time, x, y), in straight lines."""
    times, across, down = zip(*points, strict=True)

    def place(at: float) -> tuple[float, float] | None:
        if not times[0] <= at <= times[-1]:
            return None
        return float(np.interp(at, times, across)), float(np.interp(at, times, down))

    return place


@dataclass(frozen=True)
class Thing:
    """A rectangle of one colour with darker stripes, and perhaps a soft shadow."""

    place: Place
    colour: tuple[int, int, int] = RED
    width: int = 50
    height: int = 40
    shadow: float = 0
    """Pixels that it reaches further to the right and down."""
    plain: bool = False

    def draw(self, picture: Image, at: float) -> None:
        """Puts it where it is at that time."""
        centre = self.place(at)
        if centre is None:
            return
        left, top = centre[0] - self.width / 2, centre[1] - self.height / 2
        if self.shadow:
            shade = np.ones(picture.shape[:2], np.float32)
            _fill(shade, left + self.shadow, top + self.shadow, self.width, self.height, 0.65)
            picture[:] = picture * cv2.GaussianBlur(shade, (0, 0), 3)[..., None]
        _fill(picture, left, top, self.width, self.height, self.colour)
        darker = tuple(int(level * 0.7) for level in self.colour)
        for stripe in () if self.plain else (0.2, 0.6):
            _fill(picture, left + self.width * stripe, top, self.width / 5, self.height, darker)


@dataclass(frozen=True)
class Scene:
    """Things before a background, in a light."""

    seconds: float
    things: tuple[Thing, ...] = ()
    ground: Callable[[float], Image] | None = None
    light: Callable[[float], float | Image] = lambda at: 1.0
    missing: tuple[float, float] = (-1.0, -1.0)
    """No frame came between these times."""
    noise: float = 3.0
    settings: dict[str, Any] = field(default_factory=dict)
    per_second: float = PER_SECOND

    def frames(self) -> Iterator[Frame]:
        """What the camera gives."""
        random = np.random.default_rng(7)
        # Drawing a new one for every frame would take most of the tests' time.
        grain = random.normal(0, self.noise, (2 * HEIGHT, 2 * WIDTH, 3)).astype(np.float32)
        for sequence in range(round(self.seconds * self.per_second)):
            at = sequence / self.per_second
            picture = (
                np.full((HEIGHT, WIDTH, 3), GREY, np.uint8)
                if self.ground is None
                else self.ground(at).copy()
            )
            for thing in self.things:
                thing.draw(picture, at)
            lit = picture * np.asarray(self.light(at), np.float32)
            top, left = random.integers(HEIGHT), random.integers(WIDTH)
            lit += grain[top : top + HEIGHT, left : left + WIDTH]
            if not self.missing[0] < at < self.missing[1]:
                yield Frame(np.clip(lit, 0, 255).astype(np.uint8), 100 + at, sequence)


@dataclass
class Seen:
    """All sightings of one item."""

    times: list[float] = field(default_factory=list)
    sightings: list[Sighting] = field(default_factory=list)
    gone_at: float | None = None
    last: Sighting | None = None
    """The one that said that it is gone."""

    @property
    def boxes(self) -> list[Box]:
        """Where it was."""
        return [sighting.box for sighting in self.sightings if sighting.box is not None]


def watch(frames: Iterable[Frame], settings: Settings | None = None) -> list[Seen]:
    """The items that the trigger finds, in order; breaks where it breaks its promises."""
    trigger = (settings or Settings(kind="motion")).open()
    items: dict[int, Seen] = {}

    def note(sightings: Iterable[Sighting], at: float) -> None:
        for sighting in sightings:
            if sighting.item not in items:
                assert sighting.item == len(items) + 1, "numbers count the items from 1"
                assert not sighting.gone, "an item that was never seen cannot go"
            item = items.setdefault(sighting.item, Seen())
            assert item.gone_at is None, "nothing follows after an item is gone"
            if sighting.gone:
                item.gone_at, item.last = at, sighting
            else:
                assert at not in item.times, "an item is in one place at a time"
                item.times.append(at)
                item.sightings.append(sighting)

    at = 0.0
    for frame in frames:
        at = frame.captured - 100
        note(trigger.look(frame), at)
    note(trigger.end(), at)
    assert all(item.gone_at is not None for item in items.values()), "every item goes in the end"
    return list(items.values())


def look_at(scene: Scene) -> list[Seen]:
    """The items that the trigger finds in the scene."""
    return watch(scene.frames(), Settings(kind="motion", **scene.settings))


def moving_texture(
    pace: float, contrast: float = 25.0, *, seed: int = 3
) -> Callable[[float], Image]:
    """A rough belt that runs from left to right."""
    random = np.random.default_rng(seed)
    rough = random.normal(0, 1, (HEIGHT, 4 * WIDTH)).astype(np.float32)
    rough = cv2.GaussianBlur(rough, (0, 0), 2.5)
    rough = 110 + rough / rough.std() * contrast
    belt = np.clip(np.repeat(rough[..., None], 3, axis=2), 0, 255).astype(np.uint8)

    def ground(at: float) -> Image:
        return np.asarray(np.roll(belt, round(at * pace), axis=1)[:, :WIDTH], np.uint8)

    return ground


def _fill(picture: Any, left: float, top: float, width: float, height: float, value: Any) -> None:
    """A rectangle, cut off by the picture's edges."""
    tall, wide = picture.shape[:2]
    rows = slice(max(0, round(top)), max(0, min(tall, round(top + height))))
    columns = slice(max(0, round(left)), max(0, min(wide, round(left + width))))
    picture[rows, columns] = value
