"""A camera that may be lost at times: it is reopened until it gives frames again."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from edge.core.errors import CameraError
from edge.core.images.image_file import Image
from edge.flow import (
    CameraChange,
    Exposure,
    Frame,
    PictureFault,
    PictureFaultKind,
    UnreadableFrame,
)
from edge.vision.camera import FROZEN_SECONDS, Tell, log, unheeded
from edge.vision.camera.fault_reports import FaultReports
from edge.vision.camera.opencv import BROKEN_IN_A_ROW
from edge.vision.camera.picture_checks import PictureChecker

_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 10.0
_STEADY_SECONDS = 10.0
"""Only after so long without a loss do the pauses start from the shortest again; a camera that is
lost repeatedly is reopened more and more rarely."""
_LOOK_SECONDS = 0.2
"""How often a thread that waits for the opening checks whether it must stop."""


class CapturedPicture(NamedTuple):
    """A picture and the time at which it was taken."""

    image: Image | None
    """uint8 (height, width, 3) BGR; None if the frame is damaged."""
    captured: float
    """When it was taken, in seconds on the station's monotonic clock."""
    damage: str = ""
    """What is wrong with a damaged frame; empty if it is not damaged."""
    exposure: Exposure | None = None
    """How it was taken; None: the camera does not tell."""


class CameraSource(Protocol):
    """A camera that is open and has given a picture.

    Attributes:
        title: the camera and its picture format, for the operator.
        notes: a line for each requested setting that the camera does not support.
    """

    title: str
    notes: Sequence[str]

    def shoot(self) -> CapturedPicture | None:
        """The next picture, damaged or not, as soon as it is there; None if no more come."""
        ...

    def close(self) -> None:
        """Frees the camera; may be called twice."""
        ...


