"""Small drawn scenes before a still camera, and what a motion trigger sees in them."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

from edge.core.images.image_file import Image
from edge.core.images.preprocess import Box
from edge.flow import Frame, Observation
from edge.vision.trigger.motion import Settings

WIDTH, HEIGHT, PER_SECOND = 320, 240, 15
GREY, RED, WHITE, DARK = (110, 110, 110), (60, 60, 210), (230, 235, 230), (40, 45, 40)
EMPTY: Image = np.full((HEIGHT, WIDTH, 3), GREY, np.uint8)

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
    dim: float = 0.65
    """The share of the light that the shadow leaves."""
    plain: bool = False

    def draw(self, picture: Image, at: float) -> None:
        """Puts it where it is at that time."""
        centre = self.place(at)
        if centre is None:
            return
        left, top = centre[0] - self.width / 2, centre[1] - self.height / 2
        if self.shadow:
            shade = np.ones(picture.shape[:2], np.float32)
            _fill(shade, left + self.shadow, top + self.shadow, self.width, self.height, self.dim)
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
        lighter, darker = _grain(self.noise)
        for sequence in range(round(self.seconds * self.per_second)):
            at = sequence / self.per_second
            picture = (EMPTY if self.ground is None else self.ground(at)).copy()
            for thing in self.things:
                thing.draw(picture, at)
            light = self.light(at)
            if not isinstance(light, float) or light != 1:
                picture = np.clip(picture * np.asarray(light, np.float32), 0, 255).astype(np.uint8)
            top, left = random.integers(HEIGHT), random.integers(WIDTH)
            part = slice(top, top + HEIGHT), slice(left, left + WIDTH)
            picture = np.asarray(cv2.subtract(cv2.add(picture, lighter[part]), darker[part]))
            if not self.missing[0] < at < self.missing[1]:
                yield Frame(picture, 100 + at, sequence)


@dataclass
class Seen:
    """All observations of one item."""

    times: list[float] = field(default_factory=list)
    observations: list[Observation] = field(default_factory=list)
    gone_at: float | None = None
    last: Observation | None = None
    """The one that said that it is gone."""

    @property
    def boxes(self) -> list[Box]:
        """Where it was."""
        return [observation.box for observation in self.observations if observation.box is not None]


class Watched:
    """The items that a trigger finds; breaks where it breaks its promises."""

    def __init__(self, settings: Settings | None = None) -> None:
        self._trigger = (settings or Settings(kind="motion")).open()
        self._items: dict[int, Seen] = {}
        self._at = 0.0

    def look(self, frame: Frame) -> None:
        self._at = frame.captured - 100
        self._note(self._trigger.look(frame))

    def end(self) -> list[Seen]:
        """The items in order, after the last frame."""
        self._note(self._trigger.end())
        items = list(self._items.values())
        assert all(item.gone_at is not None for item in items), "every item goes in the end"
        return items

    def _note(self, observations: Iterable[Observation]) -> None:
        for observation in observations:
            if observation.item not in self._items:
                assert observation.item == len(self._items) + 1, "numbers count the items from 1"
                assert not observation.gone, "an item that was never seen cannot go"
            item = self._items.setdefault(observation.item, Seen())
            assert item.gone_at is None, "nothing follows after an item is gone"
            if observation.gone:
                item.gone_at, item.last = self._at, observation
            else:
                assert self._at not in item.times, "an item is in one place at a time"
                item.times.append(self._at)
                item.observations.append(observation)


def watch(frames: Iterable[Frame], settings: Settings | None = None) -> list[Seen]:
    """The items that the trigger finds, in order; breaks where it breaks its promises."""
    watched = Watched(settings)
    for frame in frames:
        watched.look(frame)
    return watched.end()


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


@functools.cache
def _grain(noise: float) -> tuple[Image, Image]:
    """What is added to and taken from pixels, for a larger picture of which frames show parts.

    Drawing a new one for every frame, in floating point, would take most of the tests' time.
    """
    grain = np.floor(np.random.default_rng(7).normal(0, noise, (2 * HEIGHT, 2 * WIDTH, 3)))
    return np.maximum(grain, 0).astype(np.uint8), np.maximum(-grain, 0).astype(np.uint8)


def _fill(picture: Any, left: float, top: float, width: float, height: float, value: Any) -> None:
    """A rectangle, cut off by the picture's edges."""
    tall, wide = picture.shape[:2]
    rows = slice(max(0, round(top)), max(0, min(tall, round(top + height))))
    columns = slice(max(0, round(left)), max(0, min(wide, round(left + width))))
    picture[rows, columns] = value


BIN = {"still_seconds": 0.4}
HAND = {"colour": (140, 160, 210), "width": 90, "height": 130}


def lamp(at: float) -> float:
    return 1.0 if at < 3 else 1.5


def uneven_lamp(at: float) -> np.ndarray:
    across = np.linspace(1.3, 2.2, WIDTH)[None, :, None] * np.ones((HEIGHT, 1, 1))
    return across if at >= 3 else np.ones((1, 1, 1))


def drift(at: float) -> float:
    return 1 + 0.4 * math.sin(at / 1.5)
