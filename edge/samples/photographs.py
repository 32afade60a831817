"""Keeps photographs of sorted items, as the section `photographs` of a station file asks.

    sorting ─▶ chosen: the item's row gets `photograph` ─▶ memory ─▶ this thread: JPEG ─▶ process

Sorting never waits for a disk. The name of the file is made from the item's id alone, so that the
row can have it before the file is written; where the file cannot be written, or was deleted since,
an export says that the photograph is gone.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import simplejpeg

from edge.config.photographs import PhotographSettings, photographs_folder
from edge.config.reading import StationPlan
from edge.core.closing import Closing
from edge.core.errors import PilahError
from edge.core.images.image_file import Image
from edge.core.images.preprocess import InputSpec, cut_item
from edge.core.verdict import RejectReason, Verdict
from edge.flow import ItemInFrame, ItemKey
from edge.runtime.child_process import ChildEndedError, ChildProcess
from edge.runtime.clock import Clock, ClockedThread, wait_for
from edge.samples.chance import chance_of
from edge.samples.folder_lock import check_free
from edge.samples.photograph_store import Addition, photograph_file

_log = logging.getLogger(__name__)

_PLACES = 32
_WAITING_BYTES = 32 * 2**20
"""The most pictures that may wait, and their bytes: 12 whole ones of a camera of 1280x720."""
_UNDECIDED_BYTES = 8 * 2**20
"""The bytes of photographs that are kept in memory until it is known whether they are wanted: some
forty whole ones of a camera of 1280x720."""
_QUALITY = 90
_NICE = 10
"""The nice value of the thread, so that the other threads run first on a busy processor."""
_LOOK_SECONDS = 3600.0
"""How often the folder is searched for photographs that are too old, if none is added."""
_MEGABYTE = 1e6
_DAY_SECONDS = 86400.0


@dataclass(slots=True)
class _Waiting:
    """A picture that waits to be written."""

    item_id: str
    image: Image | None
    """None: it is encoded already."""
    wanted: bool = True
    """Whether it is to be written; otherwise it is kept in memory for a while."""
    jpeg: bytes = b""

    @property
    def size(self) -> int:
        """The bytes that it takes."""
        return len(self.jpeg) if self.image is None else self.image.nbytes


def open_photographs(
    plan: StationPlan,
    *,
    spec: Callable[[], InputSpec],
    clock: Clock,
    time_is_right: Callable[[], bool | None],
    is_undecided: Callable[[], bool],
) -> Photographs:
    """The photographs that a station keeps; its file has the section `photographs`.

    Args:
        spec, time_is_right, is_undecided: see `Photographs`.

    Raises:
        FileLockedError: another running station keeps its photographs in the same folder.
    """
    settings = plan.config.photographs
    assert settings is not None
    folder = photographs_folder(settings, plan.config.ledger.path)
    check_free(folder)
    return Photographs(
        settings,
        folder,
        spec=spec,
        clock=clock,
        time_is_right=time_is_right,
        is_undecided=is_undecided,
    )


class Photographs(Closing):
    """Has photographs of some of the sorted items written; a context manager.

    Attributes:
        kept, dropped, failed: how many were written; for how many there was no room in memory, so
            that the item's row names none; how many could not be written, although the row of the
            item names the file.
    """

    def __init__(
        self,
        settings: PhotographSettings,
        folder: Path,
        *,
        spec: Callable[[], InputSpec],
        clock: Clock,
        time_is_right: Callable[[], bool | None] = lambda: None,
        is_undecided: Callable[[], bool] = lambda: False,
    ) -> None:
        """Starts the process that writes, and the thread that feeds it.

        Args:
            folder: the folder of the photographs.
            spec: which part of a picture the model uses now: a photograph shows the item with the
                same margin, or the whole region.
            clock: the station's.
            time_is_right: whether the clock of the machine is kept right, None where that is not
                known; must not wait.
            is_undecided: whether a code that is read or scanned later may contradict the picture of
                an item; must not wait.
        """
        self._settings, self._folder, self._spec = settings, folder, spec
        self._clock, self._time_is_right = clock, time_is_right
        self._is_undecided = is_undecided
        self._undecided: dict[str, bytes] = {}
        """The latest photographs that are not wanted yet, by the ids of their items."""
        self._changed = clock.condition()
        self._waiting: deque[_Waiting] = deque()
        self._bytes = 0
        self._ending = self._failing = False
        self.kept = self.dropped = self.failed = 0
        self._writer = ChildProcess(
            "edge.samples.photograph_store",
            str(folder),
            str(settings.megabytes * _MEGABYTE),
            str(settings.days * _DAY_SECONDS),
        )
        self._thread = ClockedThread("photographs", self._run, clock)
        self._thread.start()

    def keep(self, verdict: Verdict, sharpest: ItemInFrame, key: ItemKey) -> str | None:
        """Has a photograph of an item kept where that is wanted; for the sorting thread.

        Never waits; copies the picture.

        Args:
            verdict: what became of the item.
            sharpest: the item in the frame that shows it best.
            key: which item it is.

        Returns:
            The file for the item's row, relative to the folder of photographs; None: none is kept.
        """
        wanted = self._wants(verdict, key)
        if sharpest.frame.fault is not None or not (wanted or self._may_be_wanted()):
            return None
        image, spec = sharpest.frame.image, self._spec()
        if spec.crop == "item" and sharpest.box is not None:
            image = cut_item(image, sharpest.box, spec.padding)
        waiting = len(self._waiting)
        if not wanted and waiting >= _PLACES // 2:
            return None
        if waiting >= _PLACES or (waiting and self._bytes + image.nbytes > _WAITING_BYTES):
            self.dropped += 1
            if self.dropped == 1:
                _log.warning(
                    f"warning    no photograph of item {key.item} is kept: {waiting} "
                    "wait already. How many there were is said at the end; is the disk slow?"
                )
            return None
        self._add(_Waiting(key.id, image.copy(), wanted))
        return photograph_file(key.id) if wanted else None

    def keep_after_all(self, item_id: str) -> str | None:
        """Keeps the photograph of an item whose code contradicted its picture later.

        Any thread may call it; it does not wait.

        Returns:
            The file, as `keep` returns it; None if the photograph is no longer in memory.
        """
        with self._changed:
            waiting = next((one for one in self._waiting if one.item_id == item_id), None)
            if waiting is not None:
                waiting.wanted = True
                return photograph_file(item_id)
            jpeg = self._undecided.get(item_id)
            if jpeg is None or self._ending:
                return None
            self._undecided[item_id] = b""  # it may be asked for again
        if jpeg:
            self._add(_Waiting(item_id, None, jpeg=jpeg))
        return photograph_file(item_id)

    def _add(self, picture: _Waiting) -> None:
        with self._changed:
            self._waiting.append(picture)
            self._bytes += picture.size
            self._changed.notify_all()

    def close(self, *, seconds: float = 1.0) -> None:
        """Writes what waits, and says how many photographs there are; may be called twice.

        Args:
            seconds: how long that may take; a disk that hangs is not waited for any longer.
        """
        with self._changed:
            if self._ending:
                return
            self._ending = True
            self._changed.notify_all()
        self._thread.join(seconds)
        self.failed += sum(picture.wanted for picture in self._waiting)
        lost = [
            *([f"of {self.dropped} more THERE IS NONE: too little time"] if self.dropped else []),
            *([f"{self.failed} COULD NOT BE WRITTEN"] if self.failed else []),
        ]
        _log.log(
            logging.WARNING if lost else logging.INFO,
            "; ".join([f"photographs of {self.kept} items are in {self._folder}", *lost]),
        )

    def _wants(self, verdict: Verdict, key: ItemKey) -> bool:
        wanted = {
            "all": True,
            "rejected": not verdict.accepted,
            "mismatch": verdict.reject is RejectReason.CONTRADICTED,
            "none": False,
        }[self._settings.items]
        return wanted or chance_of(key.id) < self._settings.share

    def _may_be_wanted(self) -> bool:
        return self._settings.items in ("rejected", "mismatch") and self._is_undecided()

    def _run(self) -> None:
        with contextlib.suppress(OSError):  # not allowed: it is as important as the others then
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        look_at = -math.inf
        while True:
            with self._changed:
                wait_for(
                    self._clock, self._changed, lambda: bool(self._waiting) or self._ending, look_at
                )
                waiting = self._waiting[0] if self._waiting else None
                if waiting is None and self._ending:
                    break
            if waiting is None:
                self._ask(self._addition())
                look_at = self._clock.now() + _LOOK_SECONDS
                continue
            if waiting.image is not None:
                waiting.jpeg = simplejpeg.encode_jpeg(
                    waiting.image, quality=_QUALITY, colorspace="BGR", colorsubsampling="444"
                )
            if waiting.wanted or not self._put_aside(waiting):
                if self._ask(self._addition(waiting.item_id, waiting.jpeg)):
                    self.kept += 1
                else:
                    self.failed += 1
                with self._changed:
                    self._waiting.popleft()
                    self._bytes -= waiting.size
        self._writer.close()

    def _put_aside(self, picture: _Waiting) -> bool:
        """Keeps a photograph in memory, and drops the oldest ones there; False if it is wanted by
        now."""
        with self._changed:
            if picture.wanted:
                return False
            self._waiting.popleft()
            self._bytes -= picture.size
            self._undecided[picture.item_id] = picture.jpeg
            while sum(map(len, self._undecided.values())) > _UNDECIDED_BYTES:
                del self._undecided[next(iter(self._undecided))]
        return True

    def _addition(self, item_id: str = "", content: bytes = b"") -> Addition:
        return Addition(self._clock.wall(), self._time_is_right() is not False, item_id, content)

    def _ask(self, addition: Addition) -> bool:
        """Has it done; returns False, and says it the first time, where that cannot be."""
        try:
            self._writer.ask(addition)
        except (PilahError, ChildEndedError) as error:
            if not self._failing:
                how = "their process " if isinstance(error, ChildEndedError) else ""
                _log.error(
                    f"incident   photographs cannot be kept: {how}{error}. Sorting goes on, and "
                    "each next one is tried"
                )
            self._failing = True
            return False
        if self._failing:
            _log.info("photographs can be kept again")
        self._failing = False
        return True
