"""Sends the entries of the outboxes to one receiver, in order, until it has all of them.

Each receiver has a pump and a thread of its own, so that none holds up another. What was sent is
noted after the receiver has it: an end in between sends some entries again, and loses none.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from edge.core.errors import OutboxError, PilahError, PublisherFileError
from edge.publish.outbox_file import OutboxFile, Part, Position
from edge.publish.publisher_file import PublisherFile, SendCounts
from edge.publish.receiver import Entry, Receiver, ReceiverUnavailable, Refused
from edge.runtime.clock import SYSTEM_CLOCK
from edge.runtime.heartbeat import Heartbeat

_log = logging.getLogger(__name__)

_BATCH = 200
_LOOK_SECONDS = 0.1
"""How often a pump that has nothing to send looks whether the outboxes have changed."""
_AGAIN_SECONDS = 1.0
"""The seconds between two looks for refused entries that are to be sent again."""
_UNREAD_SECONDS = 5.0
"""How many seconds an outbox that could not be read is left alone."""
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0


class Backoff:
    """How long to wait before the next attempt: longer each time, and not in step with others."""

    def __init__(self, *, chance: Callable[[], float] = random.random) -> None:
        """The next attempt is the first.

        Args:
            chance: a number from 0 to 1, another one each time.
        """
        self._chance, self._failures = chance, 0

    def failed(self) -> float:
        """Seconds to wait after one more failure: half to all of 1, 2, 4 ... 60."""
        pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(self._failures, 10))
        self._failures += 1
        return pause * (1 + self._chance()) / 2

    def succeeded(self) -> None:
        """The next failure is the first again."""
        self._failures = 0


class _Unread(NamedTuple):
    """Why an outbox could not be read, and when to try it again, by the system's clock."""

    error: OutboxError
    again: float


