"""The one preprocessing: trainer, converter and edge all call `preprocess`, and nothing else.

Only operations that gave the same bytes on x86-64 and arm64, with OpenCV 4.11 and 5, are used: an
integer-factor `INTER_AREA` shrink, then `INTER_LINEAR_EXACT`. `tests/edge/model/` holds the hashes.
"""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from edge.model.image_file import Image

Tensor = npt.NDArray[np.uint8]
"""What a model takes: uint8, (height, width, channels), RGB or grey."""


class Box(NamedTuple):
    """A rectangle in a picture, in pixels from its top left corner."""

    left: int
    top: int
    width: int
    height: int


class InputSpec(BaseModel):
    """How a picture becomes a model's input tensor. Stored in the bundle, so that both agree."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    height: Annotated[int, Field(ge=8, le=2048, description="tensor height in pixels")] = 224
    width: Annotated[int, Field(ge=8, le=2048, description="tensor width in pixels")] = 224
    channels: Annotated[Literal[1, 3], Field(description="3: RGB, 1: grey")] = 3
    geometry: Annotated[
        Literal["letterbox", "center_crop", "squash"],
        Field(
            description="letterbox: all of the picture, bars fill the rest; center_crop: its "
            "middle, cut to the tensor's shape; squash: all of it, stretched"
        ),
    ] = "letterbox"
    crop: Annotated[
        Literal["region", "item"],
        Field(description="region: the station's whole region; item: the item's own box"),
    ] = "region"
    padding: Annotated[
        float,
        Field(ge=0, le=1, description="room around an item's box, as a share of its longer side"),
    ] = 0.1
    fill: Annotated[int, Field(ge=0, le=255, description="grey level of letterbox bars")] = 128

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, channels) of the tensor."""
        return (self.height, self.width, self.channels)


def preprocess(
    image: Image, spec: InputSpec, *, box: Box | None = None, out: Tensor | None = None
) -> Tensor:
    """The tensor that the model takes for `image`.

    Args:
        image: uint8 (height, width, 3) BGR, at least one pixel; a station's region, already cut.
        spec: the bundle's input spec.
        box: the item's box in `image`, used where the spec says `crop: item`. None: the whole.
        out: uint8 `spec.shape`, C-contiguous: written and returned, which saves an allocation.

    Returns:
        uint8 (height, width, channels), RGB or grey, raw levels 0..255 (the model normalises).

    Raises:
        ValueError: `image` or `out` has another shape or dtype.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise ValueError(
            f"image must be uint8 (height, width, 3). Received: {image.dtype} {image.shape}"
        )
    if out is None:
        out = np.empty(spec.shape, np.uint8)
    elif out.shape != spec.shape or out.dtype != np.uint8 or not out.flags.c_contiguous:
        raise ValueError(
            f"out must be contiguous uint8 {spec.shape}. Received: {out.dtype} {out.shape}"
        )
    if spec.crop == "item" and box is not None:
        image = _cut_item(image, box, spec.padding)
    height, width = image.shape[:2]
    if spec.geometry == "letterbox":
        scale = min(spec.height / height, spec.width / width)
        inner_height = max(1, round(height * scale))
        inner_width = max(1, round(width * scale))
        top, left = (spec.height - inner_height) // 2, (spec.width - inner_width) // 2
        bottom, right = top + inner_height, left + inner_width
        for bar in (out[:top], out[bottom:], out[top:bottom, :left], out[top:bottom, right:]):
            bar[...] = spec.fill
        inner = out[top:bottom, left:right]
        _write_channels(_resize(image, inner_height, inner_width), inner)
        return out
    if spec.geometry == "center_crop":
        scale = max(spec.height / height, spec.width / width)
        cut_height = min(height, max(1, round(spec.height / scale)))
        cut_width = min(width, max(1, round(spec.width / scale)))
        top, left = (height - cut_height) // 2, (width - cut_width) // 2
        image = image[top : top + cut_height, left : left + cut_width]
    _write_channels(_resize(image, spec.height, spec.width), out)
    return out


def _cut_item(image: Image, box: Box, padding: float) -> Image:
    room = round(padding * max(box.width, box.height))
    height, width = image.shape[:2]
    top = min(max(0, box.top - room), height - 1)
    left = min(max(0, box.left - room), width - 1)
    bottom = max(top + 1, min(height, box.top + box.height + room))
    right = max(left + 1, min(width, box.left + box.width + room))
    return image[top:bottom, left:right]


def _resize(image: Image, height: int, width: int) -> Image:
    rows, columns = image.shape[0] // height, image.shape[1] // width
    if rows > 1 or columns > 1:
        # Shrink by whole numbers first: it averages every pixel once, so nothing aliases.
        rows, columns = max(1, rows), max(1, columns)
        inner_height, inner_width = image.shape[0] // rows, image.shape[1] // columns
        top = (image.shape[0] - inner_height * rows) // 2
        left = (image.shape[1] - inner_width * columns) // 2
        image = image[top : top + inner_height * rows, left : left + inner_width * columns]
        image = cv2.resize(image, (inner_width, inner_height), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    if image.shape[:2] != (height, width):
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR_EXACT)  # type: ignore[assignment]
    return image


def _write_channels(image: Image, out: Tensor) -> None:
    if out.shape[2] == 3:
        # One SIMD pass, straight into its place; a reversed NumPy slice takes eight times as long.
        cv2.cvtColor(image, cv2.COLOR_BGR2RGB, dst=out)
        return
    # Rec. 601 luma in 8-bit fixed point, the weights of a grey JPEG (77 + 150 + 29 = 256);
    # OpenCV's own conversion is not the same on every build.
    blue, green, red = (image[:, :, channel].astype(np.uint32) for channel in range(3))
    out[:, :, 0] = (29 * blue + 150 * green + 77 * red + 128) >> 8
