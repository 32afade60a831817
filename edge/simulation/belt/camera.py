"""`camera: {kind: belt, ...}`: a simulated camera over a belt that a separate process draws."""

from __future__ import annotations

import fcntl
import logging
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Annotated, Literal

import numpy as np
from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails

import edge
from edge.core.dataset import read_picture_set
from edge.core.errors import CameraError
from edge.core.suggestions import did_you_mean, similar_path
from edge.core.yaml_file import FilePath, NewFilePath, looking_at
from edge.core.yaml_messages import advised, shown
from edge.flow import CameraChange, Frame
from edge.simulation.belt import LABELS
from edge.simulation.belt.wire import (
    ANSWER,
    ASK,
    END,
    FAIL,
    FRAME,
    LENGTH,
    SAY,
    BeltOrder,
    BeltPhotograph,
)
from edge.vision.camera import Camera, CameraSettings, Tell, log, unheeded

_AHEAD = 4
"""The number of frames that are requested in advance on simulated time, where no frame is early, so
that the two processes work at the same time."""
_PIPE_BYTES = 2**20
"""The largest pipe that Linux allows a process without root's rights (pipe-max-size, pipe(7))."""
_PATIENCE_SECONDS = 2.0
"""How long the process may take to end after it was asked to."""
_BACKGROUND = "auto|drawn|#[0-9A-Fa-f]{6}"


def _python_path() -> str:
    """The PYTHONPATH with which the process finds the same package `edge` as this one."""
    here = str(Path(edge.__file__).parents[1])
    return os.pathsep.join(filter(None, (here, os.environ.get("PYTHONPATH"))))


def _at(key: str, message: str, received: object) -> ValidationError:
    details = InitErrorDetails(type=advised(message), loc=(key,), input=received)
    return ValidationError.from_exception_data("belt", [details])


def _is_there(path: Path) -> Path:
    with looking_at(path):
        is_there = path.exists()
    if not is_there:
        raise advised(f"no such file or folder: {path}{similar_path(path)}")
    return path


def _is_background(text: str) -> str:
    if not re.fullmatch(_BACKGROUND, text):
        raise advised(f'must be auto, drawn or a colour such as "#c8c8c8". Received: {shown(text)}')
    return text


