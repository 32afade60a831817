"""Faults of a camera's pictures as incidents: which one begins with a frame, and which is over.

Pure. A camera that is lost is told by its own events.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from edge.flow import Frame, PictureFaultKind
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

    def __init__(self) -> None:
        """The first frames are the scene."""
        self._checker = SceneChecker()
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


class CameraFaults:
    """The fault that a camera's pictures have now, from each frame."""

    def __init__(self) -> None:
        """They have none."""
        self._name = ""

    def lost(self, at: float) -> Iterator[Notice]:
        """The camera gives no pictures: what was wrong with them is over."""
        if self._name:
            yield Notice(self._name, False, at)
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
            yield Notice(self._name, False, frame.captured)
        self._name = name
        if fault is not None:
            yield Notice(name, True, frame.captured, cause=f"The camera {fault.words}.")
