"""One holder at a time; who waits is told, and gets the lock when it is let go."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.core.errors import FileLockedError, StorageError
from edge.core.processes.file_lock import locked, release_lock, take_lock, try_lock
from tests.disks import no_locks


@pytest.fixture
def descriptors(tmp_path: Path) -> Iterator[tuple[int, int]]:
    """Two openings of one file, as two processes would have them."""
    path = tmp_path / "file"
    opened = [os.open(path, os.O_RDWR | os.O_CREAT) for _ in range(2)]
    yield opened[0], opened[1]
    for descriptor in opened:
        os.close(descriptor)


def test_one_descriptor_at_a_time_holds_a_lock(descriptors: tuple[int, int]) -> None:
    mine, other = descriptors
    assert try_lock(mine)
    assert not try_lock(other)
    release_lock(mine)
    assert try_lock(other)


def test_shared_locks_exclude_only_a_lock_that_is_not_shared(descriptors: tuple[int, int]) -> None:
    mine, other = descriptors
    take_lock(mine, shared=True)
    take_lock(other, shared=True)
    assert not try_lock(mine)
    release_lock(other)
    assert try_lock(mine)


def test_where_there_are_no_locks_that_is_an_error(
    descriptors: tuple[int, int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("fcntl.flock", no_locks)
    with pytest.raises(OSError, match="No locks"):
        try_lock(descriptors[0])
    with (
        pytest.raises(StorageError, match=r"cannot lock .*place: No locks"),
        locked(tmp_path / "place"),
    ):
        pytest.fail("the block must not be entered")


@pytest.mark.parametrize("kind", ["folder", "file", "new file"])
def test_within_the_block_nobody_else_gets_it_and_afterwards_anybody(
    tmp_path: Path, kind: str
) -> None:
    path = tmp_path if kind == "folder" else tmp_path / "lock"
    if kind == "file":
        path.write_text("content")
    with (
        locked(path),
        pytest.raises(FileLockedError, match="held by another process"),
        locked(path),
    ):
        pytest.fail("the block must not be entered")
    with locked(path):
        pass
    if kind == "file":
        assert path.read_text() == "content"


def test_the_lock_is_let_go_when_the_block_fails(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="of the block's own"), locked(tmp_path):
        raise OSError("of the block's own")
    with locked(tmp_path):
        pass


def test_who_waits_says_so_once_and_has_it_when_it_is_let_go(tmp_path: Path) -> None:
    holder = os.open(tmp_path, os.O_RDONLY)
    take_lock(holder)
    said = []

    def let_go() -> None:
        said.append("waiting")
        os.close(holder)

    with locked(tmp_path, wait_seconds=60, on_wait=let_go):
        assert said == ["waiting"]


def test_who_waits_looks_again_and_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    holder, looks = os.open(tmp_path, os.O_RDONLY), []
    take_lock(holder)

    def let_go_at_the_third(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 3:
            os.close(holder)

    monkeypatch.setattr("edge.core.processes.file_lock.time.sleep", let_go_at_the_third)
    with locked(tmp_path, wait_seconds=float("inf")):
        assert len(looks) == 3


def test_a_wait_ends_in_an_error(tmp_path: Path) -> None:
    said: list[str] = []
    with (
        locked(tmp_path),
        pytest.raises(FileLockedError),
        locked(tmp_path, wait_seconds=1e-9, on_wait=lambda: said.append("waiting")),
    ):
        pytest.fail("the block must not be entered")
    assert said == ["waiting"]


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(StorageError, match=r"cannot lock .*missing/lock: No such file"),
        locked(tmp_path / "missing" / "lock"),
    ):
        pytest.fail("the block must not be entered")
