"""As many items are found on drawn belts and in drawn bins as there were."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.edge.vision.trigger.scenes import (
    BIN,
    DARK,
    GREY,
    HAND,
    HEIGHT,
    PER_SECOND,
    WHITE,
    WIDTH,
    Scene,
    Thing,
    along,
    drift,
    lamp,
    look_at,
    lying,
    moving_texture,
    travelling,
    uneven_lamp,
)


def room(at: float) -> np.ndarray:
    """A corner of a workshop: things with edges that are always there."""
    picture = np.full((HEIGHT, WIDTH, 3), GREY, np.uint8)
    picture[:80] = (200, 210, 205)
    picture[90:96] = (20, 20, 20)
    picture[:, 250:262] = (150, 90, 60)
    return picture


def bumped(at: float) -> np.ndarray:
    """The corner of a workshop; somebody knocks against the camera after three seconds."""
    return room(at) if at < 3 else np.roll(room(at), (6, 6), (0, 1))


def flap(at: float) -> np.ndarray:
    """A flap that opens for a second every seven, and shows the dark bin below."""
    return np.full((HEIGHT, WIDTH, 3), 35 if 4 < at % 7 < 5 else 110, np.uint8)


def flicker(at: float) -> float:
    """A lamp on mains power, seen by a camera whose frames come a little out of step with it."""
    return 1 + 0.2 * math.sin(2 * math.pi * 4.7 * at)


def bands(at: float) -> np.ndarray:
    """The same lamp before a sensor that reads row after row: bands wander over the picture."""
    rows = np.arange(HEIGHT)[:, None, None]
    light = 1 + 0.2 * np.sin(2 * np.pi * (rows / 110 + 7.3 * at))
    return np.repeat(light, WIDTH, axis=1)


moving = moving_texture(120, 10)


SCENES = {
    "nothing, for 100 frames with noise": (Scene(100 / PER_SECOND, noise=6), 0),
    "nothing, before a corner of the workshop": (Scene(8, ground=room), 0),
    "one item passes": (Scene(6, (Thing(travelling(start=2, pace=150)),)), 1),
    "one item passes slowly": (Scene(16, (Thing(travelling(start=2, pace=30)),)), 1),
    "one item passes before a corner of the workshop": (
        Scene(6, (Thing(travelling(start=2, pace=150), DARK),), ground=room),
        1,
    ),
    "an item of the belt's lightness, but red": (
        Scene(6, (Thing(travelling(start=2, pace=150), (88, 88, 157), plain=True),)),
        1,
    ),
    "an item of the belt's colour, but darker": (
        Scene(6, (Thing(travelling(start=2, pace=150), (80, 80, 80), plain=True),)),
        1,
    ),
    "one item passes in a light that flickers": (
        Scene(6, (Thing(travelling(start=2, pace=150)),), light=flicker),
        1,
    ),
    "one item passes in bands of light, before a trigger that sees faint items": (
        Scene(6, (Thing(travelling(start=2, pace=150)),), light=bands, settings={"contrast": 10}),
        1,
    ),
    "two items side by side": (
        Scene(
            6,
            (
                Thing(travelling(start=2, pace=150, y=70)),
                Thing(travelling(start=2, pace=150, y=170), WHITE),
            ),
        ),
        2,
    ),
    "two items close behind each other": (
        Scene(
            6,
            (
                Thing(travelling(start=2, pace=150)),
                Thing(travelling(start=2, pace=150, x=-105)),
            ),
        ),
        2,
    ),
    "ten items one after the other, quick": (
        Scene(12, tuple(Thing(travelling(start=2 + 0.6 * n, pace=400)) for n in range(10))),
        10,
    ),
    "three small items, close behind each other and quick": (
        Scene(
            4,
            tuple(
                Thing(travelling(start=2 + 0.126 * n, pace=571, x=-22), WHITE, 40, 28)
                for n in range(3)
            ),
        ),
        3,
    ),
    "an item stops and goes on": (
        Scene(14, (Thing(along((2, -40, 120), (3, 140, 120), (10, 140, 120), (12, 380, 120))),)),
        1,
    ),
    "an item is put down in the middle, and taken": (
        Scene(8, (Thing(lying(start=2, end=6)),)),
        1,
    ),
    "an item is put down in the middle, of a bin": (
        Scene(8, (Thing(lying(start=2, end=6)),), settings=BIN),
        1,
    ),
    "a lamp is switched on": (Scene(8, light=lamp), 0),
    "a lamp is switched on that shines from the side": (Scene(8, light=uneven_lamp), 0),
    "a lamp is switched on while an item rests": (
        Scene(12, (Thing(lying(start=2, end=8)),), light=lamp),
        1,
    ),
    "a lamp is switched on, and an item passes after it": (
        Scene(12, (Thing(travelling(start=7, pace=150)),), light=uneven_lamp),
        1,
    ),
    "the light drifts": (Scene(10, light=drift), 0),  # up, down and up again
    "the light drifts for long": (Scene(30, light=drift), 0),
    "the light drifts, and items pass": (
        Scene(
            10,
            tuple(Thing(travelling(start=start, pace=150)) for start in (2, 6)),
            light=drift,
        ),
        2,
    ),
    "the light drifts for long, and items pass": (
        Scene(
            30,
            tuple(Thing(travelling(start=start, pace=150)) for start in (3, 9, 15, 21)),
            light=drift,
        ),
        4,
    ),
    "frames are missing while an item passes": (
        Scene(6, (Thing(travelling(start=2, pace=120)),), missing=(2.6, 3.4)),
        1,
    ),
    "an item is in one frame only": (
        Scene(5, (Thing(lying(start=3, end=3.05)),)),
        1,
    ),
    "an item passes that was in view from the start": (
        Scene(6, (Thing(travelling(start=-0.5, pace=100)),)),
        1,
    ),
    "an item that lay there from the start is taken away": (
        Scene(8, (Thing(lying(start=0, end=4)),)),
        0,
    ),
    "an item that lay there from the start goes on": (
        Scene(10, (Thing(along((0, 160, 120), (4, 160, 120), (6, 400, 120))),)),
        1,
    ),
    "an empty rough belt runs": (Scene(11, ground=moving_texture(120)), 0),
    "an item passes on a rough belt": (
        Scene(
            9,
            (Thing(travelling(start=2, pace=120), WHITE), Thing(travelling(start=4, pace=120))),
            ground=moving_texture(120),
        ),
        2,
    ),
    "the belt stops with an item on it, and goes on": (
        Scene(
            14,
            (Thing(along((2.5, -40, 120), (4, 140, 120), (8, 140, 120), (11, 500, 120)), WHITE),),
            ground=lambda at: moving(at if at < 4 else max(4, at - 4)),
        ),
        1,
    ),
    "somebody knocks against the camera": (Scene(20, ground=bumped, per_second=5), 0),
    "somebody knocks against the camera, and items pass after it": (
        Scene(
            15,
            tuple(Thing(travelling(start=start, pace=150)) for start in (6, 9, 12)),
            ground=bumped,
        ),
        3,
    ),
    "a slow item is overtaken by a quick one": (
        Scene(
            8,
            (
                Thing(travelling(start=2, pace=60)),
                Thing(travelling(start=2.2, pace=150, y=130, x=-60), WHITE),
            ),
        ),
        2,
    ),
    "items pass in three frames each": (
        Scene(8, tuple(Thing(travelling(start=2 + n, pace=1500)) for n in range(5))),
        5,
    ),
    "items pass before a camera with two frames a second": (
        Scene(
            30,
            tuple(Thing(travelling(start=5 + 5 * n, pace=60)) for n in range(4)),
            per_second=2,
        ),
        4,
    ),
    "an item lies for long": (
        Scene(80, (Thing(lying(start=2, end=75)),), per_second=4),
        1,
    ),
    "an item lies for long and then goes on": (
        Scene(
            15,
            (Thing(along((2, -40, 120), (4, 160, 120), (11, 160, 120), (14, 400, 120))),),
            settings={"stuck_seconds": 5},
        ),
        1,
    ),
    "an item lies for long and is taken, and another put in its place": (
        Scene(
            15,
            (Thing(lying(start=2, end=9)), Thing(lying(start=11, end=14))),
            settings={"stuck_seconds": 5},
        ),
        2,
    ),
    "a hand comes and goes without an item": (
        Scene(
            6,
            (Thing(along((2, 160, -70), (3, 160, 70), (4, 160, -70)), **HAND),),
            settings=BIN,
        ),
        0,
    ),
    "a hand is busy before the camera, and leaves an item": (
        Scene(
            11,
            (
                Thing(lying(start=7, end=9.5)),
                Thing(
                    along(
                        (2, 160, -250),
                        *((3 + n / 4, 150 + 20 * (n % 2), 100 + 15 * (n % 3)) for n in range(17)),
                        (7.4, 160, -250),
                    ),
                    width=330,
                    height=300,
                ),
            ),
            settings=BIN,
        ),
        1,
    ),
    "a flap opens and closes under nothing": (Scene(14, ground=flap, settings=BIN), 0),
    "a flap opens under an item each time": (
        Scene(
            14,
            tuple(Thing(lying(start=7 * n + 2, end=7 * n + 4.05)) for n in range(2)),
            ground=flap,
            settings=BIN,
        ),
        2,
    ),
    "a hand drops an item, which rests until the flap opens": (
        Scene(
            9,
            (
                Thing(along((2, 160, -40), (3, 160, 110), (6, 160, 110), (6.2, 160, 300))),
                Thing(along((2, 160, -90), (3, 160, 60), (4, 160, -90)), **HAND),
            ),
            settings=BIN,
        ),
        1,
    ),
    "a hand puts an item on the table, and takes it away": (
        Scene(
            12,
            (
                Thing(along((2, 160, -40), (3, 160, 110), (7, 160, 110), (8, 160, -40))),
                Thing(
                    along((2, 160, -90), (3, 160, 60), (4, 160, -90)),
                    **HAND,
                ),
                Thing(along((6, 160, -90), (7, 160, 60), (8, 160, -90)), **HAND),
            ),
            settings=BIN,
        ),
        1,
    ),
}


LONG = {
    "the light drifts for long",
    "the light drifts for long, and items pass",
    "an item lies for long",
}
"""Scenes of many frames; shorter ones beside them show the same."""


@pytest.mark.parametrize(
    ("scene", "count"),
    [
        pytest.param(*found, id=name, marks=[pytest.mark.slow] if name in LONG else [])
        for name, found in SCENES.items()
    ],
)
def test_as_many_items_are_found_as_there_were(scene: Scene, count: int) -> None:
    assert len(look_at(scene)) == count
