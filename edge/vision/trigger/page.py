"""An HTML page of what a motion trigger found: each item in its best frame, then the frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from edge.core.errors import StorageError
from edge.core.images.contact_sheet import Mark, SheetSection, Tile, write_contact_sheet
from edge.core.images.image_file import Image
from edge.core.images.preprocess import Box
from edge.core.terminal.wording import number_of
from edge.vision.trigger.blobs import RIM
from edge.vision.trigger.replay import Item, ReplayResult

SIDE = 320
"""The longer side in pixels of a picture on the page."""
ITEMS, STEPS = 60, 48
"""The largest numbers of items and of frames that the page shows."""
_COLOURS = ((0, 94, 213), (178, 114, 0), (115, 158, 0), (167, 121, 204), (66, 228, 240))
"""BGR; distinguishable with every kind of colour blindness (Okabe and Ito, 2008). Items also have
numbers."""
_MASK = (255, 0, 255)
_FONT = cv2.FONT_HERSHEY_SIMPLEX


class Pictures:
    """The frames of a recording for the page: reduced, and stored as JPEG in memory."""

    def __init__(self) -> None:
        self._frames: list[tuple[bytes, tuple[int, int]]] = []

    def add(self, image: Image) -> None:
        """Adds the next frame, uint8 (height, width, 3) BGR, cut to the region.

        Raises:
            StorageError: the frame cannot be encoded as JPEG.
        """
        height, width = image.shape[:2]
        scale = min(1.0, SIDE / max(height, width))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        done, content = cv2.imencode(".jpg", small, (cv2.IMWRITE_JPEG_QUALITY, 90))
        if not done:
            raise StorageError(f"a frame of {width}x{height} pixels cannot be encoded as JPEG")
        self._frames.append((content.tobytes(), (width, height)))

    def drawn(self, index: int, look: ReplayResult) -> Image:
        """The frame with the outlines of all blobs and the boxes of the items."""
        content, _ = self._frames[index]
        image = np.asarray(cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR))
        width, height = look.size
        across, down = image.shape[1] / width, image.shape[0] / height
        mask = np.zeros((height, width), np.uint8)
        for blob in look.blobs[index]:
            top, left = max(0, blob.box.top - RIM), max(0, blob.box.left - RIM)
            tall, wide = blob.shape.shape
            part = mask[top : top + tall, left : left + wide]
            part[np.asarray(blob.shape) > 0] = 1
        edges = cv2.findContours(
            cv2.resize(mask, (image.shape[1], image.shape[0]), interpolation=cv2.INTER_NEAREST),
            cv2.RETR_EXTERNAL,
            cv2.CHAIN_APPROX_SIMPLE,
        )[0]
        cv2.drawContours(image, edges, -1, _MASK, 1)
        for item in look.items:
            if index in item.boxes:
                _box(image, item.boxes[index], (across, down), look.items.index(item) + 1)
        return image


def write_trigger_page(
    path: Path,
    *,
    title: str,
    summary: Sequence[str],
    look: ReplayResult,
    pictures: Pictures,
    times: Sequence[float],
) -> None:
    """Writes the page: first the summary, then each item, then the frames one after the other.

    Args:
        path: the file to write.
        title: the page's title.
        summary: the lines at its top.
        look: the items and the blobs.
        pictures: the recorded frames.
        times: the time of each frame, in seconds from the first one.

    Raises:
        StorageError: the file cannot be written.
    """
    apart = {id(item) for group in look.together for item in group}
    items = [
        Tile(
            pictures.drawn(_best_frame(item, look.size), look),
            f"item {number}",
            f"{times[min(item.boxes)]:.1f} to {times[max(item.boxes)]:.1f} s, "
            f"{number_of(len(item.boxes), 'frames')}",
            Mark.WRONG if id(item) in apart else None,
        )
        for number, item in enumerate(look.items[:ITEMS], 1)
    ]
    shown = _steps(look)
    steps = [Tile(pictures.drawn(index, look), f"{times[index]:.2f} s") for index in shown]
    write_contact_sheet(
        path,
        title=title,
        summary=summary,
        sections=[
            SheetSection(
                "Items",
                items,
                "Each item is shown in the frame in which it is nearest to the middle. Thin lines "
                "outline what differs from the background; each box is an item.",
                count=len(look.items),
            ),
            SheetSection("One after the other", steps, "Frames in which something was in view."),
        ],
        meanings=_MEANINGS,
    )


_MEANINGS: Mapping[Mark, str] = {
    Mark.WRONG: "close beside another item: perhaps a part of the same one"
}


def _steps(look: ReplayResult) -> list[int]:
    busy = [index for index, blobs in enumerate(look.blobs) if blobs]
    if len(busy) <= STEPS:
        return busy
    return [busy[step * len(busy) // STEPS] for step in range(STEPS)]


def _best_frame(item: Item, size: tuple[int, int]) -> int:
    """The frame in which the item is nearest to the middle, and whole if there is such a frame."""

    def rank(index: int) -> tuple[bool, float]:
        box = item.boxes[index]
        across = box.left + box.width / 2 - size[0] / 2
        down = box.top + box.height / 2 - size[1] / 2
        return index not in item.whole, across**2 + down**2

    return min(item.boxes, key=rank)


def _box(image: Image, box: Box, scale: tuple[float, float], number: int) -> None:
    colour = _COLOURS[(number - 1) % len(_COLOURS)]
    left, top = round(box.left * scale[0]), round(box.top * scale[1])
    right = round((box.left + box.width) * scale[0]) - 1
    bottom = round((box.top + box.height) * scale[1]) - 1
    cv2.rectangle(image, (left, top), (right, bottom), colour, 2)
    text = str(number)
    (wide, high), _ = cv2.getTextSize(text, _FONT, 0.6, 2)
    cv2.rectangle(image, (left, top), (left + wide + 8, top + high + 8), colour, cv2.FILLED)
    cv2.putText(image, text, (left + 4, top + high + 4), _FONT, 0.6, (255, 255, 255), 2)
