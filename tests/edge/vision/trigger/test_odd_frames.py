"""One odd frame among good ones: no item, and no harm to the items before and after it."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest

from edge.core.images.image_file import Image
from edge.flow import Frame
from edge.vision.trigger.motion import Settings
from tests.edge.vision.trigger.scenes import (
    HEIGHT,
    WIDTH,
    Scene,
    Seen,
    Thing,
    Watched,
    lying,
    travelling,
)


def hole(picture: Image) -> Image:
    """The rest of the picture did not arrive: libjpeg paints it grey."""
    picture[HEIGHT // 2 :] = 128
    return picture


def shifted(picture: Image) -> Image:
    """Some bytes are wrong: all behind them has another colour, and lies beside its place."""
    picture[90:] = np.roll(picture[90:], 40, axis=1) // 2 + np.array((90, 20, 60), np.uint8)
    return picture


def torn(picture: Image) -> Image:
    """The lower half is that of another moment."""
    picture[HEIGHT // 2 :, 40:200] = (20, 220, 220)
    return picture


ODD: dict[str, Callable[[Image], Image]] = {
    "black": np.zeros_like,
    "white": lambda picture: np.full_like(picture, 255),
    "green": lambda picture: np.full_like(picture, (0, 135, 0)),
    "a flash": lambda picture: np.clip(picture * 1.8, 0, 255).astype(np.uint8),
    "dim": lambda picture: picture // 2,
    "a hole": hole,
    "wrong bytes": shifted,
    "torn": torn,
    "half the size": lambda picture: np.asarray(cv2.resize(picture, (WIDTH // 2, HEIGHT // 2))),
    "turned": lambda picture: np.ascontiguousarray(np.rot90(picture)),
}
PASSING = Scene(4.5, (Thing(travelling(start=1.5, pace=150), shadow=8),))
BARE = replace(PASSING, things=(Thing(travelling(start=1.5, pace=150)),))
LYING = Scene(4, (Thing(lying(start=1.5, end=3.4)),), settings={"still_seconds": 0.4})


@functools.cache
def drawn(seconds: float, things: tuple[Thing, ...]) -> tuple[Frame, ...]:
    return tuple(Scene(seconds, things).frames())


@functools.cache
def begun(seconds: float, things: tuple[Thing, ...], settings: Settings, count: int) -> Watched:
    """A trigger that has seen so many frames, none of them odd: to be copied."""
    watched = Watched(settings)
    for frame in drawn(seconds, things)[:count]:
        watched.look(frame)
    return watched


def items(scene: Scene, spoil: Callable[[Image], Image], *odd: int) -> list[Seen]:
    """What is seen in more than one frame of `scene`, of which the numbers `odd` are spoilt."""
    frames = drawn(scene.seconds, scene.things)
    first = min(odd, default=len(frames))
    settings = Settings(kind="motion", **scene.settings)
    watched = copy.deepcopy(begun(scene.seconds, scene.things, settings, first))
    for frame in frames[first:]:
        spoilt = frame.sequence in odd
        watched.look(replace(frame, image=spoil(frame.image.copy())) if spoilt else frame)
    found = watched.end()
    return [
        item for item in found if any(observation.confirmed for observation in item.observations)
    ]


every_odd_one = pytest.mark.parametrize("spoil", ODD.values(), ids=list(ODD))


@every_odd_one
def test_where_nothing_passes_an_odd_frame_is_no_item(spoil: Callable[[Image], Image]) -> None:
    # Nor are two in the same place, where an item may be out of sight for longer.
    scene = Scene(3, settings={"lost_seconds": 2})
    assert items(scene, spoil, *range(19, 45, 7)) == []


@every_odd_one
@pytest.mark.parametrize("odd", [24, 34, 46])  # before it comes, in the middle, going
def test_an_item_that_passes_stays_one_and_passes_when_it_did(
    spoil: Callable[[Image], Image], odd: int
) -> None:
    (item,) = items(PASSING, spoil, odd)
    assert item.last is not None
    assert item.last.passed == pytest.approx(100 + 1.5 + 200 / 150, abs=0.03)
    assert len(item.times) >= 33


@every_odd_one
def test_an_item_that_lies_still_is_one(spoil: Callable[[Image], Image]) -> None:
    assert len(items(LYING, spoil, 28, 40)) == 1


@every_odd_one
def test_the_background_is_as_it_was(spoil: Callable[[Image], Image]) -> None:
    (alone,), (item,) = items(BARE, spoil), items(BARE, spoil, 18, 21)
    assert item.times == alone.times
    assert item.boxes == alone.boxes
