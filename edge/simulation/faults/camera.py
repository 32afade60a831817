"""Faults of the camera and of the light."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Annotated, ClassVar, cast

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import Field, PrivateAttr

from edge.core.images.image_file import Image
from edge.simulation.faults.fault import Every, Lasting, PassingFault
from edge.vision.camera.reopening import CapturedPicture


class _Disturbed(PassingFault, ABC):
    """A fault that changes each picture while it lasts."""

    _seed: tuple[int, ...] = PrivateAttr(default=())

    def begin(self, seed: tuple[int, ...]) -> None:
        """See Fault."""
        super().begin(seed)
        self._seed = seed

    def picture(self, picture: CapturedPicture) -> CapturedPicture:
        """See Fault."""
        strength = self.strength(picture.captured, fade=self._fade())
        if picture.image is None or not strength:
            return picture
        return picture._replace(image=self._changed(picture.image, picture.captured, strength))

    def _fade(self) -> float:
        """The seconds that it takes to come and to go."""
        return 0.0

    @abstractmethod
    def _changed(self, image: Image, captured: float, strength: float) -> Image:
        """A picture, changed.

        Args:
            image: as it was captured.
            captured: when, in seconds.
            strength: above 0; 1 where the fault has come to its full.
        """

    def _noise(self, shape: tuple[int, ...], captured: float) -> npt.NDArray[np.float64]:
        """That of a sensor: without it, such a picture would be a frozen one."""
        random = np.random.default_rng((*self._seed, round(1e6 * captured)))
        return random.normal(0, 1.5, shape)


class DropOuts(PassingFault):
    """`drop-outs`: no frames come for a moment or longer, and then they go on."""

    name: ClassVar[str] = "drop-outs"
    summary: ClassVar[str] = "the camera gives no frames for a moment"

    every: Every = 20.0
    seconds: Lasting = 0.3

    def camera_hangs(self, moment: float) -> bool:
        """See Fault."""
        return self.strength(moment) > 0


class CameraGone(PassingFault):
    """`camera-gone`: the camera's device is gone, and has to be opened again."""

    name: ClassVar[str] = "camera-gone"
    summary: ClassVar[str] = "the camera is unplugged for a while"

    every: Every = 60.0
    seconds: Lasting = 5.0

    def camera_is_gone(self, moment: float) -> bool:
        """See Fault."""
        return self.strength(moment) > 0


class Frozen(PassingFault):
    """`frozen`: the camera gives the same picture again and again."""

    name: ClassVar[str] = "frozen"
    summary: ClassVar[str] = "the camera gives the same picture again and again"

    every: Every = 60.0
    seconds: Lasting = 5.0
    _last: Image | None = PrivateAttr(default=None)

    def picture(self, picture: CapturedPicture) -> CapturedPicture:
        """See Fault."""
        if not self.strength(picture.captured) or self._last is None:
            self._last = picture.image
            return picture
        return picture._replace(image=self._last)


class Black(_Disturbed):
    """`black`: the camera's pictures are black."""

    name: ClassVar[str] = "black"
    summary: ClassVar[str] = "the camera gives black pictures"

    every: Every = 60.0
    seconds: Lasting = 5.0

    def _changed(self, image: Image, captured: float, strength: float) -> Image:
        return np.zeros_like(image)


class Covered(_Disturbed):
    """`covered`: something dark lies on the lens, such as a hand or a rag."""

    name: ClassVar[str] = "covered"
    summary: ClassVar[str] = "something dark covers the lens"

    every: Every = 60.0
    seconds: Lasting = 5.0

    def _changed(self, image: Image, captured: float, strength: float) -> Image:
        # A little light comes past it at one side, and the sensor has its noise.
        light = np.linspace(8, 28, image.shape[1])[None, :, None]
        return np.clip(light + self._noise(image.shape, captured), 0, 255).astype(np.uint8)


class Blurred(_Disturbed):
    """`blurred`: the lens is out of focus, or there is grease on it."""

    name: ClassVar[str] = "blurred"
    summary: ClassVar[str] = "the lens is out of focus, by `share` of the picture's width"
    needs_marks: ClassVar[bool] = True

    share: Annotated[float, Field(gt=0, le=0.1)] = 0.01
    every: Every = 60.0
    seconds: Lasting = 5.0

    def _changed(self, image: Image, captured: float, strength: float) -> Image:
        return cast(Image, cv2.GaussianBlur(image, (0, 0), self.share * image.shape[1]))


class Moved(_Disturbed):
    """`moved`: the camera was bumped, and looks at what is beside its scene."""

    name: ClassVar[str] = "moved"
    summary: ClassVar[str] = (
        "the camera turns aside by `share` of the picture's width, within `swing` seconds"
    )
    needs_marks: ClassVar[bool] = True

    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    every: Every = 60.0
    seconds: Lasting = 5.0
    swing: Annotated[float, Field(ge=0, le=10)] = 0.2
    _beside: Image | None = PrivateAttr(default=None)

    def _fade(self) -> float:
        return self.swing

    def _changed(self, image: Image, captured: float, strength: float) -> Image:
        height, width, channels = image.shape
        if self._beside is None or self._beside.shape != image.shape:
            things = np.random.default_rng(self._seed).integers(60, 200, (12, 16), np.uint8)
            large = cv2.resize(things, (width, height), interpolation=cv2.INTER_CUBIC)
            self._beside = np.repeat(large[..., None], channels, axis=2)
        aside = round(strength * self.share * width)
        noise = self._noise((height, aside, channels), captured)
        beside = np.clip(self._beside[:, :aside] + noise, 0, 255).astype(np.uint8)
        return np.hstack([image[:, aside:], beside])


class Torn(_Disturbed):
    """`torn`: a part of each picture is missing, as where a cable loses data."""

    name: ClassVar[str] = "torn"
    summary: ClassVar[str] = "the lower `share` of each picture is missing"

    share: Annotated[float, Field(ge=0.2, le=0.9)] = 0.5
    every: Every = 60.0
    seconds: Lasting = 5.0

    def _changed(self, image: Image, captured: float, strength: float) -> Image:
        first = round((1 - self.share) * len(image))
        torn = image.copy()
        torn[first:] = image[first]  # as decoders fill up what has not come
        return torn


class Damaged(PassingFault):
    """`damaged`: frames that cannot be decoded, as of a bad cable."""

    name: ClassVar[str] = "damaged"
    summary: ClassVar[str] = "frames cannot be decoded"

    every: Every = 10.0
    seconds: Lasting = 0.2

    def picture(self, picture: CapturedPicture) -> CapturedPicture:
        """See Fault."""
        if not self.strength(picture.captured):
            return picture
        return CapturedPicture(None, picture.captured, "a planted fault")


class Light(_Disturbed):
    """`light`: the light gets darker or brighter for a while."""

    name: ClassVar[str] = "light"
    summary: ClassVar[str] = "the light changes to `factor` of what it was, within `fade` seconds"

    factor: Annotated[float, Field(ge=0, le=10)] = 0.6
    every: Every = 30.0
    seconds: Lasting = 10.0
    fade: Annotated[float, Field(ge=0, le=600)] = 0.5

    def _fade(self) -> float:
        return self.fade

    def _changed(self, image: Image, captured: float, strength: float) -> Image:
        factor = 1 + strength * (self.factor - 1)
        return cast(Image, cv2.convertScaleAbs(image, alpha=factor))
