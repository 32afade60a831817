"""Rows come back as they went in, whatever stopped the process that wrote them."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from edge.core.errors import StorageError
from tests.disks import no_space
from trainer.data.cache_folder import cache_limit, drop_oldest
from trainer.data.row_store import Rows, RowStore

KEYS = ["aa", "bb", "cc", "dd"]


def rows(count: int, start: int = 0) -> np.ndarray:
    return np.arange(start, start + count, dtype=np.float32)[:, None] * np.ones(5, np.float32)


def opened(folder: Path) -> RowStore:
    return RowStore(folder, shape=(5,), dtype=np.float32)


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


@pytest.mark.parametrize("cut", ["its line of the index", "a row and its line", "half a row"])
def test_what_a_killed_process_left_is_written_over(tmp_path: Path, cut: str) -> None:
    with opened(tmp_path) as store:
        store.append(KEYS[:3], rows(3))
    if cut != "half a row":
        change_index(tmp_path, "DELETE FROM rows WHERE key = 'cc'")
    if cut != "its line of the index":
        os.truncate(tmp_path / "values.bin", 2 * 20 + (10 if cut == "half a row" else 0))
    with opened(tmp_path) as store:
        assert store.find(KEYS[:3]).tolist() == [0, 1, -1]
        store.append(["cc"], rows(1, start=9))
    with opened(tmp_path) as store:
        assert store.read(store.find(KEYS[:3]))[:, 0].tolist() == [0, 1, 9]


def change_index(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "index.sqlite", isolation_level=None)) as index:
        index.execute(statement)


def write_at(file: Path, at: int, content: bytes) -> None:
    with file.open("r+b") as stream:
        stream.seek(at)
        stream.write(content)


def damage(folder: Path, what: str) -> None:
    """Does to the store in `folder`, which has a row for each of KEYS, what `what` says."""
    values = folder / "values.bin"
    content = values.read_bytes()
    ways: dict[str, Callable[[], object]] = {
        "a bit of a row": lambda: write_at(values, 25, bytes([content[25] ^ 1])),
        "zeros": lambda: write_at(values, 20, bytes(40)),
        "rows that changed places": lambda: values.write_bytes(content[20:] + content[:20]),
        "a cut": lambda: os.truncate(values, 50),
        "no values": lambda: values.write_bytes(b""),
        "keys that changed places": lambda: [
            change_index(folder, f"UPDATE rows SET key = '{new}' WHERE key = '{old}'")
            for old, new in [("aa", "x"), ("bb", "aa"), ("x", "bb")]
        ],
        "a key of nobody": lambda: change_index(
            folder, "UPDATE rows SET key = 'zz' WHERE key = 'aa'"
        ),
        "a number of nobody": lambda: change_index(
            folder, "UPDATE rows SET number = 1 << 40 WHERE key = 'aa'"
        ),
        "a checksum": lambda: change_index(folder, "UPDATE rows SET checksum = checksum + 1"),
        "a value of another type": lambda: change_index(folder, "UPDATE rows SET checksum = 'x'"),
        "no table": lambda: change_index(folder, "ALTER TABLE rows RENAME TO other"),
        "no index": lambda: (folder / "index.sqlite").unlink(),
        "an index of another kind": lambda: (folder / "index.sqlite").write_bytes(b"x" * 9000),
        "a page of zeros": lambda: write_at(folder / "index.sqlite", 4096, bytes(4096)),
    }
    ways[what]()


DAMAGES = (
    "a bit of a row", "zeros", "rows that changed places", "a cut", "no values",
    "keys that changed places", "a key of nobody", "a number of nobody", "a checksum",
    "a value of another type", "no table", "no index", "an index of another kind",
    "a page of zeros",
)  # fmt: skip


@pytest.mark.parametrize("what", DAMAGES)
def test_no_damage_gives_another_row_and_what_is_lost_can_be_written_anew(
    tmp_path: Path, what: str
) -> None:
    with opened(tmp_path) as store:
        store.append(KEYS, rows(4))
    damage(tmp_path, what)
    with opened(tmp_path) as store:
        numbers = store.find(KEYS)
        for i in np.flatnonzero(numbers >= 0):
            assert store.read(numbers[[i]])[0, 0] == i
        lost = np.flatnonzero(numbers < 0)
        assert len(lost)
        store.claim(len(lost))
        store.append([KEYS[i] for i in lost], rows(4)[lost])
    assert (tmp_path / "values.bin").stat().st_size < 1000
    with opened(tmp_path) as store:
        assert store.read(store.find(KEYS))[:, 0].tolist() == [0, 1, 2, 3]


def test_every_bit_of_a_small_store_may_flip(tmp_path: Path) -> None:
    with opened(tmp_path / "whole") as store:
        store.append(KEYS, rows(4))
    chance = np.random.default_rng(0)
    for file in ("values.bin", "index.sqlite"):
        content = (tmp_path / "whole" / file).read_bytes()
        for bit in chance.choice(8 * len(content), 60, replace=False).tolist():
            folder = tmp_path / f"{file}-{bit}"
            shutil.copytree(tmp_path / "whole", folder)
            write_at(folder / file, bit // 8, bytes([content[bit // 8] ^ (1 << bit % 8)]))
            with opened(folder) as store:
                numbers = store.find(KEYS)
                for i in np.flatnonzero(numbers >= 0):
                    assert store.read(numbers[[i]])[0, 0] == i, (file, bit)
            shutil.rmtree(folder)


@pytest.mark.usefixtures("log_lines")
def test_damage_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with opened(tmp_path) as store:
        store.append(KEYS, rows(4))
    damage(tmp_path, "zeros")
    with opened(tmp_path) as store:
        store.find(KEYS)
        store.find(KEYS)
    assert capsys.readouterr().err.count("2 saved results are damaged and are computed anew") == 1


def test_a_row_that_is_damaged_while_it_is_in_use_is_an_error(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.append(KEYS, rows(4))
        numbers = store.find(KEYS)
        damage(tmp_path, "zeros")
        assert store.read(numbers[:1]).tolist() == [[0] * 5]
        with pytest.raises(StorageError, match="damaged while it was in use: run this again"):
            store.read(numbers)


def test_a_damaged_index_is_left_to_the_process_that_uses_it(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.append(KEYS, rows(4))
        damage(tmp_path, "a value of another type")
        with pytest.raises(StorageError, match="another training is using it"):
            opened(tmp_path)


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(tmp_path) as store:
        store.append(["aa"], rows(1))
        with monkeypatch.context() as patch:
            patch.setattr(os, "posix_fallocate", no_space)
            with pytest.raises(StorageError, match="set PILAH_CACHE to a larger disk"):
                store.claim(10**6)
            patch.setattr(os, "fdatasync", no_space)
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
    with opened(tmp_path / "open") as store:
        os.utime(tmp_path / "open", (0, 0))
        sizes = {
            folder.name: sum(f.stat().st_blocks * 512 for f in folder.iterdir())
            for folder in tmp_path.iterdir()
        }
        drop_oldest(tmp_path, sum(sizes.values()) - 1)
        assert sorted(p.name for p in tmp_path.iterdir()) == ["new", "old", "open"]
        drop_oldest(tmp_path, sizes["open"])
        assert sorted(p.name for p in tmp_path.iterdir()) == ["open"]
        assert store.read(store.find(["aa"])).shape == (1, 5)


@pytest.mark.parametrize("text", ["0", "-1", "much"])
def test_a_limit_that_is_none_is_told(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("PILAH_CACHE_GB", text)
    with pytest.raises(StorageError, match="PILAH_CACHE_GB must be"):
        cache_limit()
    monkeypatch.setenv("PILAH_CACHE_GB", "1.5")
    assert cache_limit() == 1_500_000_000
