"""Faults of a camera's pictures as incidents: which one begins with a frame, and which is over.

Pure. A camera that is lost is told by its own events.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from edge.core.images.image_file import Image
from edge.flow import Exposure, Frame, PictureFaultKind
from edge.state.incidents.notice import Notice
from edge.vision.camera.scene_checks import SceneChange, SceneChecker

NAMES: Mapping[PictureFaultKind, str] = {
    PictureFaultKind.FROZEN: "camera_frozen",
    PictureFaultKind.BLANK: "camera_black",
    PictureFaultKind.TORN: "camera_torn",
    PictureFaultKind.RESIZED: "camera_resized",
}
"""The incident of each fault that lasts."""


SCENES: Mapping[SceneChange, str] = {
    SceneChange.COVERED: "camera_covered",
    SceneChange.BLURRED: "camera_blurred",
    SceneChange.MOVED: "camera_moved",
}
"""The incident of each change of the scene."""


class CameraScene:
    """What became of the scene of a live camera, from each good frame."""

    def __init__(self, reference: Image | None = None) -> None:
        """Knows the scene of a reference picture, or none yet.

        Args:
            reference: see `SceneChecker`; None: the first frames are the scene.
        """
        self._checker = SceneChecker(reference)
        self._change: SceneChange | None = None

    def see(self, frame: Frame) -> Iterator[Notice]:
        """What the next frame tells; stored pictures and those with a fault tell nothing."""
        if frame.source or frame.fault is not None:
            return
        before, self._change = self._change, self._checker.look(frame.image, frame.captured)
        if before is not self._change:
            if before is not None:
                yield Notice(SCENES[before], False, frame.captured)
            if self._change is not None:
                yield Notice(SCENES[self._change], True, frame.captured)


EXPOSURE = "camera_exposure"
"""The incident of a camera that does not keep what the station file fixes."""
_LASTING_SECONDS = 1.0
"""A difference must last for so long: the first pictures may be from before."""


class CameraExposure:
    """Whether the camera takes pictures as the station file fixes it, from each frame."""

    def __init__(self, locked: Exposure | None) -> None:
        """Nothing is known to differ.

        Args:
            locked: what is fixed; None: nothing.
        """
        self._locked, self._differs = locked, False
        self._since: float | None = None
        """Since when the frames tell otherwise than is noticed."""

    def see(self, frame: Frame) -> Iterator[Notice]:
        """What the next frame tells."""
        if self._locked is None or frame.exposure is None:
            return
        found = "; ".join(differences(self._locked, frame.exposure))
        if bool(found) is self._differs:
            self._since = None
            return
        if self._since is None:
            self._since = frame.captured
        if frame.captured - self._since >= _LASTING_SECONDS:
            self._differs, self._since = not self._differs, None
            cause = f"The camera has {found}." if found else ""
            yield Notice(EXPOSURE, self._differs, frame.captured, cause=cause)


def differences(locked: Exposure, told: Exposure) -> Iterator[str]:
    """What a camera tells otherwise than it is fixed, as parts of a sentence.

    What it does not tell is no difference. Sensors round: exposures to their lines, some tens of
    microseconds each, and gains to steps that may be 5 % apart.
    """
    for name in told.automatic:
        yield f"an automatic {name}, and the station file fixes it"
    red, blue = locked.white_balance_gains or (None, None)
    told_red, told_blue = told.white_balance_gains or (None, None)
    for name, wanted, found, share, step in (
        ("an exposure of {:.0f} microseconds", locked.microseconds, told.microseconds, 0.05, 60),
        ("a gain of {:.3g}", locked.gain, told.gain, 0.1, 0.05),
        ("a gain of red of {:.2f}", red, told_red, 0.05, 0.02),
        ("a gain of blue of {:.2f}", blue, told_blue, 0.05, 0.02),
        ("a white balance of {:.0f} K", locked.white_balance_kelvin, told.white_balance_kelvin,
         0.02, 10),
    ):  # fmt: skip
        if wanted is None or found is None or abs(found - wanted) <= max(share * wanted, step):
            continue
        yield f"{name.format(found)}, and the station file fixes {wanted:g}"


class CameraFaults:
    """The fault that a camera's pictures have now, from each frame. The camera logs it itself."""

    def __init__(self) -> None:
        """They have none."""
        self._name = ""

    def lost(self, at: float) -> Iterator[Notice]:
        """The camera gives no pictures: what was wrong with them is over."""
        if self._name:
            yield Notice(self._name, False, at, logged=True)
            self._name = ""

    def see(self, frame: Frame) -> Iterator[Notice]:
        """What the next frame tells."""
        fault = frame.fault
        if fault is not None and fault.kind.harmless:
            return
        name = NAMES.get(fault.kind, "") if fault is not None and fault.lasting else ""
        if fault is not None and not name:
            return  # a single bad picture, which neither begins anything nor ends it
        if name == self._name:
            return
        if self._name:
            yield Notice(self._name, False, frame.captured, logged=True)
        self._name = name
        if fault is not None:
            cause = f"The camera {fault.words}."
            yield Notice(name, True, frame.captured, cause=cause, logged=True)
