"""What a program says on its standard output and error, without waiting where it must not.

A reader that stands still (a full pipe, Ctrl-S on a terminal, a journal that hangs) holds up
whoever writes to it, for ever. Most commands may wait so; what moves actuators may not: within
`without_waiting` every text goes into a bounded queue, and a thread of its own writes it.
"""

from __future__ import annotations

import io
import os
import select
import socket
import stat
import struct
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TextIO

from edge.core.terminal.printable import printable

_CAPACITY = 1 << 20
"""Characters that may wait for each of the two: the lines of an hour, at an item a second."""
_PATIENCE_SECONDS = 5.0
"""How long a reader may stand still at the end before it is left alone with what it has."""
_SOCKET_SECONDS = 0.05


class Speaker:
    """Texts for one stream, written by a thread of its own, which may wait for its reader for ever.

    A text for which there is no room is left out and counted. When there is room again, how many
    they were is told.

    Attributes:
        left_out: texts that were never written, as far as is known by now.
        error: what writing failed with last; None: it did not.
    """

    def __init__(
        self,
        write: Callable[[str], object],
        *,
        name: str,
        tell: Callable[[str], None] | None = None,
        capacity: int = _CAPACITY,
    ) -> None:
        """Begins to wait for texts.

        Args:
            write: writes one, however long that takes.
            name: what the stream is called.
            tell: takes a line about what was left out; must not wait. None: `write` does.
            capacity: characters that may wait.
        """
        self._put, self._name, self._tell, self._capacity = write, name, tell, capacity
        self._changed = threading.Condition()
        self._texts: deque[str] = deque()
        self._size = self._gap = self._written = 0
        self._busy = False
        self.left_out = 0
        self.error: OSError | None = None
        threading.Thread(target=self._run, name=f"writing {name}", daemon=True).start()

    def write(self, text: str) -> None:
        """Has `text` written when the reader takes it, or leaves it out; never waits."""
        with self._changed:
            first = False
            if self._size + len(text) > self._capacity:
                first, self._gap = not self._gap, self._gap + 1
                self.left_out += 1
            else:
                self._texts.append(text)
                self._size += len(text)
                self._changed.notify_all()
        if first and self._tell is not None:
            self._tell(f"warning: nobody reads {self._name}: what does not fit is not shown\n")

    def finish(self, *, limit: float | None = None) -> bool:
        """Waits for what is left as long as the reader takes it; False: some of it was left out.

        Args:
            limit: seconds after which it waits no more, in any case; None: no limit.
        """
        until = None if limit is None else time.monotonic() + limit
        with self._changed:
            while self._texts or self._busy:
                before = self._written
                patience = _PATIENCE_SECONDS
                if until is not None:
                    patience = min(patience, until - time.monotonic())
                if patience <= 0 or not self._taken_since(before, patience):
                    self.left_out += len(self._texts) + self._busy
                    self._texts.clear()
                    self._size = 0
                    return False
        return True

    def _taken_since(self, before: int, patience: float) -> bool:
        return self._changed.wait_for(lambda: self._written != before, patience)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._texts)
                text = self._texts.popleft()
                self._size -= len(text)
                self._busy = True
                gap = 0
                if self._size <= self._capacity // 2:  # not at each line of a slow reader
                    gap, self._gap = self._gap, 0
            try:
                self._put(text)
                if gap:
                    self._say_gap(gap)
            except OSError as error:
                self._fail(error)
            finally:
                with self._changed:
                    self._busy = False
                    self._written += 1
                    self._changed.notify_all()

    def _say_gap(self, gap: int) -> None:
        line = f"warning: {gap} lines of {self._name} were not shown: nobody read them in time\n"
        (self._put if self._tell is None else self._tell)(line)

    def _fail(self, error: OSError) -> None:
        first = self.error is None
        self.error = error
        with self._changed:
            self.left_out += 1
        if first and self._tell is not None:
            self._tell(f"warning: {self._name} cannot be written ({error.strerror})\n")


