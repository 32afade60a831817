"""Keeps pictures that a person labels while the station runs, in a folder as `capture` fills it.

What is asked for is done by a thread of its own, because a disk may hang: who asks is answered at
once, and asks later what came of it. The thread is there only while somebody teaches.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from edge.core.closing import Closing
from edge.core.errors import PictureSetError, PilahError, RegionError
from edge.core.images.image_file import Image
from edge.core.images.preprocess import cut_item
from edge.core.images.quality import judge
from edge.flow import Frame, FrameSeen
from edge.runtime.clock import Clock, ClockedThread, wait_for
from edge.vision.region import Region, cut

if TYPE_CHECKING:
    from edge.core.dataset.photo_folder import Geometry, PhotoFolder

_log = logging.getLogger(__name__)

IDLE_SECONDS = 60.0
"""After so long without a question, the folder is let go of, so that others may fill it."""
PICTURE_SECONDS = 2.0
"""How long a picture that is newer than its order is waited for."""
_LOOK_SECONDS = 0.03
_MOST_WAITING = 8
_MOST_TAKEN = 1000
_NICE = 10
_END_SECONDS = 1.0


class _Order(NamedTuple):
    does: Literal["look", "take", "discard"]
    number: int
    label: str
    who: str
    at: float


@dataclass(slots=True)
class _Outcome:
    """What is known of the folder, and what came of the last order. Read by another thread."""

    counts: dict[str, int] = field(default_factory=dict)
    ready: bool = False
    done: int = 0
    """The number of the last order that was done, or was not."""
    failure: str = ""
    """Why not, in a word; empty: it was done."""
    said: str = ""
    """The same, as a whole sentence."""
    label: str = ""
    """The label of the picture that was taken or deleted."""
    faults: list[str] = field(default_factory=list)
    """What the picture suffers from: `too dark`, `too bright`, `blurred`."""


class _NoPictureError(Exception):
    """No picture can be taken now."""

    def __init__(self, word: str, said: str) -> None:
        super().__init__(said)
        self.word = word


class LabelledPictures(Closing):
    """Takes labelled pictures of what a running station sees."""

    def __init__(
        self,
        seen: Callable[[], FrameSeen | None],
        *,
        region: Region | None,
        geometry: Geometry,
        folder: Path,
        station: str,
        clock: Clock,
    ) -> None:
        """Touches no disk yet.

        Args:
            seen: the newest frame with what is in view; must not wait.
            region: the part of the camera's picture that the station looks at; None: all of it.
            geometry: how pictures are cut: as the station's model wants them.
            folder: where they go.
            station: the station's name.
            clock: that of the frames.
        """
        self._seen, self._region, self._geometry = seen, region, geometry
        self._folder, self._station, self._clock = folder, station, clock
        self._changed = clock.condition()
        self._orders: deque[_Order] = deque()
        self._numbers = 0
        self._until = 0.0
        self._ended = False
        self._thread: threading.Thread | None = None
        self._outcome = _Outcome()
        self._taken: list[Path] = []

    def take(self, label: str, who: str) -> dict[str, Any]:
        """Orders the next picture to be kept as one of `label`; see `facts`, whose `done` becomes
        the `order` that is returned here."""
        return self._order("take", label, who)

    def discard(self, who: str) -> dict[str, Any]:
        """Orders the picture that was taken last to be deleted, as `take` does."""
        return self._order("discard", "", who)

    def facts(self) -> dict[str, Any]:
        """What is there, and what came of the last order. Does not wait: `ready` is False until the
        folder was looked at."""
        with self._changed:
            self._begin()
            found = self._outcome
            return {
                "folder": str(self._folder), "crop": self._geometry.crop, "counts": found.counts,
                "ready": found.ready, "done": found.done, "failure": found.failure,
                "said": found.said, "label": found.label, "faults": found.faults,
                "can_discard": bool(self._taken),
            }  # fmt: skip

    def close(self) -> None:
        """Ends the thread; may be called twice."""
        with self._changed:
            self._ended = True
            thread = self._thread
            self._changed.notify_all()
        if thread is not None:
            thread.join(_END_SECONDS)

    def _order(self, does: Literal["take", "discard"], label: str, who: str) -> dict[str, Any]:
        with self._changed:
            if len(self._orders) >= _MOST_WAITING:
                return {"order": 0}
            self._begin()
            self._numbers += 1
            self._orders.append(_Order(does, self._numbers, label, who, self._clock.now()))
            self._changed.notify_all()
            return {"order": self._numbers}

    def _begin(self) -> None:
        """Has the thread run, which looks at the folder first."""
        self._until = self._clock.now() + IDLE_SECONDS
        if self._thread is None and not self._ended:
            self._orders.append(_Order("look", self._outcome.done, "", "", self._clock.now()))
            self._thread = ClockedThread("teaching", self._run, self._clock)
            self._thread.start()

    def _run(self) -> None:
        from edge.core.dataset.photo_folder import PhotoFolder

        with contextlib.suppress(OSError):  # not allowed: it is as important as the others then
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        folder: PhotoFolder | None = None
        with contextlib.ExitStack() as parts:
            while (order := self._next()) is not None:
                try:
                    if folder is None:
                        opened = PhotoFolder(
                            self._folder, geometry=self._geometry, station=self._station
                        )
                        folder = parts.enter_context(opened)
                    outcome = self._done(folder, order)
                except (PilahError, _NoPictureError) as error:
                    outcome = _Outcome(
                        {} if folder is None else dict(folder.counts), ready=True,
                        done=order.number, failure=_word(error),
                        said=str(error), label=order.label,
                    )  # fmt: skip
                with self._changed:
                    self._outcome = outcome

    def _next(self) -> _Order | None:
        """The next order; None: nobody teaches any more."""
        with self._changed:
            while not self._orders and not self._ended and self._clock.now() < self._until:
                wait_for(
                    self._clock, self._changed, lambda: self._ended or bool(self._orders),
                    self._until,
                )  # fmt: skip
            if self._orders and not self._ended:
                return self._orders.popleft()
            self._thread = None
            self._outcome.ready = False
            return None

    def _done(self, folder: PhotoFolder, order: _Order) -> _Outcome:
        """Does what was ordered.

        Raises:
            _NoPictureError, PilahError: it could not be done.
        """
        faults: list[str] = []
        label = order.label
        if order.does == "take":
            faults = self._take(folder, order)
        elif order.does == "discard":
            if not self._taken:
                raise _NoPictureError("nothing", "no picture was taken since the station started")
            file = self._taken.pop()
            folder.remove(file)
            label = file.parent.name
            _log.info(f"taught     deleted {file}, by {order.who}")
        else:  # what came of the order before still counts
            before = self._outcome
            return replace(before, counts=dict(+folder.counts), ready=True)
        return _Outcome(
            dict(+folder.counts), ready=True, done=order.number, label=label, faults=faults
        )

    def _take(self, folder: PhotoFolder, order: _Order) -> list[str]:
        """Takes a picture, and returns its faults."""
        from edge.core.dataset.photo_folder import photo_label

        try:
            label = photo_label(order.label, where="the label")
        except PictureSetError as error:
            raise _NoPictureError("label", str(error)) from error
        frame, image = self._image(order)
        faults = list(judge(image).warnings)
        taken = self._clock.wall() - (self._clock.now() - frame.captured)
        file = folder.add(label, image, taken=taken)
        self._taken.append(file)
        del self._taken[:-_MOST_TAKEN]
        _log.info(f"taught     {file}  ({folder.counts[label]} {label}), by {order.who}")
        return faults

    def _image(self, order: _Order) -> tuple[Frame, Image]:
        """The frame that was captured next after the order, and what of it is kept.

        Raises:
            _NoPictureError: there is none that can be used.
            RegionError: the region does not lie within the picture.
        """
        until = order.at + PICTURE_SECONDS
        while (seen := self._seen()) is None or seen.frame.captured <= order.at:
            with self._changed:
                now = self._clock.now()
                if now >= until or self._ended:
                    raise _NoPictureError("no_picture", "the camera has given no new picture")
                wait_for(self._clock, self._changed, lambda: self._ended, now + _LOOK_SECONDS)
        if (fault := seen.frame.fault) is not None:
            raise _NoPictureError("fault", f"the camera {fault.words or 'shows an old picture'}")
        frame = cut(seen.frame, self._region)
        if self._geometry.padding is None:
            return frame, frame.image
        boxes = [(each.box, each.whole) for each in seen.observations if each.box is not None]
        if not boxes:
            raise _NoPictureError("nothing_seen", "the trigger finds nothing in view")
        if len(boxes) > 1:
            raise _NoPictureError("several", f"{len(boxes)} things are in view: leave one there")
        box, whole = boxes[0]
        if not whole:
            raise _NoPictureError("cut_off", "the region's edge cuts off what is in view")
        return frame, cut_item(frame.image, box, self._geometry.padding)


def _word(error: PilahError | _NoPictureError) -> str:
    """Why a picture was not taken, in a word that other programs can read."""
    if isinstance(error, _NoPictureError):
        return error.word
    if isinstance(error, RegionError):
        return "region"
    return "other_cut" if isinstance(error, PictureSetError) else "folder"
