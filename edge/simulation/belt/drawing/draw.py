"""Draws the items of the simulated belt, which are used if there are no photographs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from edge.core.images.image_file import Image
from edge.core.images.preprocess import Box
from edge.simulation.belt import LABELS
from edge.simulation.belt.drawing.carton import carton
from edge.simulation.belt.drawing.fruit import fruit
from edge.simulation.belt.drawing.paper import paper_ball
from edge.simulation.belt.drawing.vessels import bottle, can, cup
from edge.simulation.belt.scene import PlacedLayer, Scene
from edge.simulation.belt.sprite import Sprite, SpriteLayer

__all__ = ["LABELS", "draw_item", "photograph", "place"]

_DRAW: Mapping[str, Callable[..., Sprite]] = MappingProxyType(
    {
        "bottle": bottle,
        "can": can,
        "carton": carton,
        "cup": cup,
        "fruit": fruit,
        "paper_ball": paper_ball,
    }
)


def draw_item(label: str, *, random: np.random.Generator, height: int = 480) -> Sprite:
    """An item of the class `label` in a random form, colour and pose.

    Args:
        label: one of LABELS.
        random: decides everything about it: the same state gives the same item.
        height: of the view that it will lie in, in pixels, which sets its size.

    Raises:
        ValueError: no such label.
    """
    if label not in LABELS:
        raise ValueError(f"label must be one of {', '.join(LABELS)}. Received: {label!r}")
    return _DRAW[label](random, height=height)


def place(
    box: Box, scene: Scene, *, random: np.random.Generator, centre: float, aside: float = 0.12
) -> tuple[int, int]:
    """A random position (left, top) for a layer in the view.

    Args:
        box: of the item in its layer.
        centre: where the item's middle comes to lie, in pixels from the left edge.
        aside: how far it may lie from the belt's middle line, in heights of the view; less where
            it would touch the rails.
    """
    left = round(centre - box.left - box.width / 2)
    room = max(0.0, scene.height / 2 - scene.margin - box.height / 2 - 2)
    off = random.uniform(-1, 1) * min(room, aside * scene.height)
    return left, round(scene.height / 2 + off - box.top - box.height / 2)


def photograph(
    label: str,
    *,
    random: np.random.Generator,
    width: int = 640,
    height: int = 480,
    scene: Scene | None = None,
) -> tuple[Image, Box]:
    """A picture of one item near the middle of the belt's view, and the item's box in it.

    The picture is what the belt's camera shows, so a folder of these is a folder to train on.

    Args:
        label: one of LABELS.
        random: decides everything, the belt as well where no scene is given.
        scene: the belt, of the size asked for; making one takes longer than a picture of it.

    Raises:
        ValueError: no such label, or a scene of another size.
    """
    scene = scene or Scene(random=random, width=width, height=height)
    if (scene.width, scene.height) != (width, height):
        raise ValueError(
            f"scene must be {width}x{height} pixels. Received: {scene.width}x{scene.height}"
        )
    layer = SpriteLayer(draw_item(label, random=random, height=height), blur=scene.blur)
    centre = width * (0.5 + random.uniform(-0.08, 0.08))
    left, top = place(layer.box, scene, random=random, centre=centre)
    moved = int(random.integers(1 << 16))
    image = scene.view([PlacedLayer(layer, left, top)], moved=moved, random=random)
    own = layer.box
    x0, y0 = max(0, left + own.left), max(0, top + own.top)
    x1, y1 = min(width, left + own.left + own.width), min(height, top + own.top + own.height)
    return image, Box(x0, y0, x1 - x0, y1 - y0)
