"""The pictures that a check's page shows, read again from their files in their own proportions."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np

from edge.core.errors import UnreadableImageError
from edge.core.images.contact_sheet import thumbnail
from edge.core.images.image_file import Image, read_image
from edge.core.terminal.progress import Progress
from trainer.audit.check import CheckResult
from trainer.audit.shortcut import FRAME

SIDE = 176
_QUALITY = 80


class PageThumbnails:
    """Thumbnails of pictures as data URIs, by the pictures' indices."""

    def __init__(
        self, checked: CheckResult, wanted: Iterable[int], *, framed: Iterable[int]
    ) -> None:
        """Reads the pictures and makes their thumbnails.

        Args:
            wanted: indices of the pictures to show.
            framed: indices of those that are also shown with their middle covered.
        """
        framed = set(framed)
        numbers = sorted({*wanted, *framed})
        self._plain: dict[int, str] = {}
        self._framed: dict[int, str] = {}

        def read(number: int) -> Image | None:
            try:
                return thumbnail(read_image(checked.pictures[number].path), side=SIDE)
            except UnreadableImageError:
                return None  # gone since it was checked: shown as missing

        with (
            Progress("pictures for the page", total=len(numbers)) as progress,
            ThreadPoolExecutor(max_workers=os.cpu_count()) as workers,
        ):
            for number, image in zip(numbers, workers.map(read, numbers), strict=True):
                if image is not None:
                    self._plain[number] = _uri(image)
                    if number in framed:
                        self._framed[number] = _uri(_only_frame(image))
                progress.advance()

    def plain(self, number: int) -> str:
        """The data URI of the picture; empty if its file is gone."""
        return self._plain.get(number, "")

    def framed(self, number: int) -> str:
        """The data URI of the picture with its middle covered; empty if its file is gone."""
        return self._framed.get(number, "")


def _only_frame(image: Image) -> Image:
    height, width = image.shape[:2]
    across, down = max(2, round(FRAME * width)), max(2, round(FRAME * height))
    covered = np.full_like(image, 128)
    for part in (np.s_[:down], np.s_[-down:], np.s_[:, :across], np.s_[:, -across:]):
        covered[part] = image[part]
    return covered


def _uri(image: Image) -> str:
    _, content = cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, _QUALITY))
    return "data:image/jpeg;base64," + base64.b64encode(content.tobytes()).decode()
