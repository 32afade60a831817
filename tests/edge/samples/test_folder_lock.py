"""Two stations do not keep their photographs in one folder."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edge.core.errors import FileLockedError, StorageError
from edge.samples.folder_lock import FolderLock, check_free, lock_path
from edge.samples.photograph_store import Addition, PhotographStore
from tests.edge.samples.test_photograph_store import NOON, add, names, store, there


def ended_process() -> int:
    """The id of a process that is there no more."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def test_a_folder_that_another_station_writes_is_neither_added_to_nor_cleared(
    tmp_path: Path,
) -> None:
    with store(tmp_path) as first:
        add(first, [NOON])
        other = PhotographStore(tmp_path, max_bytes=10, max_seconds=1)
        for content in (b"", b"jpeg"):
            with pytest.raises(FileLockedError, match=f"another running station.*{tmp_path}"):
                other.add(Addition(NOON + 10, True, "", content))
    assert there(tmp_path) == names([NOON])
    add(other, [NOON + 1], size=10)
    assert there(tmp_path) == names([NOON + 1])
    other.close()


def test_a_station_is_refused_while_another_one_that_runs_writes_the_folder(
    tmp_path: Path,
) -> None:
    check_free(tmp_path / "none")
    with FolderLock(tmp_path) as lock:
        lock.hold()
        with pytest.raises(FileLockedError, match="give this station a folder of its own"):
            check_free(tmp_path)
    check_free(tmp_path)


def test_what_a_station_left_that_has_ended_keeps_none_from_sorting(tmp_path: Path) -> None:
    with FolderLock(tmp_path, owner=ended_process()) as lock:
        lock.hold()
        check_free(tmp_path)
        with store(tmp_path) as other, pytest.raises(FileLockedError):
            add(other, [NOON])


def test_a_folder_that_was_replaced_is_locked_again(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    with store(folder) as kept:
        add(kept, [NOON])
        shutil.rmtree(folder)
        add(kept, [NOON + 1])
        with pytest.raises(FileLockedError):
            check_free(folder)


def test_a_file_system_without_locks_keeps_nobody_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(descriptor: int, kind: int) -> None:
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))

    monkeypatch.setattr(fcntl, "flock", none)
    for _ in range(2):
        with store(tmp_path) as kept:
            add(kept, [NOON])
            check_free(tmp_path)


def test_a_lock_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    lock_path(tmp_path).symlink_to(tmp_path / "elsewhere")
    with store(tmp_path) as kept, pytest.raises(StorageError, match="cannot write"):
        add(kept, [NOON])
    assert not (tmp_path / "elsewhere").exists()
    check_free(tmp_path)