class Settings(CameraSettings):
    """`camera: {kind: belt, ...}`."""

    kind: Annotated[Literal["belt"], Field(description="the kind of camera")]
    items: Annotated[
        int | None,
        Field(
            ge=1, description="number of items that pass before the belt ends; without it, no end"
        ),
    ] = None
    labels: Annotated[
        list[str] | None,
        Field(
            min_length=1,
            description="classes of the items; without it, all that can be drawn, or all classes "
            "of the photographs",
        ),
    ] = None
    photographs: Annotated[
        Annotated[FilePath, AfterValidator(_is_there)] | None,
        Field(
            description="photographs to cut items out of, in a folder of one folder per class or "
            "a CSV manifest (path,label); without it, items are drawn"
        ),
    ] = None
    part: Annotated[
        Literal["train", "validation", "test"] | None,
        Field(
            description="the split to take from a manifest with a column `split`; without it, all"
        ),
    ] = None
    scale: Annotated[
        float,
        Field(gt=0, le=4, description="height of a photograph on the belt, in heights of the view"),
    ] = 1.0
    views_per_second: Annotated[
        float, Field(gt=0, le=20, description="the belt's speed, in widths of the view per second")
    ] = 0.3
    spacing_views: Annotated[
        float,
        Field(
            gt=0,
            le=100,
            description="distance from the middle of an item to that of the next, in widths of the "
            "view; more if they would touch",
        ),
    ] = 1.2
    jitter: Annotated[
        float, Field(ge=0, le=0.9, description="the share by which the spacing varies")
    ] = 0.15
    width: Annotated[int, Field(ge=64, le=4096, description="width of a frame, in pixels")] = 640
    height: Annotated[int, Field(ge=64, le=4096, description="height of a frame, in pixels")] = 480
    frames_per_second: Annotated[
        float, Field(gt=0, le=1000, description="frames that the camera takes per second")
    ] = 25.0
    exposure_seconds: Annotated[
        float,
        Field(
            ge=0, le=1, description="exposure time of a frame, in which moving items are blurred"
        ),
    ] = 0.008
    background: Annotated[
        str,
        AfterValidator(_is_background),
        Field(
            description='drawn: a rubber belt between rails; "#rrggbb": a plain one of this '
            "colour; auto: drawn, or plain in the photographs' own background colour",
            json_schema_extra={"pattern": f"^({_BACKGROUND})$"},
        ),
    ] = "auto"
    seed: Annotated[
        int, Field(ge=0, le=2**63 - 1, description="seed of everything that is random")
    ] = 0
    paced: Annotated[
        bool,
        Field(
            description="true: like a live camera, which loses the frames that nobody takes in "
            "time; false: as fast as frames are taken, on simulated time, without losing any"
        ),
    ] = True
    truth: Annotated[
        NewFilePath | None,
        Field(description="CSV file for the true labels and times of all items; it is overwritten"),
    ] = None

    @model_validator(mode="after")
    def _fits_together(self) -> Settings:
        if self.part is not None and self.photographs is None:
            raise _at("part", "is for photographs: give `photographs` as well", self.part)
        for label in self.labels or () if self.photographs is None else ():
            if label not in LABELS:
                raise _at(
                    "labels", f"cannot draw {shown(label)}{did_you_mean(label, LABELS)}", label
                )
        return self

    @property
    def size(self) -> tuple[int, int] | None:
        """(width, height) in pixels."""
        return self.width, self.height

    @property
    def seconds_per_frame(self) -> float | None:
        """The time from one frame to the next."""
        return 1 / self.frames_per_second

    @property
    def seconds_per_item(self) -> float | None:
        """The shortest time from one item to the next."""
        return self.spacing_views * (1 - self.jitter) / self.views_per_second

    def open(
        self,
        *,
        clock: Callable[[], float],
        pause: Callable[[float], bool],
        tell: Tell = log,
        report: Callable[[CameraChange], None] = unheeded,
    ) -> Camera:
        """Opens the belt's camera; the belt begins to move at the first frame.

        Raises:
            CameraError: the belt's process cannot be started, or there is no such class.
            PictureSetError: `photographs` is not a set of labelled pictures.
        """
        return BeltCamera(self.order(), clock=clock, tell=tell)

    def order(self) -> BeltOrder:
        """The order for the belt's process.

        Raises:
            CameraError: there are no photographs of a class.
            PictureSetError: `photographs` is not a set of labelled pictures.
        """
        return BeltOrder(
            pictures=self._pictures(self.photographs) if self.photographs else (),
            labels=tuple(self.labels or LABELS),
            **self.model_dump(include=set(BeltOrder.model_fields) - {"pictures", "labels"}),
        )

    def _pictures(self, source: Path) -> tuple[BeltPhotograph, ...]:
        found = read_picture_set(source)
        for label in self.labels or ():
            if label not in found.labels:
                advice = did_you_mean(label, found.labels)
                raise CameraError(f"camera.labels: {source} has no pictures of {label!r}{advice}")
        pictures = tuple(
            BeltPhotograph(path=picture.path.absolute(), label=picture.label)
            for picture in found.pictures
            if self.part in (None, picture.split)
            and (self.labels is None or picture.label in self.labels)
        )
        if not pictures:
            raise CameraError(
                f"camera.part: {source} has no pictures of the chosen classes in the split "
                f"{self.part!r}: its column `split` names the split of each picture"
            )
        return pictures


