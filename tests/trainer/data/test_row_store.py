"""Rows come back as they went in, whatever stopped the process that wrote them."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from edge.errors import StorageError
from trainer.data.row_store import Rows, RowStore, cache_limit, drop_oldest

KEYS = ["aa", "bb", "cc", "dd"]


def rows(count: int, start: int = 0) -> np.ndarray:
    return np.arange(start, start + count, dtype=np.float32)[:, None] * np.ones(5, np.float32)


def opened(folder: Path) -> RowStore:
    return RowStore(folder, shape=(5,), dtype=np.float32, key_length=2)


def test_rows_are_found_again_in_any_order(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.append(KEYS[:2], rows(2))
        store.append(KEYS[2:], rows(2, start=2))
    with opened(tmp_path) as store:
        assert store.find(["dd", "zz", "aa"]).tolist() == [3, -1, 0]
        assert store.read(store.find(["dd", "aa"]))[:, 0].tolist() == [3, 0]


def test_a_key_keeps_its_first_row(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.append(["aa", "aa", "bb"], rows(3))
        store.append(["aa", "cc"], rows(2, start=7))
        assert len(store) == 3
        assert store.read(store.find(["aa", "bb", "cc"]))[:, 0].tolist() == [0, 2, 8]


def test_two_that_are_open_at_once_do_not_write_over_each_other(tmp_path: Path) -> None:
    with opened(tmp_path) as one, opened(tmp_path) as other:
        one.append(["aa"], rows(1))
        other.append(["bb"], rows(1, start=1))
        one.append(["aa", "bb", "cc"], rows(3, start=10))
        assert one.read(one.find(["aa", "bb", "cc"]))[:, 0].tolist() == [0, 1, 12]


@pytest.mark.parametrize("cut", ["a key", "a row and its key", "half a row"])
def test_what_a_killed_process_left_is_written_over(tmp_path: Path, cut: str) -> None:
    with opened(tmp_path) as store:
        store.append(KEYS[:3], rows(3))
    if cut != "half a row":
        os.truncate(tmp_path / "keys.txt", 2 * 3 + 1)
    if cut != "a key":
        os.truncate(tmp_path / "values.bin", 2 * 20 + (10 if cut == "half a row" else 0))
    with opened(tmp_path) as store:
        assert store.find(KEYS[:3]).tolist() == [0, 1, -1]
        store.append(["cc"], rows(1, start=9))
    with opened(tmp_path) as store:
        assert store.read(store.find(KEYS[:3]))[:, 0].tolist() == [0, 1, 9]


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with opened(tmp_path) as store:
        store.append(["aa"], rows(1))
        with monkeypatch.context() as patch:
            patch.setattr(os, "posix_fallocate", full)
            with pytest.raises(StorageError, match="set PILAH_CACHE to a larger disk"):
                store.claim(10**6)
            patch.setattr(os, "fdatasync", full)
            with pytest.raises(StorageError, match="the disk is full"):
                store.append(["bb"], rows(1))
        assert (tmp_path / "values.bin").stat().st_size == 20
        store.append(["cc"], rows(1, start=4))
        assert store.read(store.find(["aa", "cc"]))[:, 0].tolist() == [0, 4]


def test_a_row_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.append(["aa"], rows(1))
        store.claim(5)
        for row in (-1, 1):
            with pytest.raises(IndexError):
                store.read(np.array([row]))


def test_rows_read_like_an_array(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.append(KEYS, rows(4))
        view = Rows(store, store.find(["dd", "aa", "cc"]))
        assert (len(view), view.shape, view.dtype) == (3, (3, 5), np.float32)
        assert view[1].tolist() == [0] * 5
        assert view[np.array([2, 0])][:, 0].tolist() == [2, 3]
        assert [row[0] for row in view] == [3, 0, 2]


def test_the_longest_unused_go_first_but_none_that_is_open(tmp_path: Path) -> None:
    for age, name in enumerate(["old", "older", "open", "new"]):
        with opened(tmp_path / name) as store:
            store.append(["aa"], np.zeros((1, 5)))
        when = {"old": 2, "older": 1, "open": 0, "new": 3}[name]
        os.utime(tmp_path / name, (when, when))
        assert age < 4
    size = sum(f.stat().st_blocks * 512 for f in (tmp_path / "new").iterdir())
    with opened(tmp_path / "open") as store:
        os.utime(tmp_path / "open", (0, 0))
        drop_oldest(tmp_path, 3 * size)
        assert sorted(p.name for p in tmp_path.iterdir()) == ["new", "old", "open"]
        drop_oldest(tmp_path, size)
        assert sorted(p.name for p in tmp_path.iterdir()) == ["open"]
        assert store.read(store.find(["aa"])).shape == (1, 5)


@pytest.mark.parametrize("text", ["0", "-1", "much"])
def test_a_limit_that_is_none_is_told(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("PILAH_CACHE_GB", text)
    with pytest.raises(StorageError, match="PILAH_CACHE_GB must be"):
        cache_limit()
    monkeypatch.setenv("PILAH_CACHE_GB", "1.5")
    assert cache_limit() == 1_500_000_000
