"""How fresh what a page shows is: the age of the station's last sign of life, and what has changed.

A frozen display is the worst lie of an operator's page. So every page is told, several times a
second, how old the station's status is and which records have changed, and says so within two
seconds of the last sign of life (`edge/web/static/pilah.js` counts on while nothing comes).
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import anyio
import anyio.to_thread

from edge.core.errors import StatusRefusedError
from edge.telemetry.status import StatusReading, read_status
from edge.web.plan import WebPlan
from edge.web.watch.mismatches import open_mismatches

SILENT_SECONDS = 1.2
"""A station whose last sign of life is older is called silent. It gives two a second; with the time
that a look and a page take, a page says within 2 s of a station's end that it is silent."""
LOOK_SECONDS = 0.1
"""How long one look serves all who ask."""
MOST_STREAMS = 40
"""Pages that are kept up to date at the same time; one more is told to come again."""
_DISK_SECONDS = 0.2
"""How long a look waits for a disk."""
_LOOKING_THREADS = 2
"""Threads that look for a stream, apart from those that answer pages, which a disk may hold."""
_WELCOME_SECONDS = 3.0
"""How often it is asked whether who reads is signed in still."""
_INDEX_HEADER_BYTES = 48
_MISMATCH_SECONDS = 1.0
"""How often mismatches are read while a delivery is counted: all of its events are."""
_TELL_SECONDS = 0.5
"""How often a page is told that nothing has changed."""


class Beat:
    """One look at the station.

    Attributes:
        reading: its status; None: it has none.
        refused: why the status cannot be read; empty: it can.
        marks: a word for each kind of record, which changes when the record does.
        mismatches: the ids of those that wait for somebody; see `open_mismatches`.
    """

    def __init__(
        self,
        reading: StatusReading | None,
        refused: str,
        marks: dict[str, str],
        mismatches: Sequence[str] = (),
    ) -> None:
        """Is what was seen."""
        self.reading, self.refused, self.marks = reading, refused, marks
        self.mismatches = mismatches

    @property
    def age_seconds(self) -> float | None:
        """The age of the last sign of life; None: there is none."""
        return None if self.reading is None else self.reading.age_seconds

    @property
    def model_digest(self) -> str | None:
        """The digest of the bundle with which the station sorts; None: it does not run."""
        signs = None if self.reading is None or self.is_silent else self.reading.status.signs
        return None if signs is None else signs.model_digest

    @property
    def is_silent(self) -> bool:
        """Whether the station gives no sign of life. One that starts gives one only."""
        age = self.age_seconds
        if age is None or self.reading is None:
            return True
        return self.reading.is_stale if self.reading.status.signs is None else age > SILENT_SECONDS


