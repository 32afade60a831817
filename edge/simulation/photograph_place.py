"""Where and how large photographs lie under a station's camera, and whether its region suits them.

A model that looks at the whole region was trained on photographs of such regions, so that a
photograph is drawn as large as the region: at its best moment, the region shows the photograph.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path

from edge.config.reading import StationPlan
from edge.core.dataset import PictureSet
from edge.core.errors import StorageError, UnreadableImageError
from edge.core.images.image_file import read_image
from edge.core.images.preprocess import Box
from edge.simulation.belt import camera
from edge.simulation.belt.wire import BeltOrder
from edge.vision.region import Region
from edge.vision.trigger import motion

CAMERA_SIZE = (640, 480)
"""(width, height) of what a camera gives where its settings do not tell."""
WHOLE, ITEM = 1.0, 0.75
"""The size of a photograph on the belt, in sizes of the region, for a model that looks at the whole
region, and for one that looks at an item's own box: all of that is then in view for a while."""
_SEEN = 0.9
"""The largest item is drawn as this share of the trigger's `max_area`: a trigger sees an item with
its rim and with the dark part of its shadow."""
_SAMPLE = 9
"""The number of photographs whose shape is looked at."""
_OTHER_SHAPE = 1.1
"""A ratio of width to height that is so many times another one makes a model see other items."""


def placed_in_region(order: BeltOrder, plan: StationPlan, *, travels: bool) -> BeltOrder:
    """The order with its photographs, if it has any, in the region of the station.

    Args:
        travels: whether they come in over the region's edge, rather than appear in it.
    """
    if not order.pictures:
        return order
    seen = plan.config.region or Region(width=order.width, height=order.height)
    region = Box(seen.left, seen.top, seen.width, seen.height)
    trigger = plan.config.trigger
    most = 1.0
    if isinstance(trigger, motion.Settings) and (trigger.still_seconds or not travels):
        most = trigger.max_area
    largest = most if most == 1 else _SEEN * most
    return order.model_copy(update={"region": region, "largest": largest})


def shape_warning(plan: StationPlan, photographs: PictureSet) -> str | None:
    """What to say if the model looks at all of a region that has another shape than photographs.

    None: there is nothing to say.
    """
    config = plan.config
    if plan.bundle.manifest.input.crop != "region" or isinstance(config.camera, camera.Settings):
        return None  # a belt of the station file's own has its scale there
    width, height = config.camera.size or CAMERA_SIZE
    region = config.region or Region(width=width, height=height)
    shape = usual_shape([picture.path for picture in photographs.pictures])
    seen = region.width / region.height
    if shape is None or max(shape / seen, seen / shape) < _OTHER_SHAPE:
        return None
    better = region_of_shape(shape, width=width, height=height)
    fields = ", ".join(f"{name}: {value}" for name, value in better.model_dump().items())
    return (
        f"the photographs are {shape:.2f} times as wide as high, and the region "
        f"({region.width}x{region.height}) is {seen:.2f} times. The model looks at all of it, and "
        "items look different there than in its photographs. A region of their shape is "
        f"`region: {{{fields}}}`"
    )


def class_warning(plan: StationPlan, photographs: PictureSet) -> str | None:
    """What to say if some photographs are of classes that the model does not have.

    None: there is nothing to say.
    """
    labels = plan.bundle.labels
    unknown = [label for label in photographs.labels if label not in labels]
    if not unknown:
        return None
    return (
        f"{photographs.source}: {plan.bundle.title} has no label {', '.join(map(repr, unknown))}: "
        "items of such a class belong into no lane, and make each one impure into which they fall"
    )


def region_of_shape(shape: float, *, width: int, height: int) -> Region:
    """The largest region of a picture, in its middle, whose width is `shape` times its height.

    Example:
        >>> region_of_shape(0.75, width=640, height=480)
        Region(left=140, top=0, width=360, height=480)
    """
    across, down = min(width, round(height * shape)), min(height, round(width / shape))
    return Region(left=(width - across) // 2, top=(height - down) // 2, width=across, height=down)


def usual_shape(files: Sequence[Path]) -> float | None:
    """The median ratio of width to height of a few photographs; None: none can be read."""
    shapes = []
    for file in files[:: max(1, len(files) // _SAMPLE)]:
        try:
            rows, columns = read_image(file).shape[:2]
        except (UnreadableImageError, StorageError):
            continue  # who cuts them out reports it
        shapes.append(columns / rows)
    return statistics.median(shapes) if shapes else None
