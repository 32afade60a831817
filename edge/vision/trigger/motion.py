"""The motion trigger, for which an item is what comes into view, stays or travels, and leaves."""

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
from edge.vision.trigger import Trigger, TriggerSettings, TriggerSurroundings
from edge.vision.trigger.background import Background
from edge.vision.trigger.blobs import Blob
from edge.vision.trigger.track import Track
from edge.vision.trigger.tracks import Tracks

_LONGEST_SIDE = 160
"""The approximate longer side, in pixels, of the pictures in which motion is detected."""


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
            description="largest item that appears at once, as in a bin, as a share of the "
            "region's area; a larger change is one of the light or the camera. What comes in over "
            "the region's edge, as on a belt, may be larger",
        ),
    ] = 0.7
    min_gap: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="parts that are nearer to each other than this are one item, as a share of "
            "the region's longer side; 0: only parts that touch. It is for items that look like "
            "several, such as clear bottles, if they come one by one",
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
            description="seconds for which an object must be at rest to be an item, as in a bin or "
            "on a table, where a hand is none; 0: moving objects are items, as on a belt",
        ),
    ] = 0
    lost_seconds: Annotated[
        float,
        Field(ge=0, le=10, description="seconds for which an item may be unseen before it is gone"),
    ] = 0.3
    stuck_seconds: Annotated[
        float,
        Field(
            ge=1,
            le=86400,
            description="seconds after which an object at rest becomes part of the background",
        ),
    ] = 60
    learn_seconds: Annotated[
        float,
        Field(
            ge=0.1,
            le=60,
            description="seconds for which the background is learned at first, with the belt "
            "running if there is one; there are no items before that",
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

    @property
    def learning_seconds(self) -> float:
        """See TriggerSettings."""
        return self.learn_seconds

    def open(self, around: TriggerSurroundings | None = None) -> Trigger:
        """Opens the trigger, which first learns the background."""
        return MotionTrigger(self)


class MotionTrigger:
    """Finds the items that come into view, each with its box, and follows them until they leave.

    Attributes:
        blobs: the objects in front of the background in the latest frame, items or not, in pixels
            of `small_picture`.
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

    @property
    def ready(self) -> bool:
        """See LearningTrigger."""
        return self._background.is_known

    def look(self, frame: Frame) -> Sequence[Observation]:
        """The observations of the items in the frame, and of those that are gone."""
        if frame.fault is not None:
            return ()
        gone: list[Track] = []
        before, self._other_shape = self._other_shape, None
        if frame.image.shape != self._shape:
            if self._shape is not None and frame.image.shape != before:
                self._other_shape, self.blobs = frame.image.shape, ()
                return ()  # a single frame of another size is a damaged one
            # The camera was reopened and gives another size.
            gone = self._tracks.all_gone()
            self._shape, self._background = frame.image.shape, self._blank()
        at, background, tracks = frame.captured, self._background, self._tracks
        picture = small_picture(frame.image)
        size = picture.shape[1], picture.shape[0]
        expected, known = (
            [edges.within(*size) for edges in places(at, size)]
            for places in (tracks.travelling, tracks.known)
        )
        blobs = background.blobs(picture, at, expected, known)
        self.blobs = blobs or ()
        if blobs is None:
            tracks.skip()
        else:
            tracks.wake(background.woken, at, size)
            tracks.follow(blobs, at, size, background.is_calm, doubtful=background.doubt.lasts)
        stuck = tracks.stuck(at)
        for track in stuck:
            # A silent track was woken once already: it remains from a move of the camera.
            background.absorb(track.extent, until_it_stirs=not track.silent)
        gone += [*stuck, *tracks.ended(at)]
        if blobs is not None:
            background.adapt(track.extent for track in tracks)
        return [*self._observations(tracks.seen()), *self._observations(gone, gone=True)]

    def end(self) -> Sequence[Observation]:
        """An observation for every item still in view, as gone."""
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
                # An item that must be at rest has no moment at which it passes.
                passed=None if self._settings.still_seconds else track.passed,
                too_close=track.twofold,
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
        # The small picture leaves out a remainder at the right and the bottom.
        right = width if left + wide > width - factor else left + wide
        bottom = height if top + tall > height - factor else top + tall
        return Box(left, top, right - left, bottom - top)


def small_picture(image: Image) -> Image:
    """The reduced picture in which motion is detected; a picture that is small stays as it is.

    It is reduced in two steps, the second of which is by 2. Up to 640 pixels wide, the first one is
    by 2 or less, too, and every pixel counts: OpenCV has fast code for such steps. Of a larger
    picture, 16 pixels count for each of the reduced one, as of one of 640 pixels: reading all of
    them would take longer than everything else that a trigger does.
    """
    height, width = image.shape[:2]
    factor = _factor(width, height)
    if factor == 1:
        return image.copy()
    small = width // factor, height // factor
    picture: cv2.typing.MatLike = image[: small[1] * factor, : small[0] * factor]
    if factor > 2:
        twice = 2 * small[0], 2 * small[1]
        picture = cv2.resize(picture, twice, interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.resize(picture, small, interpolation=cv2.INTER_AREA), np.uint8)


def _factor(width: int, height: int) -> int:
    """The factor by which the region is reduced; a whole number is fastest."""
    return max(1, min(round(max(width, height) / _LONGEST_SIDE), width, height))
