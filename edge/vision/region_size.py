"""The sizes of a region that a model's preprocessing resizes in one step. Pure.

A region becomes the model's input by a shrink by whole numbers, and then by a resize to the exact
size. Where its size is a multiple of the input's, the second step has nothing to do.
"""

from __future__ import annotations

from collections.abc import Iterator

from edge.core.images.preprocess import InputSpec, resize_steps
from edge.vision.region import Region


def one_step_region(spec: InputSpec, wanted: Region, *, picture: tuple[int, int]) -> Region | None:
    """The region most like `wanted` that is resized in one step at most.

    "Most like" is the largest intersection over union of the two. The region keeps its middle, as
    far as the picture allows.

    Args:
        spec: the model's input.
        wanted: the region as somebody chose it.
        picture: width and height of the camera's picture.

    Returns:
        `wanted` itself if one step is enough for it. None if the picture is too small for any, or
        if the model looks at the item's own box, whose size nobody chooses.

    Example:
        >>> spec = InputSpec(height=224, width=224, geometry="squash")
        >>> one_step_region(spec, Region(width=640, height=480), picture=(640, 480))
        Region(left=96, top=16, width=448, height=448)
    """
    if spec.crop == "item":
        return None
    if resize_steps(spec, width=wanted.width, height=wanted.height) <= 1:
        return wanted
    fitting = [
        size
        for size in _sizes(spec, wanted, picture)
        if resize_steps(spec, width=size[0], height=size[1]) <= 1
    ]
    if not fitting:
        return None
    width, height = max(fitting, key=lambda size: _likeness(size, (wanted.width, wanted.height)))
    left = wanted.left + (wanted.width - width) // 2
    top = wanted.top + (wanted.height - height) // 2
    return Region(
        left=min(max(0, left), picture[0] - width),
        top=min(max(0, top), picture[1] - height),
        width=width,
        height=height,
    )


def _sizes(spec: InputSpec, wanted: Region, picture: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """Widths and heights within the picture whose multiples of the input's may come out even."""
    across = range(1, picture[0] // spec.width + 1)
    down = range(1, picture[1] // spec.height + 1)
    if spec.geometry == "squash":
        yield from ((spec.width * i, spec.height * j) for i in across for j in down)
        return
    for factor in range(1, max(len(across), len(down)) + 1):
        width, height = spec.width * factor, spec.height * factor
        if width <= picture[0] and height <= picture[1]:
            yield width, height
        if spec.geometry == "letterbox":  # the other side may be shorter, by whole blocks
            if width <= picture[0]:
                yield from (
                    (width, one) for one in _near(wanted.height, factor, height, picture[1])
                )
            if height <= picture[1]:
                yield from ((one, height) for one in _near(wanted.width, factor, width, picture[0]))


def _near(wanted: int, factor: int, most: int, picture: int) -> Iterator[int]:
    """The multiples of `factor` on both sides of `wanted`, where they are possible."""
    most = min(most, picture)
    below = min(wanted, most) // factor * factor
    yield from (side for side in (below, below + factor) if 8 <= side <= most)


def _likeness(size: tuple[int, int], wanted: tuple[int, int]) -> float:
    common = min(size[0], wanted[0]) * min(size[1], wanted[1])
    return common / (size[0] * size[1] + wanted[0] * wanted[1] - common)
