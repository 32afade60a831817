"""Faults of the camera and of the light."""

from __future__ import annotations

from typing import Annotated, ClassVar, cast

import cv2
import numpy as np
from pydantic import Field, PrivateAttr

from edge.core.images.image_file import Image
from edge.simulation.faults.fault import Every, Lasting, PassingFault
from edge.vision.camera.reopening import CapturedPicture


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


class Black(PassingFault):
    """`black`: the camera's pictures are black."""

    name: ClassVar[str] = "black"
    summary: ClassVar[str] = "the camera gives black pictures"

    every: Every = 60.0
    seconds: Lasting = 5.0

    def picture(self, picture: CapturedPicture) -> CapturedPicture:
        """See Fault."""
        if picture.image is None or not self.strength(picture.captured):
            return picture
        return picture._replace(image=np.zeros_like(picture.image))


class Covered(PassingFault):
    """`covered`: something dark lies on the lens, such as a hand or a rag."""

    name: ClassVar[str] = "covered"
    summary: ClassVar[str] = "something dark covers the lens"

    every: Every = 60.0
    seconds: Lasting = 5.0
    _seed: tuple[int, ...] = PrivateAttr(default=())

    def begin(self, seed: tuple[int, ...]) -> None:
        """See Fault."""
        super().begin(seed)
        self._seed = seed

    def picture(self, picture: CapturedPicture) -> CapturedPicture:
        """See Fault."""
        if picture.image is None or not self.strength(picture.captured):
            return picture
        # A little light comes past it at one side, and the sensor has its noise.
        height, width, channels = picture.image.shape
        light = np.linspace(8, 28, width)[None, :, None]
        random = np.random.default_rng((*self._seed, round(1e6 * picture.captured)))
        noise = random.normal(0, 1.5, (height, width, channels))
        return picture._replace(image=np.clip(light + noise, 0, 255).astype(np.uint8))


class Blurred(PassingFault):
    """`blurred`: the lens is out of focus, or there is grease on it."""

    name: ClassVar[str] = "blurred"
    summary: ClassVar[str] = "the lens is out of focus, by `share` of the picture's width"
    needs_marks: ClassVar[bool] = True

    share: Annotated[float, Field(gt=0, le=0.1)] = 0.01
    every: Every = 60.0
    seconds: Lasting = 5.0

    def picture(self, picture: CapturedPicture) -> CapturedPicture:
        """See Fault."""
        if picture.image is None or not self.strength(picture.captured):
            return picture
        soft = cv2.GaussianBlur(picture.image, (0, 0), self.share * picture.image.shape[1])
        return picture._replace(image=cast(Image, soft))


class Moved(PassingFault):
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
    _seed: tuple[int, ...] = PrivateAttr(default=())
    _beside: Image | None = PrivateAttr(default=None)

    def begin(self, seed: tuple[int, ...]) -> None:
        """See Fault."""
        super().begin(seed)
        self._seed = seed

    def picture(self, picture: CapturedPicture) -> CapturedPicture:
        """See Fault."""
        strength = self.strength(picture.captured, fade=self.swing)
        if picture.image is None or not strength:
            return picture
        height, width, channels = picture.image.shape
        if self._beside is None or self._beside.shape != picture.image.shape:
            things = np.random.default_rng(self._seed).integers(60, 200, (12, 16), np.uint8)
            large = cv2.resize(things, (width, height), interpolation=cv2.INTER_CUBIC)
            self._beside = np.repeat(large[..., None], channels, axis=2)
        # Without the noise of a sensor, the picture would be a frozen one.
        random = np.random.default_rng((*self._seed, round(1e6 * picture.captured)))
        aside = round(strength * self.share * width)
        noise = random.normal(0, 1.5, (height, aside, channels))
        beside = np.clip(self._beside[:, :aside] + noise, 0, 255).astype(np.uint8)
        return picture._replace(image=np.hstack([picture.image[:, aside:], beside]))


class Torn(PassingFault):
    """`torn`: a part of each picture is missing, as where a cable loses data."""

    name: ClassVar[str] = "torn"
    summary: ClassVar[str] = "the lower `share` of each picture is missing"

    share: Annotated[float, Field(ge=0.2, le=0.9)] = 0.5
    every: Every = 60.0
    seconds: Lasting = 5.0

    def picture(self, picture: CapturedPicture) -> CapturedPicture:
        """See Fault."""
        if picture.image is None or not self.strength(picture.captured):
            return picture
        first = round((1 - self.share) * len(picture.image))
        image = picture.image.copy()
        image[first:] = image[first]  # as decoders fill up what has not come
        return picture._replace(image=image)


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


class Light(PassingFault):
    """`light`: the light gets darker or brighter for a while."""

    name: ClassVar[str] = "light"
    summary: ClassVar[str] = "the light changes to `factor` of what it was, within `fade` seconds"

    factor: Annotated[float, Field(ge=0, le=10)] = 0.6
    every: Every = 30.0
    seconds: Lasting = 10.0
    fade: Annotated[float, Field(ge=0, le=600)] = 0.5

    def picture(self, picture: CapturedPicture) -> CapturedPicture:
        """See Fault."""
        strength = self.strength(picture.captured, fade=self.fade)
        if picture.image is None or not strength:
            return picture
        factor = 1 + strength * (self.factor - 1)
        return picture._replace(image=cast(Image, cv2.convertScaleAbs(picture.image, alpha=factor)))
