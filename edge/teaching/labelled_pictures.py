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
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from edge.core.closing import Closing
from edge.core.errors import PictureSetError, PilahError, RegionError
from edge.core.files import storage_errors
from edge.core.images.image_file import Image
from edge.core.images.preprocess import cut_item
from edge.core.images.quality import judge
from edge.flow import Frame, FrameSeen
from edge.runtime.clock import Clock, ClockedThread, wait_for
from edge.samples.photograph_store import room_left
from edge.vision.region import Region, cut
from edge.vision.seen_frames import SeenFrames

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


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of one order."""

    order: int
    label: str
    """Of the picture that was taken or deleted."""
    failure: str = ""
    """Why it was not, in a word; empty: it was."""
    said: str = ""
    """The same, as a whole sentence."""
    faults: tuple[str, ...] = ()
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
        seen: SeenFrames,
        *,
        region: Region | None,
        geometry: Callable[[], Geometry],
        folder: Path,
        station: str,
        clock: Clock,
    ) -> None:
        """Touches no disk yet.

        Args:
            seen: what the sorting thread looked at.
            region: the part of the camera's picture that the station looks at; None: all of it.
            geometry: how pictures are cut: as the station's model wants them by then.
            folder: where they go.
            station: the station's name.
            clock: that of the frames.
        """
        self._seen, self._region, self._wanted = seen, region, geometry
        self._geometry = geometry()
        """Of the folder, while it is open."""
        self._folder, self._station, self._clock = folder, station, clock
        self._changed = clock.condition()
        self._orders: deque[_Order] = deque()
        self._numbers = 0
        self._until = 0.0
        self._ended = False
        self._thread: threading.Thread | None = None
        self._outcomes: deque[_Outcome] = deque(maxlen=2 * _MOST_WAITING)
        self._counts: dict[str, int] | None = None
        self._unusable = ""
        self._taken: list[tuple[str, Path]] = []
        self._last = -1

    def take(self, label: str, who: str) -> dict[str, Any]:
        """Orders the next picture to be kept as one of `label`. What came of it is among the
        `outcomes` of `facts` by the `order` that is returned here; 0: too many wait."""
        return self._order("take", label, who)

    def discard(self, who: str) -> dict[str, Any]:
        """Orders the picture that `who` took last to be deleted, as `take` does."""
        return self._order("discard", "", who)

    def facts(self, who: str) -> dict[str, Any]:
        """What is there, and what came of the last orders; does not wait.

        Returns:
            `folder`, and `crop`: what pictures show, `region` or `item`; `counts` of pictures by
            label, None as long as the folder was not looked at; `unusable`: why it cannot be used;
            `outcomes` of the last orders, each with `order`, `label`, `failure`, `said` and
            `faults`; `can_discard`: whether `who` has taken one.
        """
        with self._changed:
            self._begin()
            return {
                "folder": str(self._folder), "crop": self._geometry.crop, "counts": self._counts,
                "unusable": self._unusable, "outcomes": list(map(asdict, self._outcomes)),
                "can_discard": any(name == who for name, _ in self._taken),
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
            self._orders.appendleft(_Order("look", 0, "", "", self._clock.now()))
            self._thread = ClockedThread("teaching", self._run, self._clock)
            self._thread.start()

    def _run(self) -> None:
        with contextlib.suppress(OSError):  # not allowed: it is as important as the others then
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        try:
            with contextlib.ExitStack() as parts:
                parts.enter_context(self._seen.wanted())
                folder: PhotoFolder | None = None
                while (order := self._next()) is not None:
                    folder = self._obey(order, folder, parts)
        except BaseException:
            with self._changed:  # else nobody would be heard any more
                self._thread = None
            raise

    def _obey(
        self, order: _Order, folder: PhotoFolder | None, parts: contextlib.ExitStack
    ) -> PhotoFolder | None:
        """Does what was ordered, in the folder, which is opened where it is not."""
        from edge.core.dataset.photo_folder import PhotoFolder

        unusable, outcome = "", _Outcome(order.number, order.label)
        try:
            if folder is None:
                self._geometry = self._wanted()
                opened = PhotoFolder(self._folder, geometry=self._geometry, station=self._station)
                folder = parts.enter_context(opened)
            outcome = self._done(folder, order)
        except Exception as error:  # whatever it is, the station sorts on, and the next is heard
            known = isinstance(error, PilahError | _NoPictureError)
            if not known:
                _log.exception("warning    a picture to train with could not be taken")
            said = str(error) if known else "it failed: see the station's log"
            outcome = replace(outcome, failure=_word(error), said=said)
            unusable = said if folder is None else ""
        with self._changed:
            self._counts = None if folder is None else dict(+folder.counts)
            self._unusable = unusable
            if order.does != "look":
                self._outcomes.append(outcome)
        return folder

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
            self._thread = self._counts = None
            return None

    def _done(self, folder: PhotoFolder, order: _Order) -> _Outcome:
        """Does what was ordered.

        Raises:
            _NoPictureError, PilahError: it could not be done.
        """
        if order.does == "take":
            return self._take(folder, order)
        if order.does == "look":
            return _Outcome(order.number, "")
        mine = [taken for taken in self._taken if taken[0] == order.who]
        if not mine:
            raise _NoPictureError("nothing", "you took no picture since the station started")
        file = mine[-1][1]
        folder.remove(file)
        self._taken.remove(mine[-1])
        _log.info(f"taught     deleted {file}, by {order.who}")
        return _Outcome(order.number, file.parent.name)

    def _take(self, folder: PhotoFolder, order: _Order) -> _Outcome:
        from edge.core.dataset.photo_folder import photo_label

        try:
            label = photo_label(order.label, where="the label")
        except PictureSetError as error:
            raise _NoPictureError("label", str(error)) from error
        frame, image = self._image(order)
        with storage_errors("look at", self._folder):
            left = room_left(self._folder)
        if left < image.nbytes:
            raise _NoPictureError("full", f"the disk of {self._folder} is nearly full")
        taken = self._clock.wall() - (self._clock.now() - frame.captured)
        file = folder.add(label, image, taken=taken)
        self._taken.append((order.who, file))
        del self._taken[:-_MOST_TAKEN]
        _log.info(f"taught     {file}  ({folder.counts[label]} {label}), by {order.who}")
        return _Outcome(order.number, label, faults=judge(image).warnings)

    def _image(self, order: _Order) -> tuple[Frame, Image]:
        """The frame that was captured next after the order and was not taken, and what is kept.

        Raises:
            _NoPictureError: there is none that can be used.
            RegionError: the region does not lie within the picture.
        """
        until = max(order.at, self._clock.now()) + PICTURE_SECONDS
        while not self._is_new(seen := self._seen.newest(), order):
            with self._changed:
                now = self._clock.now()
                if now >= until or self._ended:
                    raise _NoPictureError("no_picture", "the camera has given no new picture")
                wait_for(self._clock, self._changed, lambda: self._ended, now + _LOOK_SECONDS)
        assert seen is not None
        self._last = seen.frame.sequence
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

    def _is_new(self, seen: FrameSeen | None, order: _Order) -> bool:
        return (
            seen is not None
            and seen.frame.captured > order.at
            and seen.frame.sequence != self._last
        )


def _word(error: Exception) -> str:
    """Why a picture was not taken, in a word that other programs can read."""
    if isinstance(error, _NoPictureError):
        return error.word
    if isinstance(error, RegionError):
        return "region"
    if isinstance(error, PictureSetError):
        return "other_cut"
    return "folder" if isinstance(error, PilahError) else "failed"
