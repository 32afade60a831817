"""Items are what comes into view, stays or travels, and leaves again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, ClassVar, Literal

import cv2
import numpy as np
from pydantic import Field, ValidationInfo, field_validator

from edge.core.images.image_file import Image
from edge.core.images.preprocess import Box
from edge.core.yaml_messages import advised
from edge.flow import Frame, Observation
from edge.vision.trigger import Trigger, TriggerSettings
from edge.vision.trigger.background import Background
from edge.vision.trigger.blobs import Blob
from edge.vision.trigger.track import Track
from edge.vision.trigger.tracks import Tracks

_LONGEST_SIDE = 160
"""Pixels, about: the size of the pictures in which motion is looked for."""


class Settings(TriggerSettings):
    """`trigger: {kind: motion, ...}`. Sizes are shares of the region, times are in seconds."""

    has_box: ClassVar[bool] = True

    kind: Annotated[Literal["motion"], Field(description="the kind of trigger")]
    min_area: Annotated[
        float,
        Field(ge=0.0005, le=0.5, description="smallest item, as a share of the region's area"),
    ] = 0.005
    max_area: Annotated[
        float,
        Field(
            ge=0.05,
            le=1,
            description="share of the region's area above which a change is not an item but the "
            "light or the camera",
        ),
    ] = 0.7
    min_gap: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="what is nearer to each other than this is one item, as a share of the "
            "region's longer side; 0: only what touches. For items that look like several things, "
            "clear bottles say, where they come one by one",
        ),
    ] = 0
    contrast: Annotated[
        float,
        Field(
            ge=4,
            le=128,
            description="levels, of 255, by which an item differs from the background in red, "
            "green or blue; lower finds fainter items, higher ignores more noise",
        ),
    ] = 20
    still_seconds: Annotated[
        float,
        Field(
            ge=0,
            le=60,
            description="0: items count while they move, as on a belt; above: only what has "
            "been at rest for so long is an item, as in a bin or on a table, not the hand",
        ),
    ] = 0
    lost_seconds: Annotated[
        float,
        Field(ge=0, le=10, description="how long an item may be out of sight before it is gone"),
    ] = 0.3
    stuck_seconds: Annotated[
        float,
        Field(
            ge=1,
            le=86400,
            description="what has been at rest for longer belongs to the background",
        ),
    ] = 60
    learn_seconds: Annotated[
        float,
        Field(
            ge=0.1,
            le=60,
            description="how long the background is watched at first, if there is a belt while it "
            "runs; no items until then",
        ),
    ] = 1

    @field_validator("max_area")
    @classmethod
    def _above_smallest(cls, largest: float, info: ValidationInfo) -> float:
        smallest = info.data.get("min_area")
        if smallest is not None and smallest >= largest:
            raise advised(f"must be above min_area ({smallest:g}). Received: {largest:g}")
        return largest

    @field_validator("stuck_seconds")
    @classmethod
    def _above_still(cls, longest: float, info: ValidationInfo) -> float:
        still = info.data.get("still_seconds")
        if still is not None and still >= longest:
            raise advised(f"must be above still_seconds ({still:g}). Received: {longest:g}")
        return longest

    def open(self) -> Trigger:
        """The trigger, which first learns the background."""
        return MotionTrigger(self)


class MotionTrigger:
    """Finds the items that come into view, each with its box, and follows them until they left.

    Attributes:
        blobs: what was in front of the background in the frame looked at last, in pixels of
            `small_picture`, items or not.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._shape: tuple[int, ...] | None = None
        self._other_shape: tuple[int, ...] | None = None
        self._tracks = Tracks(
            min_area=settings.min_area,
            min_gap=settings.min_gap,
            still_seconds=settings.still_seconds,
            lost_seconds=settings.lost_seconds,
            stuck_seconds=settings.stuck_seconds,
        )
        self._background = self._blank()
        self.blobs: Sequence[Blob] = ()

    def look(self, frame: Frame) -> Sequence[Observation]:
        """The items in the frame, and those that have gone."""
        if frame.fault is not None:
            return ()
        gone: list[Track] = []
        before, self._other_shape = self._other_shape, None
        if frame.image.shape != self._shape:
            if self._shape is not None and frame.image.shape != before:
                self._other_shape, self.blobs = frame.image.shape, ()
                return ()  # a single frame of another size is a damaged one
            # The camera was opened anew and gives another size.
            gone = self._tracks.all_gone()
            self._shape, self._background = frame.image.shape, self._blank()
        at, background, tracks = frame.captured, self._background, self._tracks
        picture = small_picture(frame.image)
        size = picture.shape[1], picture.shape[0]
        blobs = background.blobs(picture, at)
        self.blobs = blobs or ()
        if blobs is None:
            tracks.skip()
        else:
            tracks.wake(background.woken, at, size)
            tracks.follow(blobs, at, size, background.is_calm)
        stuck = tracks.stuck(at)
        for track in stuck:
            # A silent one was woken once already: what the camera's being moved left behind.
            background.absorb(track.extent, until_it_stirs=not track.silent)
        gone += [*stuck, *tracks.ended(at)]
        if blobs is not None:
            background.adapt(track.extent for track in tracks)
        return [*self._observations(tracks.seen()), *self._observations(gone, gone=True)]

    def end(self) -> Sequence[Observation]:
        """Every item that was still in view, as gone."""
        return self._observations(self._tracks.all_gone(), gone=True)

    def _blank(self) -> Background:
        settings = self._settings
        return Background(
            contrast=settings.contrast,
            min_area=settings.min_area,
            max_area=settings.max_area,
            learn_seconds=settings.learn_seconds,
        )

    def _observations(self, tracks: Iterable[Track], *, gone: bool = False) -> list[Observation]:
        return [
            Observation(
                track.number,
                self._in_region(track.box),
                whole=not any(track.cut),
                gone=gone,
                # What is an item because it lies still has no moment at which it passes.
                passed=None if self._settings.still_seconds else track.passed,
                confirmed=track.frames > 1,
            )
            for track in tracks
            if track.number is not None
        ]

    def _in_region(self, box: Box) -> Box:
        """`box` of the small picture in pixels of the region."""
        assert self._shape is not None
        height, width = self._shape[:2]
        factor = _factor(width, height)
        left, top, wide, tall = (factor * value for value in box)
        # The small picture leaves out a rest at the right and the bottom.
        right = width if left + wide > width - factor else left + wide
        bottom = height if top + tall > height - factor else top + tall
        return Box(left, top, right - left, bottom - top)


def small_picture(image: Image) -> Image:
    """The picture in which motion is looked for; of a small picture it is that picture itself."""
    height, width = image.shape[:2]
    factor = _factor(width, height)
    whole = image[: height // factor * factor, : width // factor * factor]
    small = cv2.resize(whole, (width // factor, height // factor), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def _factor(width: int, height: int) -> int:
    """How many pixels of the region are one of the small picture; a whole number is quickest."""
    return max(1, min(round(max(width, height) / _LONGEST_SIDE), width, height))
