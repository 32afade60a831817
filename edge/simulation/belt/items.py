"""The items for the belt, drawn or from photographs, made before they are needed."""

from __future__ import annotations

import itertools
import logging
import math
import os
import queue
import threading
from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np

from edge.core.errors import CameraError, StorageError, UnreadableImageError
from edge.core.images.image_file import Image, read_image
from edge.core.images.preprocess import Box
from edge.simulation.belt.cutout import background_of, cut_out
from edge.simulation.belt.drawing.draw import draw_item, place
from edge.simulation.belt.scene import Color, Scene
from edge.simulation.belt.sprite import Sprite, SpriteLayer
from edge.simulation.belt.traffic import BeltItem
from edge.simulation.belt.wire import BeltOrder, BeltPhotograph

_log = logging.getLogger(__name__)

_AHEAD = 3
"""The number of items that are made before they are needed."""
_CORNERS = 0.06
"""The share of the light that the lens takes from the corners. Without it, an empty plain belt
would be of one colour all over, as is what a camera sees that has its lens cap on."""
_SAMPLE = 24
"""The number of photographs from which the belt's colour is taken."""

Choice = TypeVar("Choice")


def scene_and_items(
    order: BeltOrder, *, random: np.random.Generator
) -> tuple[Scene, Iterator[BeltItem]]:
    """(the belt of an order under its camera, the items for it, without end).

    Args:
        random: decides how the belt looks.

    Raises:
        CameraError: no photograph can be read; also while the items are taken.
    """
    pixels_per_second = order.views_per_second * order.width
    scene = Scene(
        random=random,
        width=order.width,
        height=order.height,
        background=_background(order),
        blur=max(1, round(pixels_per_second * order.exposure_seconds)),
        noise_levels=1.0 if order.pictures else 2.0,  # photographs have noise of their own
        corners=_CORNERS,
    )
    if order.marks:
        scene.show_machine(random)
    if order.pictures:
        return scene, photographed(order, scene=scene)
    return scene, drawn(order.labels, scene=scene, seed=order.seed)


def _background(order: BeltOrder) -> Color | None:
    if order.background == "drawn" or (order.background == "auto" and not order.pictures):
        return None
    if order.background == "auto":
        return belt_color(order.pictures, seed=order.seed)
    red, green, blue = bytes.fromhex(order.background[1:])
    return blue, green, red


def drawn(labels: Sequence[str], *, scene: Scene, seed: int) -> Iterator[BeltItem]:
    """Draws items without end, equally many of each class."""
    for number, label in enumerate(_rounds(labels, seed), start=1):
        random = np.random.default_rng((seed, number))
        layer = SpriteLayer(draw_item(label, random=random, height=scene.height), blur=scene.blur)
        top = place(layer.box, scene, random=random, centre=0)[1]
        yield BeltItem(label, f"{seed}/{number}", "drawn", layer, top)


def photographed(order: BeltOrder, *, scene: Scene) -> Iterator[BeltItem]:
    """Cuts items out of photographs without end, in random order; each comes once in every round.

    Args:
        order: the photographs, and how large they lie where.
        scene: the belt that the items will lie on.

    Raises:
        CameraError: no photograph can be read.
    """
    pictures, readable, said = order.pictures, 0, False
    for number, picture in enumerate(_rounds(pictures, order.seed), start=1):
        try:
            image = read_image(picture.path)
        except (UnreadableImageError, StorageError) as error:
            _log.warning(f"left out: {error}")
            if number >= len(pictures) and not readable:
                raise CameraError("no photograph can be read: see the lines above") from error
            continue
        readable += 1
        sprite, cut = cut_out(image, height=_height(image, order))
        if (shrink := _shrink(sprite, order)) < 1:
            sprite = sprite.scaled(shrink)
            if not said:
                _log.warning(
                    f"{picture.path}: this would cover more of the region than the trigger's "
                    "max_area, and is drawn smaller, as are others like it"
                )
            said = True
        yield _placed(sprite, picture, cut=cut, order=order, blur=scene.blur)


def _region(order: BeltOrder) -> Box:
    return order.region or Box(0, 0, order.width, order.height)


def _height(image: Image, order: BeltOrder) -> int:
    """The height of a photograph on the belt, in pixels."""
    height = float(_region(order).height)
    if order.region is not None:
        rows, columns = image.shape[:2]
        height = min(height, order.region.width * rows / columns)
    return max(8, round(order.scale * height))


def _shrink(sprite: Sprite, order: BeltOrder) -> float:
    """The factor by which an item must be smaller, so that its box is not too large."""
    if order.region is None:
        return 1.0
    covered = sprite.box.width * sprite.box.height
    return math.sqrt(order.largest * order.region.width * order.region.height / covered)


def _placed(
    sprite: Sprite, picture: BeltPhotograph, *, cut: bool, order: BeltOrder, blur: int
) -> BeltItem:
    """The item of a photograph, where it lies with the photograph in the region's middle."""
    region, (width, height) = _region(order), sprite.size
    trimmed, (right, down) = sprite.trimmed()
    return BeltItem(
        picture.label,
        str(picture.path),
        "cut" if cut else "whole",
        SpriteLayer(trimmed, blur=blur),
        top=region.top + round((region.height - height) / 2) + down,
        left=region.left + round((region.width - width) / 2) + right,
    )


def belt_color(pictures: Sequence[BeltPhotograph], *, seed: int) -> Color:
    """The colour around the items of a sample of the photographs, BGR.

    Raises:
        CameraError: no photograph of the sample can be read.
    """
    random = np.random.default_rng(seed)
    chosen = random.permutation(len(pictures))[:_SAMPLE]
    images: list[Image] = []
    for index in chosen:
        try:
            images.append(read_image(pictures[index].path))
        except (UnreadableImageError, StorageError):
            continue  # `photographed` reports it
    if not images:
        raise CameraError(
            f"none of {len(chosen)} photographs can be read, such as {pictures[chosen[0]].path}"
        )
    return background_of(images)


class ItemsAhead:
    """Items that a separate thread makes a few items before they are needed.

    It is an `ItemSource` of `traffic.py`.
    """

    def __init__(self, things: Iterator[BeltItem], *, count: int | None, patient: bool) -> None:
        """Begins to make items.

        Args:
            things: the items, which are made as they are taken from this iterator.
            count: the number of items; None for no end.
            patient: whether to wait for an item that is not ready.
        """
        self._things = itertools.islice(things, count)
        self._patient = patient
        self._ready: queue.Queue[BeltItem | None] = queue.Queue(_AHEAD)
        self._failure: BaseException | None = None
        self.ended = False
        threading.Thread(target=self._make, name="items", daemon=True).start()

    def take(self) -> BeltItem | None:
        """The next item; None if it is not ready yet, or there are no more.

        Raises:
            BaseException: the error that ended the making of items.
        """
        if self.ended:
            return None
        try:
            thing = self._ready.get(block=self._patient)
        except queue.Empty:
            return None
        if thing is None:
            self.ended = True
            if self._failure is not None:
                raise self._failure
        return thing

    def _make(self) -> None:
        # Frames come first: items are made in the processor time that is left.
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
        try:
            for thing in self._things:
                self._ready.put(thing)
        except BaseException as error:
            self._failure = error
        self._ready.put(None)


def _rounds(choices: Sequence[Choice], seed: int) -> Iterator[Choice]:
    """Gives every choice once in a random order, then again in another, without end."""
    for turn in itertools.count():
        order = np.random.default_rng((seed, 0, turn)).permutation(len(choices))
        yield from (choices[index] for index in order)