class Speech:
    """The speakers of a process.

    Attributes:
        out: that of standard output.
        err: that of standard error.
        limit_seconds: how long the last of it may take; None: as long as somebody reads.
    """

    def __init__(self) -> None:
        self.limit_seconds: float | None = None
        self.err = Speaker(_writer(sys.stderr), name="standard error")
        self.out = Speaker(_writer(sys.stdout), name="standard output", tell=self.err.write)

    def finish(self) -> bool:
        """Waits for both, as `Speaker.finish` does; what was not shown is told."""
        out = self.out.finish(limit=self.limit_seconds)
        if self.out.left_out:
            self.err.write(f"not shown  {self.out.left_out} lines of standard output\n")
        return self.err.finish(limit=self.limit_seconds) and out


_speech: Speech | None = None
"""While there is one, all that is said goes through it."""


def write_out(text: str) -> None:
    """Writes `text` on standard output; within `without_waiting` it does not wait.

    What of it does something to a terminal is shown by its number.
    """
    text = printable(text)
    if _speech is not None:
        _speech.out.write(text)
    elif sys.stdout is not None:
        sys.stdout.write(text)
        sys.stdout.flush()


def write_err(text: str) -> None:
    """Writes `text` on standard error; within `without_waiting` it does not wait."""
    if _speech is not None:
        _speech.err.write(text)
    elif sys.stderr is not None:
        sys.stderr.write(text)
        sys.stderr.flush()


@contextmanager
def without_waiting() -> Iterator[Speech]:
    """Within it nothing that is said waits for a reader, also what C libraries write themselves.

    At its end what is left is waited for. Where the reader stands still, that is given up, and what
    is said later does not wait either.
    """
    global _speech
    if _speech is not None:
        yield _speech
        return
    with ExitStack() as parts:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        speech = Speech()  # before: it keeps the streams as they were
        for descriptor in (1, 2):
            parts.callback(_never_full(descriptor))
        _speech = speech
        try:
            yield speech
        finally:
            if speech.finish():
                _speech = None
            else:
                parts.pop_all()


def _writer(stream: TextIO | None) -> Callable[[str], object]:
    """What writes a whole text to `stream`, through a descriptor where it has one.

    Not through the stream itself: a thread that waits in there keeps the stream's lock, and the
    process from ending.
    """
    if stream is None:
        return lambda text: None
    try:
        descriptor = os.dup(stream.fileno())
    except (OSError, ValueError, io.UnsupportedOperation):  # one that a test or a notebook made

        def through_the_stream(text: str) -> None:
            stream.write(text)
            stream.flush()

        return through_the_stream
    encoding = stream.encoding

    def write(text: str) -> None:
        left = memoryview(text.encode(encoding, "backslashreplace"))
        while left:
            try:
                left = left[os.write(descriptor, left) :]
            except BlockingIOError:  # whoever started this made it so
                waiting = select.poll()
                waiting.register(descriptor, select.POLLOUT)
                waiting.poll()

    return write


def _never_full(descriptor: int) -> Callable[[], None]:
    """Makes writes to `descriptor` fail where they would wait, in this process only.

    OpenCV, FFmpeg, libcamera and LiteRT write to standard error themselves. Returns what puts it
    back. Where it cannot be done (a file has no reader to wait for) nothing is changed.
    """
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISSOCK(mode):  # the journal's
            _limit_sending(descriptor)
        if not stat.S_ISFIFO(mode) and not os.isatty(descriptor):
            return lambda: None
        # Opened once more: the flags of the one that we were given belong to others, too.
        other = os.open(f"/proc/self/fd/{descriptor}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:  # no reader any more, or a terminal of another user
        return lambda: None
    before = os.dup(descriptor)
    os.dup2(other, descriptor)
    os.close(other)

    def put_back() -> None:
        os.dup2(before, descriptor)
        os.close(before)

    return put_back


def _limit_sending(descriptor: int) -> None:
    with socket.socket(fileno=os.dup(descriptor)) as sending, suppress(OSError):
        pause = struct.pack("@ll", 0, round(1e6 * _SOCKET_SECONDS))
        sending.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, pause)
