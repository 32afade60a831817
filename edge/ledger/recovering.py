"""A ledger that recovers without help from whatever happens to its file.

If the file is damaged or written over, it is renamed, never deleted, and a new one is begun. If it
is moved or deleted, a new one is begun where the station file says. If it cannot be written now,
the next call tries again.
"""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from edge.core.closing import Closing
from edge.core.errors import LedgerDamagedError, LedgerError, LedgerForeignError
from edge.events import Event
from edge.ledger.ledger import Ledger
from edge.ledger.lock import LedgerLock
from edge.ledger.sqlite_file import (
    LARGE,
    BackgroundCheck,
    check_whole,
    looks_written_by_hand,
)
from edge.outbox.retention import Keep

_log = logging.getLogger(__name__)

_CHECKPOINT_COMMITS = 250
_CHECKPOINT_ROWS = 2000
"""After so many commits or rows the log (`-wal`) is brought into the file. Less often would cost
memory and disk and save little: at 250, a page of the file is written about once for 20 rows. See
`deploy/ledger.md` for what was measured."""
_IDS_AT_OPENING = 2000
_IDS_AT_ONCE = 500
"""How many rows without an id, as an older pilah wrote them, get one when the ledger is opened and
with each commit: both take a short time however many there are."""
_ATTEMPTS = 3
"""How often one call begins a new file; it fails if each of them is taken away again."""
_SIDES = ("", "-wal", "-shm")
"""What follows the ledger's name in the names of the file and its two companions."""

_Identity = tuple[tuple[int, int] | None, ...]


class _TakenAwayError(LedgerError):
    """The file that is open is no longer the one at the ledger's path."""


def set_aside_files(path: Path) -> list[Path]:
    """The damaged files that were set aside for the ledger `path`, oldest first."""
    found = path.parent.glob(f"{_escaped(path.stem)}.set-aside-*{_escaped(path.suffix)}")
    return sorted(found, key=lambda path: path.stem)