class Live:
    """Looks at the station for all pages at once. Used by any thread."""

    def __init__(
        self,
        plan: WebPlan,
        *,
        read: Callable[[str, Path], StatusReading | None] = read_status,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Has not looked yet.

        Args:
            read: gives the status of the station with a name and a ledger.
            clock: seconds, monotonic.
        """
        self._plan, self._read, self._clock = plan, read, clock
        self._alone = threading.Lock()
        self._last: tuple[float, Beat] | None = None
        self._streams = 0
        self._ended = False
        self._marking: threading.Thread | None = None
        self._file_marks = {"ledger": "", "deliveries": ""}
        self._mismatches: Sequence[str] = ()
        self._mismatches_of = "", float("-inf")
        """The mark of the deliveries that they were read from, and when."""

    def beat(self) -> Beat:
        """How the station is now, or was LOOK_SECONDS ago."""
        with self._alone:
            now = self._clock()
            if self._last is None or now - self._last[0] >= LOOK_SECONDS:
                self._last = now, self._look()
            return self._last[1]

    async def stream(self, is_welcome: Callable[[], bool] = lambda: True) -> AsyncIterator[str]:
        """What has changed, as server-sent events, for as long as somebody reads, until `close`.

        Each event has the seconds since the last sign of life (null: there is none), whether the
        station is silent, and `marks` and `mismatches` of Beat.

        Args:
            is_welcome: whether who reads may go on, which is asked every few seconds.
        """
        self._streams += 1
        try:
            told, since, asked = "", -_TELL_SECONDS, self._clock()
            apart = anyio.CapacityLimiter(_LOOKING_THREADS)
            yield "retry: 500\n\n"
            while not self._ended:
                beat = await anyio.to_thread.run_sync(self.beat, limiter=apart)
                said = json.dumps([beat.is_silent, beat.marks, beat.mismatches])
                now = self._clock()
                if now - asked >= _WELCOME_SECONDS:
                    if not await anyio.to_thread.run_sync(is_welcome, limiter=apart):
                        return
                    asked = now
                if said != told or now - since >= _TELL_SECONDS:
                    told, since = said, now
                    found = {
                        "age": self._age(beat), "silent": beat.is_silent, "marks": beat.marks,
                        "mismatches": beat.mismatches,
                    }  # fmt: skip
                    yield f"data: {json.dumps(found)}\n\n"
                await anyio.sleep(LOOK_SECONDS)
        finally:
            self._streams -= 1

    def close(self) -> None:
        """Ends all streams; may be called twice."""
        self._ended = True

    @property
    def is_full(self) -> bool:
        """Whether MOST_STREAMS are read."""
        return self._streams >= MOST_STREAMS

    def _marks_of_files(self) -> dict[str, str]:
        """The marks of what lies on a disk. One that hangs is not waited for: the status, which
        lies in memory, says that the ledger cannot be written."""
        if self._marking is None or not self._marking.is_alive():
            self._marking = threading.Thread(target=self._mark_files, name="marks", daemon=True)
            self._marking.start()
        self._marking.join(_DISK_SECONDS)
        return dict(self._file_marks)

    def _mark_files(self) -> None:
        self._file_marks = {
            "ledger": _mark_of_file(self._plan.ledger),
            "deliveries": (mark := _mark_of_file(self._plan.deliveries)),
        }
        before, when = self._mismatches_of
        if mark != before and (now := self._clock()) - when >= _MISMATCH_SECONDS:
            self._mismatches_of = mark, now
            self._mismatches = open_mismatches(self._plan.deliveries)

    def _age(self, beat: Beat) -> float | None:
        """The age of the last sign of life now, and not when the status was read."""
        looked = None if self._last is None else self._last[0]
        if beat.age_seconds is None or looked is None:
            return None
        return beat.age_seconds + max(0.0, self._clock() - looked)

    def _look(self) -> Beat:
        try:
            reading, refused = self._read(self._plan.station, self._plan.ledger), ""
        except StatusRefusedError as error:
            reading, refused = None, str(error)
        marks = {
            **self._marks_of_files(),
            "status": _mark_of_status(reading),
            "state": _mark_of_state(reading),
        }
        return Beat(reading, refused, marks, self._mismatches)


def _mark_of_file(path: Path) -> str:
    """Changes with each transaction on an SQLite file, which is written to its log first.

    The log is there before readers see what is in it, by as long as a disk takes to confirm it: so
    the mark has the header of the log's index, too, by whose change a transaction is to be seen
    (https://www.sqlite.org/walformat.html, section 2.1).
    """
    found = []
    for file in (path, path.with_name(f"{path.name}-wal")):
        try:
            facts = file.stat()
        except OSError:
            continue
        if facts.st_size:  # an empty log comes and goes with whoever reads
            found.append(f"{facts.st_ino}.{facts.st_size}.{facts.st_mtime_ns}")
            if file != path:
                found.append(_index_header(path))
    return hashlib.sha256(" ".join(found).encode()).hexdigest()[:12]


def _index_header(path: Path) -> str:
    """The header of the index of an SQLite file's log; empty where it cannot be read."""
    try:
        with path.with_name(f"{path.name}-shm").open("rb") as file:
            return file.read(_INDEX_HEADER_BYTES).hex()
    except OSError:
        return ""


def _mark_of_status(reading: StatusReading | None) -> str:
    return "" if reading is None else f"{reading.status.pid}.{reading.status.monotonic}"


def _mark_of_state(reading: StatusReading | None) -> str:
    """Changes when what a person would do about the station does."""
    if reading is None:
        return ""
    status = reading.status
    signs = status.signs
    found: list[object] = [status.pid, status.state, reading.is_stale]
    if signs is not None:
        found += [signs.camera_lost, signs.ledger_fails, bool(signs.items_spilled)]
        found += [signs.counts_fail, signs.model_digest]
        found += [] if signs.state is None else [signs.state.state, signs.state.mode]
    return hashlib.sha256(repr(found).encode()).hexdigest()[:12]
