"""The codes' thread: it reads codes in the pictures of items that have their verdict.

The sorting thread leaves the picture of an item here and does not wait. A code is an event of its
own, `CodeRead`, which refers to the item: the item's row may be written by then, and never changes.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge.config.codes import CodesSettings
from edge.core.images.image_file import Image
from edge.core.images.preprocess import Box
from edge.events import CodeRead, Event, Stamps
from edge.flow import CodeFound, ItemKey
from edge.receiving.codes import ladder
from edge.runtime import heartbeat
from edge.runtime.clock import Clock, wait_for
from edge.runtime.heartbeat import Heartbeat

_log = logging.getLogger(__name__)

_PLACES = 16
"""Pictures that may wait: grey ones, of at most a megabyte each from a camera of 1280x720."""
_NICE = 10
"""The thread's share of a busy processor, by which the others go first."""


@dataclass(slots=True)
class Look:
    """The picture of an item that is, or was, looked at for codes."""

    key: ItemKey
    grey: ladder.Grey | None = None
    """The grey picture; None once it is no longer needed."""
    found: CodeFound | None = None
    """The codes that were found, as the item's routing needs them; None until that is known."""


class CodeReader:
    """Reads codes in the pictures of items that were sorted.

    Attributes:
        heartbeat: the signs of life of `run`.
        looked, read, dropped: items whose picture was looked at; those on which a code was read;
            those that were not looked at, because too many waited.
    """

    def __init__(
        self,
        settings: CodesSettings,
        *,
        publish: Callable[[Event], None],
        done: Callable[[Look, Sequence[CodeRead]], None],
        stamps: Stamps,
        clock: Clock,
    ) -> None:
        """No picture waits.

        Args:
            publish: takes an event for each code, in the thread of `run`; must not wait.
            done: is told of each picture that was offered, once, with the codes on it, and sets
                `found`; must not wait.
            stamps: gives the events their ids and times.
        """
        self._ladder = ladder.CodeLadder(
            settings.formats, rungs=ladder.LADDER if settings.ladder else (ladder.PLAIN,)
        )
        self._whole_region = settings.where == "region"
        self._publish, self._done, self._stamps = publish, done, stamps
        self._clock, self._changed = clock, clock.condition()
        self._waiting: deque[Look] = deque()
        self._ended = False
        self.heartbeat = Heartbeat(clock.now)
        self.looked = self.read = self.dropped = 0

    def offer(self, key: ItemKey, image: Image, box: Box | None) -> Look:
        """Leaves the picture of an item to be looked at; never waits. Used by the sorting thread.

        Args:
            image: uint8 (height, width, 3) BGR; copied.
            box: the item's box in the picture; None for the whole picture.
        """
        look = Look(key)
        if len(self._waiting) >= _PLACES:
            self.dropped += 1
            if self.dropped == 1:
                _log.warning(
                    f"codes      item {key.item} is not looked at: {_PLACES} wait already. How "
                    "many there were is said at the end; ask for fewer formats, or `ladder: false`"
                )
            self._done(look, ())
            return look
        look.grey = ladder.part_with_item(image, None if self._whole_region else box)
        with self._changed:
            ended = self._ended
            if not ended:
                self._waiting.append(look)
                self._changed.notify_all()
        if ended:  # by a signal: an item that waits for its code must not wait in vain
            self.dropped += 1
            self._done(look, ())
        return look

    def run(self) -> None:
        """The body of the codes' thread: until `finish` and nothing waits, or `stop`."""
        with contextlib.suppress(OSError):  # not allowed: it is as important as the others then
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        with self.heartbeat.working():
            while (taken := self._take()) is not None:
                self._look(taken)
        _log.info(
            f"codes      on {self.read} of {self.looked} items"
            + (f"; {self.dropped} WERE NOT LOOKED AT: too little time" if self.dropped else "")
        )

    def finish(self) -> None:
        """No more pictures come; those that wait are still looked at. May be called twice."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def stop(self) -> None:
        """Ends `run` after the rung that it is on; pictures that wait count as dropped."""
        with self._changed:
            left = list(self._waiting)
            self._waiting.clear()
        self.dropped += len(left)
        for look in left:
            self._done(look, ())
        self.finish()

    def _take(self) -> Look | None:
        """The next picture; None if no more will come."""
        while True:
            self.heartbeat.beat()
            with self._changed:
                until = self._clock.now() + heartbeat.BEAT_SECONDS
                if wait_for(
                    self._clock, self._changed, lambda: bool(self._waiting) or self._ended, until
                ):
                    return self._waiting.popleft() if self._waiting else None

    def _look(self, look: Look) -> None:
        assert look.grey is not None
        reading = self._ladder.read(look.grey, self.heartbeat.beat)
        look.grey = None
        self.looked += 1
        self.read += bool(reading.codes)
        events = [
            CodeRead(
                *self._stamps.now(),
                item=look.key.item,
                item_id=look.key.id,
                text=code.text,
                format=code.format,
                gtin=code.meaning.gtin,
                sscc=code.meaning.sscc,
                lot=code.meaning.lot,
                expiry=code.meaning.expiry,
                serial=code.meaning.serial,
                rung=reading.rung or "",
                milliseconds=round(sum(reading.milliseconds), 1),
            )
            for code in reading.codes
        ]
        self._done(look, events)
        for event in events:
            self._publish(event)