class RecoveringLedger(Closing):
    """The ledger at a path, which is opened at the first call and again whenever that is needed.

    It is used by one thread at a time. Whatever it finds wrong and repairs is logged at once.
    """

    def __init__(
        self,
        path: Path,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        owner: int | None = None,
        keep: Keep | None = None,
    ) -> None:
        """Touches nothing yet.

        Args:
            now: the time, in UTC, for the names of files that are set aside.
            owner: the process that it is written for; None: this one.
            keep: what its outbox keeps; None: nothing is written to the outbox.
        """
        self.path, self._keep = path, keep
        self._now = now
        self._lock = LedgerLock(path, owner=owner)
        self._ledger: Ledger | None = None
        self._identity: _Identity = ()
        self._aside = False
        """Whether this object has set a file aside, so that a missing file is no surprise."""
        self._print: tuple[int, ...] | None = None
        self._log_size = 0
        self._unsure: deque[Event] = deque()
        """Rows that are in the log only, which are lost if somebody deletes or overwrites it."""
        self._commits = self._given = 0
        self._all_have_ids = False
        self._check: BackgroundCheck | None = None
        """Checks a large ledger that was opened; None: it is known to be undamaged."""

    def append(self, rows: Sequence[Event]) -> None:
        """Writes `rows` durably, all of them or none; rows that are there already stay as they are.

        Without rows it only opens the ledger, if it is not open.

        Raises:
            LedgerError: it cannot be written now. The next call tries again.
            LedgerRefusedError: it must not be opened; see its kinds.
        """
        for _ in range(_ATTEMPTS):
            try:
                self._append(rows)
                return
            except _TakenAwayError as error:
                _log.error(f"incident   {error}. A new one is begun there")
                self._let_go()
            except LedgerDamagedError as error:
                aside = self._set_aside()
                _log.error(
                    f"incident   {error}. It was set aside as {aside}, and a new one is begun"
                )
            except LedgerError:
                self._close()
                raise
        raise LedgerError(f"cannot keep the ledger {self.path}: its file changes again and again")

    def close(self) -> None:
        """Closes the file and releases the lock; may be called twice."""
        self._close()
        self._lock.release()

    def _append(self, rows: Sequence[Event]) -> None:
        ledger = self._ledger
        if ledger is None:
            ledger = self._open()
            if self._unsure:
                ledger.append(list(self._unsure))
        else:
            self._check_unchanged(ledger)
            self._raise_damage()
        if rows:
            ledger.append(rows)
            if self._identity != self._found():  # taken away just now: with these rows, perhaps
                raise _TakenAwayError(f"the ledger {self.path} was moved or deleted")
            self._unsure.extend(rows)
            self._commits += 1
            self._give_ids(ledger, _IDS_AT_ONCE)
        rows_in_log = len(self._unsure) + self._given
        if self._commits >= _CHECKPOINT_COMMITS or rows_in_log >= _CHECKPOINT_ROWS:
            self._checkpoint(ledger)
        self._log_size = _size(self._sides()[1])

    def _open(self) -> Ledger:
        # A lock file is there where a ledger was once kept.
        ours = self._identity != () or self._lock.path.exists()
        self._lock.hold()
        if ours and self._identity == () and not self._aside and _size(self.path) == 0:
            _log.error(
                f"incident   nothing is in the ledger {self.path}, where one was kept before: was "
                "it moved, deleted or emptied? A new one is begun there"
            )
        try:
            ledger = Ledger(self.path, keep=self._keep)
            try:
                if _size(self.path) < LARGE:
                    check_whole(self.path)
                else:  # which takes a card a minute for a million rows
                    self._check = BackgroundCheck(self.path)
            except BaseException:
                ledger.close()
                raise
        except LedgerForeignError as error:
            if ours:
                raise LedgerDamagedError(f"the ledger {self.path} was written over") from error
            self._lock.remove()
            raise
        except LedgerDamagedError as error:
            if ours or not looks_written_by_hand(self.path):
                raise
            self._lock.remove()
            raise LedgerForeignError(str(error)) from error
        except LedgerError:
            if not ours:
                self._lock.remove()
            raise
        self._ledger, self._identity = ledger, self._found()
        self._print, self._log_size = self._footprint(), _size(self._sides()[1])
        self._commits = 0
        self._all_have_ids = False
        self._give_ids(ledger, _IDS_AT_OPENING)
        return ledger

    def _give_ids(self, ledger: Ledger, limit: int) -> None:
        """Gives ids to rows that an earlier pilah wrote without ids, a few at a time."""
        if self._all_have_ids:
            return
        try:
            given = ledger.give_ids(limit)
        except LedgerDamagedError:
            raise
        except LedgerError:  # a full disk, a locked file: the next rows tell, and this can wait
            return
        self._given += given
        self._all_have_ids = given < limit

    def _raise_damage(self) -> None:
        """Raises what the check of a large ledger has found, once it has ended.

        Raises:
            LedgerDamagedError: it has found damage.
        """
        if self._check is not None and self._check.finished:
            check, self._check = self._check, None
            if check.damage is not None:
                raise check.damage

    def _check_unchanged(self, ledger: Ledger) -> None:
        """Checks that the open file is still at its path and that nobody else wrote to it.

        Raises:
            _TakenAwayError: it, or one of its companions, is not there.
            LedgerDamagedError: something was written over it.
        """
        if self._identity != self._found():
            raise _TakenAwayError(f"the ledger {self.path} was moved or deleted")
        if self._footprint() == self._print and _size(self._sides()[1]) >= self._log_size:
            return
        # Between our checkpoints nobody changes the file but another program's checkpoint.
        if _size(self.path) == 0:
            # Not to be opened: SQLite deletes the log of an empty file.
            raise LedgerDamagedError(f"the ledger {self.path} was emptied")
        try:
            check_whole(self.path)
        except LedgerForeignError as error:
            raise LedgerDamagedError(f"the ledger {self.path} was written over") from error
        self._checkpoint(ledger)  # puts back what was written over and is in the log still

    def _checkpoint(self, ledger: Ledger) -> None:
        if ledger.checkpoint():
            self._commits = self._given = 0
            if self._check is None:  # a file that may be damaged is not where rows are safe
                self._unsure.clear()
        self._print = self._footprint()

    def _let_go(self) -> None:
        """Brings all rows into the file, wherever it is now, and closes it."""
        if self._ledger is not None:
            with suppress(LedgerError):  # they are written to the new one too
                self._ledger.checkpoint()
        self._close()
        if not self.path.exists() and any(side.exists() for side in self._sides()):
            self._set_aside()  # companions of the one that was taken away: not the new one's

    def _set_aside(self) -> Path:
        """Renames the file and its companions, and closes it.

        They are renamed while the file is open: SQLite then neither changes the file when it is
        closed, nor deletes its log.

        Raises:
            LedgerError: the folder cannot be written.
        """
        stamp = self._now().strftime("%Y%m%dT%H%M%SZ")
        for number in count(1):
            mark = stamp if number == 1 else f"{stamp}-{number}"
            aside = self.path.with_name(f"{self.path.stem}.set-aside-{mark}{self.path.suffix}")
            if not any(aside.with_name(aside.name + side).exists() for side in _SIDES):
                break
        try:
            # The log first: where the power fails in between, no file finds a log of another.
            for path, side in reversed(list(zip(self._sides(), _SIDES, strict=True))):
                if path.exists():
                    path.rename(aside.with_name(aside.name + side))
            folder = os.open(self.path.parent, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise LedgerError(
                f"the ledger {self.path} is damaged, and cannot be set aside: {error.strerror}"
            ) from error
        finally:
            self._close()
        self._aside = True
        return aside

    def _close(self) -> None:
        if self._check is not None:
            self._check.stop()
            self._check = None
        if self._ledger is not None:
            self._ledger.close()
            self._ledger = None

    def _sides(self) -> list[Path]:
        return [self.path.with_name(self.path.name + side) for side in _SIDES]

    def _found(self) -> _Identity:
        """Which files are at the path, at those of its companions, and at that of the lock."""
        return tuple(_identity(path) for path in (*self._sides(), self._lock.path))

    def _footprint(self) -> tuple[int, ...] | None:
        """Size and times of the file, which change if anybody writes to it; cheap to ask."""
        try:
            found = self.path.stat()
        except OSError:
            return None
        return (found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file is at `path`; None: there is none.

    Raises:
        LedgerError: that cannot be looked at now.
    """
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise LedgerError(f"cannot look at {path}: {error.strerror}") from error
    return (found.st_dev, found.st_ino)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _escaped(name: str) -> str:
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in name)
