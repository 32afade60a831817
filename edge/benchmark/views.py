"""The view of a station that does not run: what `bench` draws in place of its camera's pictures."""

from __future__ import annotations

import logging
from pathlib import Path

from edge.benchmark.drawn_belt import plain_belt
from edge.benchmark.frame_to_verdict import FRAME_HEIGHT, FRAME_WIDTH, View
from edge.config.reading import read_vision_config
from edge.core.images.image_file import read_image
from edge.flow import Frame
from edge.vision.region import cut
from edge.vision.trigger import TriggerSettings
from edge.vision.trigger.continuous import Settings as ContinuousSettings
from edge.vision.trigger.motion import Settings as MotionSettings

_log = logging.getLogger(__name__)


def drawn_view(size: tuple[int, int] | None = None) -> View:
    """A drawn belt of so many pixels across and down, with the default trigger; None: 640x480."""
    return View(plain_belt(*(size or (FRAME_WIDTH, FRAME_HEIGHT))))


def pictured_view(picture: Path) -> View:
    """The belt that a picture shows, with the default trigger.

    Raises:
        DataError: the picture cannot be read.
    """
    return View(read_image(picture))


def station_view(station: Path, picture: Path | None) -> View:
    """The region and the trigger of a station file, with a drawn belt or that of a picture.

    The background is learned in a second, and moving things are items, whatever the file says:
    neither changes how long a frame takes. A trigger that is told of items by something else than
    frames takes every frame for one here.

    Raises:
        ConfigError: the station file has mistakes.
        RegionError: the region does not lie within the picture.
        DataError: the picture cannot be read.
    """
    vision = read_vision_config(station)
    trigger: TriggerSettings = ContinuousSettings(kind="continuous")
    if isinstance(vision.trigger, MotionSettings):
        quick = {"learn_seconds": 1.0, "still_seconds": 0.0}
        trigger = vision.trigger.model_copy(update=quick)
    if picture is not None:
        image = read_image(picture)
        belt = cut(Frame(image, 0.0, 0, str(picture)), vision.region).image
        return View(belt, trigger, vision.region, (image.shape[1], image.shape[0]))
    size = vision.camera.size
    if vision.region is not None:
        belt = plain_belt(vision.region.width, vision.region.height)
        return View(belt, trigger, vision.region, size)
    if size is None:
        _log.warning(
            f"warning    {station} does not say how large a picture is: measuring with "
            f"{FRAME_WIDTH}x{FRAME_HEIGHT} pixels; --image takes one of the camera's pictures"
        )
    return View(plain_belt(*(size or (FRAME_WIDTH, FRAME_HEIGHT))), trigger, None, size)
