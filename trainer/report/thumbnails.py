"""Makes small pictures within a page, as many as its size allows."""

from __future__ import annotations

import base64
from typing import Any

import cv2
import numpy as np

from edge.core.images.contact_sheet import thumbnail
from edge.core.images.preprocess import Tensor

_QUALITY = 80
_SMALL = 64
"""A picture with a shorter longer side, in pixels, is enlarged by a whole factor."""


class Thumbnails:
    """Pictures as data URIs, until `budget` bytes are used up."""

    def __init__(self, tensors: Any, *, budget: int = 2_000_000, side: int = 160) -> None:
        """Uses the pictures of `tensors`, uint8 (pictures, height, width, channels)."""
        self._tensors, self._left, self._side = tensors, budget, side
        self._made: dict[int, str] = {}

    def of_row(self, row: int) -> str:
        """The picture of a row of the tensors; empty if there is no room for it."""
        if self._tensors is None:
            return ""
        if row not in self._made:
            self._made[row] = jpeg_uri(np.asarray(self._tensors[row]), side=self._side)
        return self._taken(self._made[row])

    def of_tensor(self, tensor: Tensor, *, side: int) -> str:
        """The picture of `tensor`; empty if there is no room for it."""
        return self._taken(jpeg_uri(tensor, side=side))

    def _taken(self, uri: str) -> str:
        if len(uri) > self._left:
            return ""
        self._left -= len(uri)
        return uri


def jpeg_uri(tensor: Tensor, *, side: int) -> str:
    """A tensor, uint8 (height, width, channels) RGB or grey, as a JPEG in a data URI."""
    image = np.repeat(tensor, 3, axis=2) if tensor.shape[2] == 1 else tensor[:, :, ::-1]
    image = np.ascontiguousarray(image)
    scale = _SMALL // max(image.shape[:2])
    if scale > 1:
        image = image.repeat(scale, axis=0).repeat(scale, axis=1)
    _, content = cv2.imencode(
        ".jpg", thumbnail(image, side=side), (cv2.IMWRITE_JPEG_QUALITY, _QUALITY)
    )
    return "data:image/jpeg;base64," + base64.b64encode(content.tobytes()).decode()
