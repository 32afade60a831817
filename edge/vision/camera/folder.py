"""The pictures of a folder as frames, as if a camera took them at a constant rate."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from edge.core.dataset.tree import look_into
from edge.core.errors import CameraError, StorageError, UnreadableImageError
from edge.core.images.image_file import read_image
from edge.core.yaml_file import FolderPath
from edge.flow import CameraChange, Frame, UnreadableFrame
from edge.vision.camera import Camera, CameraSettings, Tell, log, unheeded


class Settings(CameraSettings):
    """`camera: {kind: folder, ...}`."""

    kind: Annotated[Literal["folder"], Field(description="the kind of camera")]
    path: Annotated[FolderPath, Field(description="folder of pictures, including its subfolders")]
    frames_per_second: Annotated[
        float, Field(gt=0, le=1000, description="the frame rate; lower if sorting is slower")
    ] = 2.0
    loop: Annotated[bool, Field(description="begin again after the last picture")] = False

    @property
    def seconds_per_frame(self) -> float | None:
        """The seconds from one frame to the next."""
        return 1 / self.frames_per_second

    def open(
        self,
        *,
        clock: Callable[[], float],
        pause: Callable[[float], bool],
        tell: Tell = log,
        report: Callable[[CameraChange], None] = unheeded,
    ) -> Camera:
        """Opens the folder as a camera.

        Raises:
            CameraError: there is no picture in the folder.
        """
        return FolderCamera(
            self.path,
            seconds_per_frame=1 / self.frames_per_second,
            loop=self.loop,
            clock=clock,
            pause=pause,
        )


class FolderCamera:
    """The pictures below a folder as frames, in natural order: 2.jpg comes before 10.jpg.

    A picture file that cannot be decoded becomes an UnreadableFrame.
    """

    live = False

    def __init__(
        self,
        path: Path,
        *,
        seconds_per_frame: float,
        loop: bool,
        clock: Callable[[], float],
        pause: Callable[[float], bool],
    ) -> None:
        """Lists the pictures.

        Raises:
            CameraError: there is no picture in the folder.
        """
        self._path, self._loop = path, loop
        self._seconds_per_frame = seconds_per_frame
        self._clock, self._pause = clock, pause
        self._files = self._listed()
        if not self._files:
            raise CameraError(
                f"{path}: no pictures in this folder (JPEG, PNG, WebP or BMP): put some into it, "
                "or correct `path` of the camera"
            )
        self._next = iter(self._files)
        self._sequence = 0
        self._due = clock()

    def read(self) -> Frame | UnreadableFrame | None:
        """The next picture when its time has come; None after the last one or when stopped."""
        file = next(self._next, None)
        if file is None and self._loop:
            self._next = iter(self._listed())
            file = next(self._next, None)
        if file is None:
            return None
        # After a late frame the next ones are not sent faster: the schedule restarts here.
        now = self._clock()
        if self._due > now and self._pause(self._due - now):
            return None
        self._due = max(self._due, now) + self._seconds_per_frame
        self._sequence += 1
        source = file.relative_to(self._path).as_posix()
        try:
            image = read_image(file)
        except (UnreadableImageError, StorageError) as error:
            return UnreadableFrame(self._clock(), self._sequence, source, str(error))
        return Frame(image, self._clock(), self._sequence, source)

    def close(self) -> None:
        """Ends the reading; may be called twice."""
        self._loop, self._next = False, iter(())

    def _listed(self) -> list[Path]:
        return sorted(_pictures(self._path), key=lambda file: _natural(file, self._path))


def _pictures(folder: Path) -> Iterator[Path]:
    # Unsupported formats are listed too, so that each such file gets a row in the ledger.
    tree = look_into(folder)
    yield from tree.all_pictures()
    yield from (file.path for file in tree.all_left_out())


def _natural(file: Path, folder: Path) -> list[tuple[int, int, str]]:
    name = file.relative_to(folder).as_posix()
    parts = re.findall(r"\d+|\D+", name)
    return [(0, int(part), part) if part.isdecimal() else (1, 0, part) for part in parts]
