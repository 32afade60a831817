"""Pictures of the items of a run for its page: of each lane some, those that are wrong first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from edge.core.images.contact_sheet import Mark, Tile
from edge.core.images.image_file import Image
from edge.simulation.account.fates import LanePlace, Pending

_MOST: Mapping[Mark, int] = {Mark.OK: 12, Mark.WRONG: 36, Mark.REJECT: 36}
"""How many pictures of a lane are kept, by whether they belong there."""


class Gallery:
    """The first few items of each lane, so that memory does not grow with the number of items."""

    def __init__(self, places: Sequence[LanePlace]) -> None:
        """Has no pictures yet."""
        self._places = {place.name: place for place in places}
        self._tiles: dict[str, list[Tile]] = {}
        self._kept: Counter[tuple[str, Mark]] = Counter()

    def __call__(self, pending: Pending, lane: str) -> None:
        """Takes an item that fell into `lane`."""
        mark = self._mark(pending.item.label, lane)
        if self._kept[lane, mark] < _MOST[mark]:
            self._kept[lane, mark] += 1
            self._tiles.setdefault(lane, []).append(_tile(pending, lane, mark))

    def of(self, lane: str) -> list[Tile]:
        """The pictures of a lane."""
        return self._tiles.get(lane, [])

    def _mark(self, label: str, lane: str) -> Mark:
        labels = self._places[lane].labels if lane in self._places else ()
        if label in labels:
            return Mark.OK
        return Mark.WRONG if labels else Mark.REJECT


def _tile(pending: Pending, lane: str, mark: Mark) -> Tile:
    item, first = pending.item, pending.first
    if first is None or first.row is None:
        return Tile(blank_picture(), f"{item.label}: no verdict", f"item {item.number}", mark)
    row = first.row
    caption = "unreadable" if row.label is None else f"{row.label} {row.confidence:.0%}"
    if row.label != item.label:
        caption += f", is {item.label}"
    detail = f"item {item.number}, {row.frames} frames"
    if row.reject:
        detail += f", {row.reject.replace('_', ' ')}"
    elif row.lane != lane:
        detail += f", sent to {row.lane}"
    if len(pending.judgements) > 1:
        detail += f", {len(pending.judgements)} verdicts"
    return Tile(blank_picture() if first.picture is None else first.picture, caption, detail, mark)


def blank_picture() -> Image:
    """A grey picture with a stroke, in place of one that is missing: uint8 (96, 96, 3)."""
    image = np.full((96, 96, 3), 200, np.uint8)
    cv2.line(image, (24, 24), (72, 72), (140, 140, 140), 3)
    return image