class ReopeningCamera:
    """A live camera that is closed when its frames end, and reopened until they continue.

    The attempts do not end; the pauses between them grow from 0.5 to 10 seconds. One message says
    that the camera was lost, and one that it is back. Damaged frames are given as UnreadableFrame,
    and frames whose pictures do not show what is before the camera now have a fault; one message
    says that a fault begins, and one that it is over. If only damaged frames come, the camera is
    taken for lost.
    """

    live = True

    def __init__(
        self,
        open_source: Callable[[], CameraSource],
        *,
        name: str,
        clock: Callable[[], float],
        pause: Callable[[float], bool],
        tell: Tell = log,
        report: Callable[[CameraChange], None] = unheeded,
        frozen_seconds: float = FROZEN_SECONDS,
    ) -> None:
        """Opens the camera and tells the operator what it gives.

        Args:
            open_source: opens the camera; raises CameraError if it cannot.
            name: the camera's name for the operator.
            clock, pause, tell, report: see `CameraSettings.open`.
            frozen_seconds: see `DeviceSettings`.

        Raises:
            CameraError: the camera cannot be opened at the start.
        """
        self._open_source, self._name = open_source, name
        self._clock, self._pause, self._tell_operator, self._report = clock, pause, tell, report
        self._sequence = 0
        self._closed = False
        self._reading = threading.Lock()
        self._pause_seconds = _FIRST_PAUSE_SECONDS
        self._since: float = clock()
        """When the camera was opened, or, if it is lost, when it was lost."""
        self._source: CameraSource | None = open_source()
        self._damaged_in_a_row = 0
        self._judge = PictureChecker(frozen_seconds=frozen_seconds)
        self._spells = FaultReports(name)
        self._title, self._notes = self._source.title, tuple(self._source.notes)
        self._tell_operator(logging.INFO, f"camera     {self._title}")
        for note in self._notes:
            self._tell_operator(logging.WARNING, f"camera     {note}")

    def read(self) -> Frame | UnreadableFrame | None:
        """The next frame, which may be damaged; None if the camera was stopped or closed."""
        with self._reading:
            while not self._closed:
                if self._source is None and not self._reopen():
                    break
                shot = self._source.shoot() if self._source is not None else None
                if shot is not None and shot.image is not None:
                    self._sequence += 1
                    self._damaged_in_a_row = 0
                    fault = self._judge.look(shot.image, shot.captured)
                    self._tell(fault, shot.captured)
                    return Frame(
                        shot.image, shot.captured, self._sequence, fault=fault,
                        exposure=shot.exposure,
                    )  # fmt: skip
                if shot is not None and self._damaged_in_a_row < BROKEN_IN_A_ROW - 1:
                    self._sequence += 1
                    self._damaged_in_a_row += 1
                    words = f"gives damaged frames, which are left out, the first: {shot.damage}"
                    damaged = PictureFault(PictureFaultKind.DAMAGED, words=words)
                    self._tell(damaged, shot.captured)
                    return UnreadableFrame(shot.captured, self._sequence, "", shot.damage)
                self._lose()
            self._release()
            return None

    def _tell(self, fault: PictureFault | None, at: float) -> None:
        for line in self._spells.see(fault, at):
            level = logging.INFO if fault is None else logging.WARNING
            self._tell_operator(level, f"camera     {line}")

    def close(self) -> None:
        """Frees the camera; may be called twice.

        If another thread is reading, it is that thread that frees the camera when its read returns:
        closing a device during a read would crash the process.
        """
        self._closed = True
        if self._reading.acquire(blocking=False):
            try:
                self._release()
            finally:
                self._reading.release()

    def _release(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            source.close()

    def _lose(self) -> None:
        self._release()
        self._damaged_in_a_row = 0
        self._judge.forget()
        self._spells.forget()
        now = self._clock()
        if now - self._since > _STEADY_SECONDS:
            self._pause_seconds = _FIRST_PAUSE_SECONDS
        self._since = now
        if not self._closed:
            self._tell_operator(
                logging.WARNING,
                f"camera     {self._name} gives no more frames: it is being reopened until it does",
            )
            self._report(CameraChange(self._name, None))

    def _reopen(self) -> bool:
        """Tries to open the camera until that succeeds; False if it was stopped."""
        while True:
            if self._pause(self._pause_seconds) or self._closed:
                return False
            self._pause_seconds = min(2 * self._pause_seconds, _LONGEST_PAUSE_SECONDS)
            opened = self._opened_aside()
            if opened is None:
                return False
            if not isinstance(opened, CameraError):
                break
        now = self._clock()
        changed = "" if opened.title == self._title else f", and is now {opened.title}"
        self._tell_operator(
            logging.INFO,
            f"camera     {self._name} is back after {now - self._since:.1f} s{changed}",
        )
        self._report(CameraChange(self._name, now - self._since))
        self._source, self._title, self._since = opened, opened.title, now
        return True

    def _opened_aside(self) -> CameraSource | CameraError | None:
        """Opens the camera in a thread of its own, because opening can take longer than a stop may.

        Returns:
            The source, or the error of the attempt; None if the camera was stopped meanwhile.
        """
        outcomes: queue.SimpleQueue[CameraSource | BaseException] = queue.SimpleQueue()
        unwanted = threading.Event()

        def run() -> None:
            try:
                source = self._open_source()
            except BaseException as error:  # raised again by the waiting thread
                outcomes.put(error)
                return
            outcomes.put(source)
            if unwanted.is_set():
                source.close()

        threading.Thread(target=run, name="camera opening", daemon=True).start()
        while True:
            try:
                outcome = outcomes.get(timeout=_LOOK_SECONDS)
            except queue.Empty:
                if self._pause(0) or self._closed:
                    unwanted.set()
                    if not outcomes.empty():  # opened in the meantime: one of the two closes it
                        late = outcomes.get()
                        if not isinstance(late, BaseException):
                            late.close()
                    return None
                continue
            if isinstance(outcome, BaseException) and not isinstance(outcome, CameraError):
                raise outcome
            return outcome
