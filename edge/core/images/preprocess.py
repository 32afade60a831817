"""The only preprocessing: trainer, converter and edge all call `preprocess`.

It uses only operations that gave the same bytes on x86-64 and arm64, with OpenCV 4.11 and 5:
`INTER_AREA` by whole factors, and `INTER_LINEAR_EXACT`. `tests/data/preprocess_hashes.json` holds
the hashes.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Annotated, Literal, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from edge.core.images.image_file import Image

Tensor = npt.NDArray[np.uint8]
"""The input of a model: uint8, (height, width, channels), RGB or grey."""


_UINT8 = np.dtype(np.uint8)


class Box(NamedTuple):
    """A rectangle in a picture, in pixels from its top left corner."""

    left: int
    top: int
    width: int
    height: int


class InputSpec(BaseModel):
    """How a picture becomes a model's input tensor; the bundle stores it for the station."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    height: Annotated[int, Field(ge=8, le=2048, description="tensor height in pixels")] = 224
    width: Annotated[int, Field(ge=8, le=2048, description="tensor width in pixels")] = 224
    channels: Annotated[Literal[1, 3], Field(description="3: RGB, 1: grey")] = 3
    geometry: Annotated[
        Literal["letterbox", "center_crop", "squash"],
        Field(
            description="letterbox: the whole picture, with bars around it; center_crop: its "
            "middle, cut to the tensor's shape; squash: the whole picture, stretched"
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
    """The model's input tensor for `image`.

    Args:
        image: uint8 (height, width, 3) BGR, at least one pixel; a station's region, already cut.
        spec: the bundle's input spec.
        box: the item's box in `image`, used if the spec says `crop: item`; None means all of it.
        out: uint8 `spec.shape`, C-contiguous: written and returned, which saves an allocation.

    Returns:
        uint8 (height, width, channels), RGB or grey, raw levels 0..255 (the model normalises).

    Raises:
        ValueError: `image` or `out` has another shape or dtype.

    Example:
        >>> frame = np.zeros((480, 640, 3), np.uint8)
        >>> tensor = preprocess(frame, InputSpec(height=96, width=96, channels=1))
        >>> tensor.shape, str(tensor.dtype)
        ((96, 96, 1), 'uint8')
    """
    if image.dtype != _UINT8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise ValueError(
            f"image must be uint8 (height, width, 3). Received: {image.dtype} {image.shape}"
        )
    if out is None:
        out = np.empty(spec.shape, np.uint8)
    elif out.shape != spec.shape or out.dtype != _UINT8 or not out.flags.c_contiguous:
        raise ValueError(
            f"out must be contiguous uint8 {spec.shape}. Received: {out.dtype} {out.shape}"
        )
    if spec.crop == "item" and box is not None:
        image = cut_item(image, box, spec.padding)
    plan = _plan(image.shape[0], image.shape[1], spec.height, spec.width, spec.geometry)
    if plan.cut is not None:
        image = image[plan.cut]
    for size, interpolation in plan.shrinks:
        image = cv2.resize(image, size, interpolation=interpolation)  # type: ignore[assignment]
    if plan.resized is not None:
        image = cv2.resize(image, plan.resized, interpolation=cv2.INTER_LINEAR_EXACT)  # type: ignore[assignment]
    for bar in plan.bars:
        out[bar] = spec.fill
    _write_channels(image, out if plan.place is None else out[plan.place])
    return out


def resize_steps(spec: InputSpec, *, width: int, height: int) -> int:
    """How many resizes a picture of this size needs: 0, 1 or 2. With two, the first one shrinks it
    by whole numbers. (Halving it several times counts as one.)

    Args:
        width, height: pixels of what becomes the tensor; for `crop: item`, those of an item.

    Example:
        >>> spec = InputSpec(height=224, width=224)
        >>> [resize_steps(spec, width=width, height=480) for width in (640, 448)]
        [2, 2]
        >>> resize_steps(spec, width=448, height=336)
        1
    """
    plan = _plan(height, width, spec.height, spec.width, spec.geometry)
    return bool(plan.shrinks) + (plan.resized is not None)


def cut_item(image: Image, box: Box, padding: float) -> Image:
    """The item's box with a margin, clipped to the picture; a view, not a copy.

    Args:
        image: uint8 (height, width, 3), a station's region.
        padding: the margin on each side, as a share of the box's longer side.
    """
    room = round(padding * max(box.width, box.height))
    height, width = image.shape[:2]
    top = min(max(0, box.top - room), height - 1)
    left = min(max(0, box.left - room), width - 1)
    bottom = max(top + 1, min(height, box.top + box.height + room))
    right = max(left + 1, min(width, box.left + box.width + room))
    return image[top:bottom, left:right]


_Part = tuple[slice, slice]


class _Plan(NamedTuple):
    """How a picture of one size becomes a tensor of one size; sizes are (width, height)."""

    cut: _Part | None
    """The part of the picture that is used; None means all of it."""
    shrinks: tuple[tuple[tuple[int, int], int], ...]
    """(the size, OpenCV's interpolation) of each step of the shrink by whole numbers, which
    averages every pixel once, so that nothing aliases; empty if none is needed."""
    resized: tuple[int, int] | None
    """The size after the final resize; None if this step is not needed."""
    bars: tuple[_Part, ...]
    """The parts of the tensor that are filled with grey."""
    place: _Part | None
    """The part of the tensor that the picture fills; None means all of it."""


@functools.lru_cache(maxsize=64)  # all frames of a camera have one plan
def _plan(height: int, width: int, out_height: int, out_width: int, geometry: str) -> _Plan:
    top, left, cut_height, cut_width = 0, 0, height, width
    inner_height, inner_width = out_height, out_width
    if geometry == "letterbox":
        scale = min(out_height / height, out_width / width)
        inner_height, inner_width = max(1, round(height * scale)), max(1, round(width * scale))
    elif geometry == "center_crop":
        scale = max(out_height / height, out_width / width)
        cut_height = min(height, max(1, round(out_height / scale)))
        cut_width = min(width, max(1, round(out_width / scale)))
        top, left = (height - cut_height) // 2, (width - cut_width) // 2
    halvings, rows, columns = _factors((cut_height, cut_width), (inner_height, inner_width))
    shrunk_height = cut_height // (rows << halvings)
    shrunk_width = cut_width // (columns << halvings)
    # The remainder of the division is cropped evenly on both sides.
    used_height, used_width = shrunk_height * rows << halvings, shrunk_width * columns << halvings
    top += (cut_height - used_height) // 2
    left += (cut_width - used_width) // 2
    cut = _part(top, left, used_height, used_width)
    above, beside = (out_height - inner_height) // 2, (out_width - inner_width) // 2
    bars = (
        _part(0, 0, above, out_width),
        _part(above + inner_height, 0, out_height - above - inner_height, out_width),
        _part(above, 0, inner_height, beside),
        _part(above, beside + inner_width, inner_height, out_width - beside - inner_width),
    )
    inner = (inner_height, inner_width)
    return _Plan(
        cut=None if cut == _part(0, 0, height, width) else cut,
        shrinks=tuple(_shrinks((used_height, used_width), halvings, rows, columns)),
        resized=None if (shrunk_height, shrunk_width) == inner else (inner_width, inner_height),
        bars=tuple(
            bar for bar in bars if bar[0].start < bar[0].stop and bar[1].start < bar[1].stop
        ),
        place=None if inner == (out_height, out_width) else _part(above, beside, *inner),
    )


def _factors(size: tuple[int, int], wanted: tuple[int, int]) -> tuple[int, int, int]:
    """(how often a picture is halved, and by which whole factors its rows and its columns are then
    divided) on its way to a wanted size; sizes are (height, width).

    A picture is halved while both its sides stay at least as long as wanted: OpenCV halves with
    SIMD instructions, and divides by other factors four times as slowly. What is more than that is
    divided where one side is twice too long, or where the division comes out even and no resize is
    needed after it.
    """
    rows, columns = (max(1, has // wants) for has, wants in zip(size, wanted, strict=True))
    if size == (wanted[0] * rows, wanted[1] * columns):
        halvings = min((factor & -factor).bit_length() for factor in (rows, columns)) - 1
        return halvings, rows >> halvings, columns >> halvings
    halvings = min(rows, columns).bit_length() - 1
    rows, columns = (
        max(1, (has >> halvings) // wants) for has, wants in zip(size, wanted, strict=True)
    )
    return halvings, rows, columns


def _shrinks(
    size: tuple[int, int], halvings: int, rows: int, columns: int
) -> Iterator[tuple[tuple[int, int], int]]:
    """((width, height), OpenCV's interpolation) of each step of a shrink by whole factors."""
    height, width = size
    for _ in range(halvings):
        height, width = height // 2, width // 2
        yield (width, height), cv2.INTER_AREA
    if (rows, columns) != (1, 1):
        # Between two pixels lies their mean: the same as an area of two, in half the time.
        half = {rows, columns} == {1, 2}
        how = cv2.INTER_LINEAR_EXACT if half else cv2.INTER_AREA
        yield (width // columns, height // rows), how


def _part(top: int, left: int, height: int, width: int) -> _Part:
    return slice(top, top + height), slice(left, left + width)


def _write_channels(image: Image, out: Tensor) -> None:
    if out.shape[2] == 3:
        # One SIMD pass, directly into `out`; a reversed NumPy slice takes eight times as long.
        cv2.cvtColor(image, cv2.COLOR_BGR2RGB, dst=out)
        return
    # Rec. 601 luma in 8-bit fixed point, the weights of a grey JPEG (77 + 150 + 29 = 256);
    # OpenCV's own conversion is not the same on every build.
    blue, green, red = (image[:, :, channel].astype(np.uint32) for channel in range(3))
    out[:, :, 0] = (29 * blue + 150 * green + 77 * red + 128) >> 8