class BeltCamera:
    """A camera whose frames show a belt that another process draws."""

    def __init__(self, order: BeltOrder, *, clock: Callable[[], float], tell: Tell) -> None:
        """Starts the process.

        Raises:
            CameraError: the process cannot be started.
        """
        self.live = order.paced
        self._clock, self._tell_operator = clock, tell
        self._closed = self._over = False
        self._asked = 0
        """The number of frames that were requested and have not been received."""
        # This is a file and not a pipe, because it is read only after the process has ended.
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115
        content = order.model_dump_json().encode()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "edge.simulation.belt.drawing_process"],
                env=os.environ | {"PYTHONPATH": _python_path()},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._complaints,
                process_group=0,  # Ctrl-C is for the station, which then closes this camera
            )
        except OSError as error:
            self._complaints.close()
            raise CameraError(f"the belt's process cannot be started: {error}") from error
        _make_room(self._process.stdout)
        self._tell(LENGTH.pack(len(content)) + content)

    def read(self) -> Frame | None:
        """The next frame; None after the last item, or when closed.

        Raises:
            CameraError: the process has failed; the message gives the reason.
        """
        # On simulated time, the next frames are drawn while the station works on this one.
        ahead = 1 if self.live else _AHEAD
        while not self._closed and self._asked < ahead and self._tell(ASK.pack(self._clock())):
            self._asked += 1
        if self._closed or not self._asked:
            return self._missing()
        self._asked -= 1
        while True:
            head = self._receive(ANSWER.size)
            if head is None:
                return self._missing()
            kind, captured, sequence, rows, columns = ANSWER.unpack(head)
            if kind == FRAME:
                pixels = self._receive(rows * columns * 3)
                if pixels is None:
                    return self._missing()
                image = np.frombuffer(pixels, np.uint8).reshape(rows, columns, 3)
                return Frame(image, captured, sequence)
            text = (self._receive(rows) or b"").decode()
            if kind == SAY:
                self._tell_operator(logging.WARNING, text)
            elif kind == FAIL:
                raise CameraError(f"the belt: {text}")
            elif kind == END:
                self._over = True
                return None

    @property
    def process_id(self) -> int:
        """The id of the process that draws."""
        return self._process.pid

    def close(self) -> None:
        """Ends the process; may be called twice, and while another thread reads."""
        if self._closed:
            return
        self._closed = True
        self._process.terminate()
        try:
            self._process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for file in (self._process.stdin, self._process.stdout, self._complaints):
            assert file is not None
            with suppress(BrokenPipeError):
                file.close()

    def _tell(self, raw: bytes) -> bool:
        pipe = self._process.stdin
        assert pipe is not None
        try:
            pipe.write(raw)
            pipe.flush()
        except (
            BrokenPipeError,
            ValueError,
        ):  # the process has ended, or this camera was closed meanwhile
            return False
        return True

    def _receive(self, length: int) -> bytearray | None:
        """The next `length` bytes; None if the pipe ends before."""
        pipe = self._process.stdout
        assert pipe is not None
        raw = bytearray(length)
        at = memoryview(raw)
        while at:
            count = pipe.readinto(at)  # type: ignore[attr-defined]
            if not count:
                return None
            at = at[count:]
        return raw

    def _missing(self) -> Frame | None:
        """Returns None if the camera was closed or the belt has ended.

        Raises:
            CameraError: the process ended by itself.
        """
        if self._closed or self._over:
            return None
        code = self._process.wait()
        self._complaints.seek(0)
        lines = self._complaints.read().decode(errors="replace").strip().splitlines()
        last = lines[-1] if lines else f"it ended with code {code}"
        raise CameraError(f"the belt's process has ended unexpectedly: {last}")


def _make_room(pipe: IO[bytes] | None) -> None:
    """Makes the pipe large enough for a whole frame of 640x480 pixels, if the system allows it.

    With the usual 64 KiB, the two processes alternate fifteen times for one frame, and each time
    wait for the processor on a busy machine.
    """
    assert pipe is not None
    with suppress(OSError):
        fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
