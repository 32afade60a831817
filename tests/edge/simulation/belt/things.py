"""Plain things to lay on a belt."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from edge.simulation.belt.sprite import Sprite, SpriteLayer
from edge.simulation.belt.traffic import BeltItem


def plate(width: int, height: int, *, color: tuple[int, int, int] = (0, 0, 255)) -> Sprite:
    """A rectangle without shadow."""
    image = np.empty((height, width, 3), np.uint8)
    image[:] = color
    return Sprite(image, np.full((height, width), 255, np.uint8), np.zeros((height, width), "u1"))


def thing(width: int = 40, *, top: int = 30) -> BeltItem:
    """A red plate of that width."""
    return BeltItem("plate", f"{width}", "drawn", SpriteLayer(plate(width, 30)), top)


class Things:
    """A supply that gives what is put into it; None stands for one that is not ready."""

    def __init__(self, things: Iterable[BeltItem | None]) -> None:
        self._things = list(things)

    @property
    def ended(self) -> bool:
        return not self._things

    def take(self) -> BeltItem | None:
        return self._things.pop(0) if self._things else None
