"""Where the trials of a sweep are kept: a journal file or a PostgreSQL database, for all machines.

Both are Optuna's. This module is imported only by a sweep, as Optuna is an extra of its own.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    IntegrityError,
    ProgrammingError,
    SQLAlchemyError,
)

from edge.core.errors import PackageMissingError, StorageError, UsageError
from edge.core.terminal.hints import install_command

_log = logging.getLogger(__name__)

_SECONDS = 60
"""How long a database may take to answer."""
_BEGINNINGS = 5
"""How often a database's tables are looked for, while another process makes them."""


@contextmanager
def opened_storage(place: str) -> Iterator[BaseStorage]:
    """The storage at `place`; mistakes of it within this context are a StorageError.

    Args:
        place: the path of a journal file, which is made if it is not there; or the address of a
            database, `postgresql://USER@HOST/NAME`, whose password PGPASSWORD may give.

    Raises:
        UsageError: `place` is the address of something else.
        PackageMissingError: the driver of PostgreSQL is not installed.
        StorageError: the storage cannot be opened, read or written, or is not a sweep's.
    """
    optuna.logging.disable_default_handler()
    try:
        if "://" not in place:
            yield _journal(Path(place))
            return
        storage = _database(place)
        try:
            yield storage
        finally:
            storage.remove_session()
            storage.engine.dispose()
    except (SQLAlchemyError, StorageInternalError) as error:
        cause = error.__cause__ if isinstance(error, StorageInternalError) else error
        why = cause.orig if isinstance(cause, DBAPIError) and cause.orig is not None else cause
        raise StorageError(
            f"{place}: the database cannot be used: {_in_words(why)}. When it can, the same "
            "command goes on"
        ) from error
    except OSError as error:
        if isinstance(error, StorageError) or error.filename is None:
            raise
        raise StorageError(
            f"{error.filename}: {error.strerror}. When that is mended, the same command goes on"
        ) from error


class WholeLines(JournalFileBackend):
    """A journal file that goes on where a process was killed, or a disk was full, within a line.

    Optuna's own appends to the half line, and can read nothing from there on.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), JournalFileOpenLock(str(path)))

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Removes a half line at the end, which nobody has read, and appends `logs` after it."""
        lines = "".join(f"{json.dumps(log, separators=(',', ':'))}\n" for log in logs).encode()
        self._lock.acquire()
        try:
            with Path(self._file_path).open("r+b") as file:
                file.seek(_whole_bytes(file))
                file.truncate()
                file.write(lines)
                file.flush()
                os.fsync(file.fileno())
        finally:
            self._lock.release()


def _whole_bytes(file: Any) -> int:
    """How many bytes of a file are whole lines."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - 65536)
        file.seek(start)
        newline = file.read(end - start).rfind(b"\n")
        if newline >= 0:
            return int(start + newline + 1)
        end = start
    return 0


def _journal(path: Path) -> BaseStorage:
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise StorageError(f"{path}: must be a file, in a folder that is there")
    try:
        return JournalStorage(WholeLines(path))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StorageError(
            f"{path}: is not the journal of a sweep, or is damaged: choose another --storage"
        ) from error


def _database(place: str) -> RDBStorage:
    try:
        url = make_url(place)
    except ArgumentError:
        url = None
    if url is None or url.drivername != "postgresql":
        raise UsageError(
            f"--storage takes a journal file, or postgresql://USER@HOST/DATABASE. Received: {place}"
        )
    if importlib.util.find_spec("pg8000") is None:
        raise PackageMissingError(f"pg8000 is not installed: {install_command('sweep')}")
    url = url.set(drivername="postgresql+pg8000")
    if url.password is None:
        url = url.set(password=os.environ.get("PGPASSWORD"))
    for beginning in range(1, _BEGINNINGS + 1):
        try:
            return RDBStorage(
                url.render_as_string(hide_password=False),
                engine_kwargs={"pool_pre_ping": True, "connect_args": {"timeout": _SECONDS}},
            )
        except (IntegrityError, ProgrammingError):
            # Two processes that begin at once make the same tables, and one of them is refused.
            if beginning == _BEGINNINGS:
                raise
    raise AssertionError


def _in_words(error: object) -> str:
    """What a database's driver says, without its codes."""
    found = error.args[0] if isinstance(error, Exception) and error.args else error
    if isinstance(found, dict):  # pg8000 gives what the server sent: M is the message
        found = found.get("M", found)
    return re.sub(r"\s+", " ", str(found)).strip().rstrip(".")
