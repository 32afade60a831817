"""Takes labelled photographs with a station's own camera, region and trigger.

    camera ─Frame▶ latest frame ─▶ region ─▶ key, button, clock or trigger ─▶ folder

There are two threads: `camera` puts each frame into the slot for the latest one; the main thread
takes frames from it, checks for pressed keys, and writes the pictures.
"""

from __future__ import annotations

import logging
import queue
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from edge.config.station import VisionConfig
from edge.core.closing import Closing
from edge.core.dataset.photo_folder import Geometry, PhotoFolder
from edge.core.images.image_file import Image
from edge.core.images.preprocess import Box, InputSpec, cut_item
from edge.core.images.quality import Quality, judge
from edge.core.terminal.live_line import LiveLine
from edge.flow import Frame, Observation, PictureFault, UnreadableFrame
from edge.runtime.clock import SYSTEM_CLOCK, Clock
from edge.runtime.worker import Endings, Worker
from edge.vision.frame_pump import FramePump
from edge.vision.latest_frame import LatestFrame
from edge.vision.region import cut

_log = logging.getLogger(__name__)

TAKE, DELETE, NEXT_LABEL, QUIT = " ", "d", "n", "q"
_KEY_SECONDS = 0.1
"""How long it takes at most to notice a key while the camera gives no frames."""
_SHOW_SECONDS = 0.2
_PATIENCE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class CaptureSchedule:
    """When pictures are taken, in addition to those that a key or button asks for."""

    items: bool = False
    """Whether one picture is taken of each item that the trigger finds."""
    every_seconds: float | None = None
    """The seconds from one picture to the next; None if none is taken by time."""
    count: int | None = None
    """The number of pictures after which the capture ends; None if it ends on request only."""


def geometry_of(vision: VisionConfig, *, items: bool, whole_region: bool) -> Geometry:
    """What the pictures will show: the item's box if the trigger gives one, else the region."""
    if items and vision.trigger.has_box and not whole_region:
        return Geometry(crop="item", padding=InputSpec().padding)
    return Geometry(crop="region")


@dataclass(frozen=True, slots=True, eq=False)
class _Candidate:
    """The best picture of an item so far."""

    image: Image
    quality: Quality
    captured: float
    rank: tuple[bool, float]


