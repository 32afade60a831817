"""Writes to standard output and standard error, without blocking where a program must not block.

A reader that has stopped (a full pipe, Ctrl-S on a terminal, a journal that hangs) blocks the
writer without a limit. Most commands may block; a program that moves actuators may not: within
`without_waiting` every text goes into a bounded queue, and a separate thread writes it.
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
"""The most characters that may wait for each stream: one hour of lines at an item a second."""
_PATIENCE_SECONDS = 5.0
"""How long, at the end, a reader may take nothing before the rest of the text is dropped."""
_SOCKET_SECONDS = 0.05


class Speaker:
    """A queue of texts for one stream, with a thread that writes them and may wait for the reader.

    A text for which there is no room is dropped and counted. When there is room again, the number
    of dropped texts is reported.

    Attributes:
        left_out: the number of texts dropped so far.
        error: the last error of writing; None if there was none.
    """

    def __init__(
        self,
        write: Callable[[str], object],
        *,
        name: str,
        tell: Callable[[str], None] | None = None,
        capacity: int = _CAPACITY,
    ) -> None:
        """Starts the thread.

        Args:
            write: writes one text to the stream; may block.
            name: the name of the stream in messages.
            tell: takes a line that reports dropped texts, and must not block; None means `write`.
            capacity: the most characters that may wait.
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
        """Queues `text` for writing, or drops it if the queue is full; never blocks."""
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
            self._tell(f"warning: nobody reads {self._name}, so some lines will not be shown\n")

    def finish(self, *, limit: float | None = None) -> bool:
        """Waits until the queue is written, as long as the reader takes text.

        Returns False if some text was dropped.

        Args:
            limit: the most seconds to wait in any case; None means no limit.
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
                if self._size <= self._capacity // 2:  # so that a slow reader gets few reports
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
    """The two speakers of a process.

    Attributes:
        out: the speaker for standard output.
        err: the speaker for standard error.
        limit_seconds: the most seconds that `finish` may take; None means no limit while the
            readers take text.
    """

    def __init__(self) -> None:
        self.limit_seconds: float | None = None
        self.err = Speaker(_writer(sys.stderr), name="standard error")
        self.out = Speaker(_writer(sys.stdout), name="standard output", tell=self.err.write)

    def finish(self) -> bool:
        """Waits for both speakers, as `Speaker.finish` does, and reports what was not shown."""
        out = self.out.finish(limit=self.limit_seconds)
        if self.out.left_out:
            self.err.write(f"not shown  {self.out.left_out} lines of standard output\n")
        return self.err.finish(limit=self.limit_seconds) and out


_speech: Speech | None = None
"""If it is set, all output goes through it."""


def write_out(text: str) -> None:
    """Writes `text` on standard output; within `without_waiting` it does not block.

    Characters that a terminal would act on are written as escapes.
    """
    text = printable(text)
    if _speech is not None:
        _speech.out.write(text)
    elif sys.stdout is not None:
        sys.stdout.write(text)
        sys.stdout.flush()


def write_err(text: str) -> None:
    """Writes `text` on standard error; within `without_waiting` it does not block."""
    if _speech is not None:
        _speech.err.write(text)
    elif sys.stderr is not None:
        sys.stderr.write(text)
        sys.stderr.flush()


@contextmanager
def without_waiting() -> Iterator[Speech]:
    """Makes sure that no output within the block waits for a reader, not even that of C libraries.

    At the end of the block the rest of the output is waited for. If the reader has stopped, the
    rest is dropped, and later output does not block either.
    """
    global _speech
    if _speech is not None:
        yield _speech
        return
    with ExitStack() as parts:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        speech = Speech()  # made first, because it duplicates the streams as they are now
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
    """A function that writes a whole text to `stream`, through its descriptor if it has one.

    It does not use the stream itself, because a thread that blocks there holds the stream's lock,
    and the process could not end.
    """
    if stream is None:
        return lambda text: None
    try:
        descriptor = os.dup(stream.fileno())
    except (OSError, ValueError, io.UnsupportedOperation):  # a stream of a test or a notebook

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
            except BlockingIOError:  # the parent process made the descriptor non-blocking
                waiting = select.poll()
                waiting.register(descriptor, select.POLLOUT)
                waiting.poll()

    return write


def _never_full(descriptor: int) -> Callable[[], None]:
    """Makes writes to `descriptor` fail if they would block, in this process only.

    OpenCV, FFmpeg, libcamera and LiteRT write to standard error themselves. Returns a function that
    restores the descriptor. A file never blocks, so nothing is changed for it.
    """
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISSOCK(mode):  # the socket of the journal
            _limit_sending(descriptor)
        if not stat.S_ISFIFO(mode) and not os.isatty(descriptor):
            return lambda: None
        # Opened again, because the flags of the given descriptor are shared with other processes.
        other = os.open(f"/proc/self/fd/{descriptor}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:  # there is no reader any more, or the terminal belongs to another user
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