class Pump:
    """Gives the entries of the outboxes to one receiver.

    Attributes:
        heartbeat: the signs of life of `run`. trouble: why nothing, or not everything, can be sent
        now; None if it can, as far as is known. refused: how many entries it has refused since
        `run` began.
    """

    def __init__(
        self,
        receiver: Receiver,
        outboxes: Sequence[OutboxFile],
        progress: Path,
        *,
        stopping: threading.Event,
        once: bool = False,
        backoff: Backoff | None = None,
    ) -> None:
        """Sends nothing yet.

        Args:
            receiver: is the pump's to close.
            outboxes: are read, each in its order; they are the pump's to close.
            progress: the publisher's file.
            stopping: set when `run` is to end.
            once: whether `run` ends when all that can be read is sent, or the receiver cannot be
                told.
        """
        self._receiver, self._outboxes, self._path = receiver, outboxes, progress
        self._stopping, self._once = stopping, once
        self._backoff = backoff or Backoff()
        self._behind = {outbox.name: True for outbox in outboxes}
        """For each outbox, whether it may have entries that were not sent."""
        self._unread: dict[str, _Unread] = {}
        """The outboxes that could not be read, by their names."""
        self.heartbeat = Heartbeat(SYSTEM_CLOCK.now)
        self._again_at = 0.0
        """When to look for marked entries next, by the system's clock."""
        self.trouble: str | None = None
        self.refused = 0

    @property
    def name(self) -> str:
        """The receiver's name."""
        return self._receiver.name

    def run(self) -> None:
        """Sends until it is to stop; closes receiver and outboxes."""
        try:
            with self.heartbeat.working(), PublisherFile(self._path) as progress:
                progress.set_trouble(self.name, None)  # of a run before
                while not self._stopping.is_set():
                    self.heartbeat.beat()
                    pause = self._step(progress)
                    if self._once and pause > 0:
                        return
                    if pause:
                        self._wait(pause)
        finally:
            self._receiver.close()
            for outbox in self._outboxes:
                outbox.close()

    def _step(self, progress: PublisherFile) -> float:
        """Sends one part of each outbox, and refused entries that are to be sent again.

        Returns:
            The seconds until there is more to do.
        """
        try:
            sent = [self._send_part(outbox, progress) for outbox in self._outboxes]
            sent.append(self._send_again(progress))
            if self.trouble is not None and (any(sent) or not any(self._behind.values())):
                self._recovered(progress)
        except (ReceiverUnavailable, PublisherFileError) as error:
            self._failed(error, progress)
            return _LOOK_SECONDS if self._once else self._backoff.failed()
        if any(sent):
            self._backoff.succeeded()
        return 0.0 if any(self._behind.values()) or sent[-1] else _LOOK_SECONDS

    def _send_part(self, outbox: OutboxFile, progress: PublisherFile) -> bool:
        """Sends the next entries of `outbox`, if there are any; whether there were.

        One that cannot be read is looked at again later, and holds up no other.
        """
        unread = self._unread.get(outbox.name)
        if unread is not None and SYSTEM_CLOCK.now() < unread.again:
            return False
        try:
            sent = self._read_and_send(outbox, progress)
        except OutboxError as error:
            self._behind[outbox.name] = False  # it has changed, when it can be opened again
            self._unread[outbox.name] = _Unread(error, SYSTEM_CLOCK.now() + _UNREAD_SECONDS)
            self._failed(error, progress)
            return False
        self._unread.pop(outbox.name, None)
        return sent

    def _read_and_send(self, outbox: OutboxFile, progress: PublisherFile) -> bool:
        self._behind[outbox.name] |= outbox.has_changed()
        if not self._behind[outbox.name]:
            return False
        position = progress.position(self.name, outbox.name)
        part = outbox.read(position, _BATCH)
        self._behind[outbox.name] = len(part.entries) == _BATCH
        if not part.entries:
            return False
        self._behind[outbox.name] = True  # until they are there
        if position is None or part.begun_anew:
            self._begin(outbox, part, progress)
        refused = self._give(part.entries)
        last = part.entries[-1]
        gained = SendCounts(
            sent=len(part.entries) - len(refused),
            refused=len(refused),
            dropped=part.dropped,
            last=last.time,
        )
        progress.advance(
            self.name, outbox.name, Position(last.sequence, last.id), gained=gained, refused=refused
        )
        if part.dropped:
            _log.error(
                f"LOST       {part.dropped} entries of the {outbox.name} were dropped from the "
                f"outbox before {self.name} had them, as there was no room for more or they were "
                "too old. Their rows are in the file"
            )
        if refused:
            self.refused += len(refused)
            _log.warning(
                f"refused    {self.name} will not take {len(refused)} of {len(part.entries)} "
                f"entries, which were set aside. The first: {refused[0].entry.kind} "
                f"{refused[0].entry.id}: {refused[0].reason}"
            )
        self._behind[outbox.name] = len(part.entries) == _BATCH
        return True

    def _send_again(self, progress: PublisherFile) -> bool:
        """Sends refused entries again that a person has marked, each once; returns whether there
        were any."""
        if SYSTEM_CLOCK.now() < self._again_at:
            return False
        entries = progress.asked_again(self.name, _BATCH)
        if not entries:
            self._again_at = SYSTEM_CLOCK.now() + _AGAIN_SECONDS
            return False
        refused = self._give(entries)
        progress.sent_again(self.name, entries, refused)
        self.refused += len(refused)
        _log.info(
            f"publish    {self.name} was sent {len(entries)} entries again that it had refused, "
            f"and refused {len(refused)} once more"
        )
        return True

    def _give(self, entries: Sequence[Entry]) -> Sequence[Refused]:
        """Gives entries to the receiver; see `Receiver.send`."""
        try:
            return self._receiver.send(entries)
        except ReceiverUnavailable:
            raise
        except Exception as error:
            # Receivers use other people's libraries on what other systems answer, and nobody knows
            # all that these raise. An end of this thread would be the end of all other receivers.
            _log.debug(f"{self.name}: not foreseen", exc_info=True)
            raise ReceiverUnavailable(f"{type(error).__name__}: {error}") from error

    def _begin(self, outbox: OutboxFile, part: Part, progress: PublisherFile) -> None:
        """Notes where an outbox begins that the receiver has nothing of.

        Otherwise, what is dropped before the receiver has taken anything could not be counted.
        """
        before = Position(part.entries[0].sequence - 1, "")
        progress.advance(self.name, outbox.name, before, gained=SendCounts())
        if part.begun_anew:
            _log.warning(
                f"warning    the outbox in {outbox.path} is not the one of before: all that is in "
                f"it is sent to {self.name}"
            )

    def _recovered(self, progress: PublisherFile) -> None:
        """The receiver takes entries: what is left of the trouble are outboxes, if any."""
        for unread in self._unread.values():
            if self.trouble != str(unread.error):
                self._failed(unread.error, progress)
            return
        _log.info(f"publish    {self.name} takes entries again")
        self.trouble = None
        progress.set_trouble(self.name, None)

    def _failed(self, error: PilahError, progress: PublisherFile) -> None:
        if self.trouble is None:
            again = "" if self._once else ", and are sent as soon as it works again"
            _log.error(f"incident   {self.name}: {error}. Entries wait in the outbox{again}")
        elif str(error) != self.trouble:
            _log.debug(f"{self.name}: {error}")
        self.trouble = str(error)
        if not isinstance(error, PublisherFileError):
            try:
                progress.set_trouble(self.name, self.trouble)
            except PublisherFileError as other:
                _log.debug(str(other))

    def _wait(self, seconds: float) -> None:
        """Waits until the time has passed or `run` is to end; gives heartbeats meanwhile."""
        until = SYSTEM_CLOCK.now() + seconds
        while (left := until - SYSTEM_CLOCK.now()) > 0 and not self._stopping.wait(min(left, 1.0)):
            self.heartbeat.beat()
