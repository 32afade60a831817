"""Faults of a camera's pictures as incidents: which one begins with a frame, and which is over.

Pure. A camera that is lost is told by its own events.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping

from edge.core.images.image_file import Image
from edge.flow import Exposure, Frame, PictureFault, PictureFaultKind, UnreadableFrame
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


_FAULTS: Mapping[SceneChange, PictureFault] = {
    SceneChange.COVERED: PictureFault(
        PictureFaultKind.COVERED, words="is covered, or has no light"
    ),
    SceneChange.MOVED: PictureFault(PictureFaultKind.MOVED, words="was moved"),
}
"""What is wrong with a picture after those changes in which nothing is sorted."""


class CameraScene:
    """What became of the scene of a live camera, from each good frame.

    Attributes:
        fault: what is wrong with the latest frame of a camera that is covered or was moved. Where
            the camera looks at another scene than that of its first seconds, the scene may be what
            has changed: it counts as moved only where there is a reference picture.
    """

    def __init__(self, reference: Image | None = None, *, patience: float = 0.0) -> None:
        """Knows the scene of a reference picture, or none yet.

        Args:
            reference: see `SceneChecker`; None: the first frames are the scene.
            patience: for how many seconds more than others a change must last to stop the station,
                because it may be an item that fills the picture.
        """
        self._checker, self._patience = SceneChecker(reference), patience
        self._stopping = {SceneChange.COVERED}
        if reference is not None:
            self._stopping.add(SceneChange.MOVED)
        self._change: SceneChange | None = None
        self._stops = False
        self._since = self._begun = 0.0
        self.fault: PictureFault | None = None

    def see(self, frame: Frame) -> Iterator[Notice]:
        """What the next frame tells; stored pictures and those with a fault tell nothing."""
        self.fault = None
        if frame.source or frame.fault is not None:
            return
        before, self._change = self._change, self._checker.look(frame.image, frame.captured)
        if before is not self._change:
            self._stops = False
            self._since = self._begun = self._checker.since
            if before is not None:
                yield Notice(SCENES[before], False, self._since)
            elif self._checker.well is not None:
                self._begun = self._checker.well
            if self._change is not None:
                yield Notice(SCENES[self._change], True, self._begun, stops=False)
        change, suspected = self._change, self._checker.suspected
        if change is not None and change in self._stopping:
            if not self._stops and frame.captured >= self._since + self._patience:
                self._stops = True
                yield Notice(SCENES[change], True, self._begun)
            if self._stops:
                self.fault = _FAULTS[change]._replace(lasting=True)
        elif suspected is not None and suspected in self._stopping and not self._patience:
            self.fault = _FAULTS[suspected]  # nothing is learned or sorted until it is known


DAMAGED = "camera_damaged"
"""The incident of a camera some of whose pictures cannot be decoded."""
_OF_SO_MANY, _DAMAGED_ONES = 30, 3
"""It begins with so many damaged ones among so many pictures; a single one is left out, and no more
is said of it than the camera says itself."""
_WHOLE_SECONDS = 3.0
"""It is over when no picture has been damaged for so long, as the camera says then, too."""


class CameraDamage:
    """Whether pictures of a live camera come damaged again and again, from each of them."""

    def __init__(self) -> None:
        """None was damaged."""
        self._damaged: deque[bool] = deque(maxlen=_OF_SO_MANY)
        self._last, self._lasts = 0.0, False

    def see(self, frame: Frame | UnreadableFrame) -> Iterator[Notice]:
        """What the next picture tells; a stored one tells nothing."""
        if frame.source:
            return
        damaged = isinstance(frame, UnreadableFrame)
        self._damaged.append(damaged)
        if damaged:
            self._last = frame.captured
        if not self._lasts and sum(self._damaged) >= _DAMAGED_ONES:
            self._lasts = True
            yield Notice(DAMAGED, True, frame.captured, logged=True)
        elif self._lasts and frame.captured - self._last >= _WHOLE_SECONDS:
            self._lasts = False
            self._damaged.clear()
            yield Notice(DAMAGED, False, frame.captured, logged=True)


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
    """The fault that a camera's pictures have now, from each frame. The camera logs it itself.

    A fault is known once it has lasted, and began with the last good picture: after that, nothing
    was sorted.
    """

    def __init__(self) -> None:
        """They have none."""
        self._name = ""
        self._good: float | None = None
        """When the last good picture was taken; None: the camera has given none."""

    def lost(self, at: float) -> Iterator[Notice]:
        """The camera gives no pictures: what was wrong with them is over."""
        if self._name:
            yield Notice(self._name, False, at, logged=True)
        self._name, self._good = "", None

    def see(self, frame: Frame) -> Iterator[Notice]:
        """What the next frame tells."""
        fault = frame.fault
        if fault is not None and fault.kind.harmless:
            return
        name = NAMES.get(fault.kind, "") if fault is not None and fault.lasting else ""
        if fault is not None and not name:
            return  # a single bad picture, which neither begins anything nor ends it
        begun = frame.captured if self._name or self._good is None else self._good
        if fault is None:
            self._good = frame.captured
        if name == self._name:
            return
        if self._name:
            yield Notice(self._name, False, frame.captured, logged=True)
        self._name = name
        if fault is not None:
            cause = f"The camera {fault.words}."
            yield Notice(name, True, begun, cause=cause, logged=True)