class CaptureSession(Closing):
    """One capture session, which writes pictures into a folder until it ends; a context manager.

    Attributes:
        taken: the pictures of this session, oldest first, without the deleted ones.
        warned: the number of these pictures with each fault.
        single_frame: the number of objects that the trigger saw in a single frame only. They are
            not taken for items.
        refused: the number of pictures that were requested and not taken, because the camera's
            picture was frozen, blank, torn or of another size.
    """

    def __init__(
        self,
        vision: VisionConfig,
        folder: PhotoFolder,
        *,
        labels: Sequence[str],
        schedule: CaptureSchedule,
        key: Callable[[], str | None],
        line: LiveLine,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        """Opens the camera.

        Args:
            vision: the camera, the region and the trigger.
            folder: where the pictures go; its geometry says which part of a frame is stored.
            labels: the labels to choose from; a key selects the next one.
            schedule: when pictures are taken without a key.
            key: returns the next key that was pressed (see `edge.runtime.keyboard`) without
                waiting, or None if none was.
            line: shows the state of the session.

        Raises:
            CameraError: the camera cannot be opened.
        """
        self._vision, self._folder, self._labels = vision, folder, list(labels)
        self._schedule, self._geometry = schedule, folder.geometry
        self._key, self._line = key, line
        self._clock = clock
        self.taken: list[Path] = []
        self.warned: Counter[str] = Counter()
        self._faults: dict[Path, tuple[str, ...]] = {}
        self._label = 0
        self._wanted = False
        self._due: float | None = None
        self._shown = float("-inf")
        self._best: dict[int, _Candidate | None] = {}
        self._never_whole = self.single_frame = self.refused = 0
        self._unconfirmed: set[int] = set()
        self._trigger = vision.trigger.open() if schedule.items else None
        self._latest = LatestFrame(clock)
        self._pump = FramePump(self._latest, clock=clock)
        self._parts = ExitStack()
        clock.enter()
        self._parts.callback(clock.leave)
        self._camera = vision.camera.open(clock=clock.now, pause=self._pump.pause)
        self._parts.callback(self._camera.close)

    def close(self) -> None:
        """Closes the camera; may be called twice."""
        self._parts.close()

    def run(self, endings: Endings) -> None:
        """Takes pictures until a key, a signal, the count or the last frame ends it.

        Args:
            endings: a signal that is put into this queue ends the session.

        Raises:
            RegionError: the region does not fit the camera's picture.
            CameraError: the camera gives no more pictures.
            StorageError: a picture cannot be written; the earlier ones stay in the folder.
        """
        camera = Worker("camera", lambda: self._pump.run(self._camera), endings, clock=self._clock)
        camera.start()
        try:
            for frame in self._latest.frames(lambda: _KEY_SECONDS):
                if self._told_to_stop(endings):
                    return
                if frame is not None and not isinstance(frame, UnreadableFrame):
                    if frame.fault is not None:
                        self._refuse(frame.fault)
                    else:
                        self._look(cut(frame, self._vision.region))
                if self._enough() or not self._obey():
                    return
            if self._trigger is not None:
                self._follow(self._trigger.end())
        finally:
            self._pump.stop()
            camera.join(_PATIENCE_SECONDS)
            self._line.clear()
        if camera.failure is not None:
            raise camera.failure

    def _told_to_stop(self, endings: Endings) -> bool:
        while True:
            try:
                ending = endings.get_nowait()
            except queue.Empty:
                return False
            if isinstance(ending, signal.Signals):  # the camera's end shows in the frames
                _log.info(f"stopping: {ending.name}")
                return True

    def _enough(self) -> bool:
        return self._schedule.count is not None and len(self.taken) >= self._schedule.count

    def _look(self, frame: Frame) -> None:
        """Takes the pictures that are due from a frame that is cut to the region."""
        if self._trigger is not None:
            self._follow(self._trigger.look(frame), frame)
        every = self._schedule.every_seconds
        if every is not None:
            if self._due is None:
                self._due = frame.captured + every
            elif frame.captured >= self._due:
                self._wanted, self._due = True, frame.captured + every
        if frame.captured - self._shown < _SHOW_SECONDS and not self._wanted:
            return
        quality = judge(frame.image)
        if self._wanted:
            self._wanted = False
            self._take(frame.image, quality, frame.captured)
        self._shown = frame.captured
        self._line.show(self._status(frame, quality))

    def _refuse(self, fault: PictureFault) -> None:
        """Refuses a requested picture, because the camera's does not show what is before it now."""
        if self._wanted:
            self._wanted = False
            self.refused += 1
            _log.warning(f"picture not taken: the camera {fault.words}")
        self._line.show(f"the camera {fault.words}".upper())

    def _obey(self) -> bool:
        """Carries out the pressed keys; returns False if the session is to end."""
        # A requested picture is made from the next frame; the keys after it wait until then.
        while not self._wanted and (key := self._key()) is not None:
            if key == TAKE:
                self._wanted = self._trigger is None
            elif key == DELETE:
                self._delete()
            elif key == NEXT_LABEL:
                self._choose((self._label + 1) % len(self._labels))
            elif key.isdecimal() and 1 <= int(key) <= len(self._labels):
                self._choose(int(key) - 1)
            elif key == QUIT:
                return False
        return True

    def _choose(self, label: int) -> None:
        self._label = label
        if not self._line.terminal:
            _log.info(f"label {self._labels[label]}")
        self._shown = float("-inf")

    def _delete(self) -> None:
        if not self.taken:
            _log.info("nothing to delete: this session has no pictures")
            return
        file = self.taken.pop()
        self._folder.remove(file)
        self.warned.subtract(self._faults.pop(file))
        self._line.clear()
        _log.info(f"deleted {file}")
        self._shown = float("-inf")

    def _take(self, image: Image, quality: Quality, captured: float) -> None:
        label = self._labels[self._label]
        taken = self._clock.wall() - (self._clock.now() - captured)
        file = self._folder.add(label, image, taken=taken)
        self.taken.append(file)
        self._faults[file] = quality.warnings
        self.warned.update(quality.warnings)
        if quality.warnings or not self._line.terminal:
            faults = "".join(f", {words}" for words in quality.warnings)
            _log.info(f"{file}  ({self._folder.counts[label]} {label}{faults})")

    def _follow(self, observations: Sequence[Observation], frame: Frame | None = None) -> None:
        """Remembers the best picture of each item in view, and writes it when the item is gone.

        Args:
            frame: the frame in which the items are seen; None if all of them have left.
        """
        for observation in observations:
            if not observation.gone and frame is not None:
                best = self._best.setdefault(observation.item, None)
                if observation.confirmed:
                    self._unconfirmed.discard(observation.item)
                else:
                    self._unconfirmed.add(observation.item)
                if observation.whole:
                    self._best[observation.item] = self._better(best, observation.box, frame)
            elif observation.item in self._best and not self._enough():
                best = self._best.pop(observation.item)
                if observation.item in self._unconfirmed:
                    self._unconfirmed.remove(observation.item)
                    self.single_frame += 1
                    continue
                if best is not None:
                    self._take(best.image, best.quality, best.captured)
                    continue
                self._never_whole += 1
                _log.warning(
                    f"item {observation.item} was not taken, because it was never completely in "
                    f"the region ({self._never_whole} such items so far). `pilah-edge roi` shows "
                    "the region"
                )

    def _better(self, best: _Candidate | None, box: Box | None, frame: Frame) -> _Candidate:
        """The better picture of an item: a sharp one, and of those the nearest to the middle."""
        distance = _from_middle(box, frame.image)
        if best is not None and best.rank <= (False, distance):
            return best  # whatever this one is like
        image = frame.image
        if self._geometry.padding is not None and box is not None:
            image = cut_item(image, box, self._geometry.padding)
        quality = judge(image)
        rank = (quality.blurred, distance)
        if best is not None and best.rank <= rank:
            return best
        # A copy: the camera may write its next frame into the same memory.
        return _Candidate(image.copy(), quality, frame.captured, rank)

    def _status(self, frame: Frame, quality: Quality) -> str:
        counts = "  ".join(
            f"[{label} {self._folder.counts[label]}]"
            if index == self._label
            else f"{label} {self._folder.counts[label]}"
            for index, label in enumerate(self._labels)
        )
        height, width = frame.image.shape[:2]
        faults = ", ".join(quality.warnings).upper() or "light and sharp"
        return f"{counts}  |  {faults}  |  {width}x{height}, {self._latest.dropped} frames dropped"


def _from_middle(box: Box | None, image: Image) -> float:
    """Pixels from the middle of `box` to the middle of `image`."""
    if box is None:
        return 0.0
    height, width = image.shape[:2]
    across = box.left + box.width / 2 - width / 2
    down = box.top + box.height / 2 - height / 2
    return float((across**2 + down**2) ** 0.5)
