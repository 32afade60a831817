"""A folder of photographs keeps the newest ones, and never more than it may."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from edge.core.errors import StorageError
from edge.core.uuid7 import uuid7_text
from edge.samples import photograph_store
from edge.samples.photograph_store import (
    Addition,
    PhotographStore,
    held_bytes,
    kept_free,
    photograph_file,
    room_left,
)

NOON = 1_795_953_600  # 2026-11-29T12:00:00Z
HOUR, DAY = 3600, 86400


def at(seconds: float) -> str:
    """The id of an item of that time."""
    return uuid7_text(round(seconds * 1000), 0, 1)


def store(folder: Path, *, max_bytes: float = 1e6, days: float = 30) -> PhotographStore:
    return PhotographStore(folder, max_bytes=max_bytes, max_seconds=days * DAY)


def add(
    store: PhotographStore, moments: Sequence[float], size: int = 100, *, right: bool = True
) -> None:
    for moment in moments:
        store.add(Addition(moment, right, at(moment), bytes(size)))


def there(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*.jpg"))


def days(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_dir())


def names(moments: Sequence[float]) -> list[str]:
    return sorted(photograph_file(at(moment)) for moment in moments)


def test_a_photograph_lies_in_the_folder_of_its_day_under_its_items_id(tmp_path: Path) -> None:
    add(store(tmp_path / "photos"), [NOON])
    assert there(tmp_path / "photos") == [f"2026-11-29/{at(NOON)}.jpg"]


@pytest.mark.parametrize("restart", [False, True])
def test_beyond_its_bytes_the_oldest_are_deleted_and_their_days_with_them(
    tmp_path: Path, restart: bool
) -> None:
    kept = store(tmp_path, max_bytes=350)
    moments = [NOON + number * 7 * HOUR for number in range(12)]
    for moment in moments:
        if restart:
            kept.close()
            kept = store(tmp_path, max_bytes=350)
        add(kept, [moment])
        assert len(there(tmp_path)) <= 3
    assert there(tmp_path) == names(moments[-3:])
    assert len(days(tmp_path)) == len({name[:10] for name in there(tmp_path)})


def test_one_that_is_older_than_those_there_is_the_next_to_go(tmp_path: Path) -> None:
    kept = store(tmp_path, max_bytes=350)
    add(kept, [NOON, NOON + 1, NOON + 2, NOON + 3])  # the oldest day has been listed
    add(kept, [NOON - DAY])  # the clock was set back
    add(kept, [NOON + 4])
    assert there(tmp_path) == names([NOON + 2, NOON + 3, NOON + 4])
    add(kept, [NOON + 1.5])
    add(kept, [NOON + 5])
    assert there(tmp_path) == names([NOON + 3, NOON + 4, NOON + 5])


def test_those_that_are_too_old_are_deleted_also_when_none_is_added(tmp_path: Path) -> None:
    kept = store(tmp_path, days=2)
    moments = [NOON + number * 6 * HOUR for number in range(8)]
    add(kept, moments)
    kept.add(Addition(NOON + 2 * DAY + 13 * HOUR, True))
    assert there(tmp_path) == names(moments[3:])
    kept.add(Addition(NOON + 40 * DAY, True))
    assert days(tmp_path) == []


def test_a_clock_that_is_known_to_be_wrong_deletes_nothing_for_its_age(tmp_path: Path) -> None:
    kept = store(tmp_path, days=2)
    add(kept, [NOON])
    kept.add(Addition(NOON + 4000 * DAY, False))
    assert there(tmp_path) == names([NOON])


def test_what_somebody_else_put_there_is_left_alone_and_does_not_count(tmp_path: Path) -> None:
    day = tmp_path / "2026-11-29"
    day.mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / f"{at(NOON)}.jpg").write_bytes(bytes(900))
    (day / "holiday.jpg").write_bytes(bytes(900))
    (day / f"{at(NOON + 1)}.jpg").symlink_to(day / "holiday.jpg")
    kept = store(tmp_path, max_bytes=150)
    add(kept, [NOON, NOON + DAY])
    assert {file.name for file in day.iterdir()} == {"holiday.jpg", f"{at(NOON + 1)}.jpg"}
    assert (tmp_path / "elsewhere" / f"{at(NOON)}.jpg").exists()
    assert (tmp_path / photograph_file(at(NOON + DAY))).exists()


def test_one_that_somebody_deleted_makes_room(tmp_path: Path) -> None:
    kept = store(tmp_path, max_bytes=350)
    add(kept, [NOON, NOON + 1, NOON + 2])
    (tmp_path / photograph_file(at(NOON))).unlink()
    add(kept, [NOON + 3])
    assert there(tmp_path) == names([NOON + 1, NOON + 2, NOON + 3])


def test_one_that_is_larger_than_all_may_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="200 bytes, more than `megabytes`"):
        add(store(tmp_path, max_bytes=150), [NOON], size=200)


def test_a_disk_that_is_nearly_full_is_left_to_the_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = store(tmp_path)
    add(kept, [NOON])
    monkeypatch.setattr(photograph_store, "FREE_SHARE", 1.0)
    monkeypatch.setattr(photograph_store, "FREE_BYTES", 10**18)
    with pytest.raises(StorageError, match="is nearly full: no photograph is added"):
        add(kept, [NOON + 1])
    monkeypatch.undo()
    add(kept, [NOON + 2])
    assert there(tmp_path) == names([NOON, NOON + 2])


@pytest.mark.parametrize(("gigabytes", "free"), [(8, 0.4e9), (20, 1e9), (2_000, 1e9)])
def test_of_a_large_disk_no_more_is_left_free_than_the_ledger_needs(
    gigabytes: int, free: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = gigabytes * 1_000_000
    disk = SimpleNamespace(f_blocks=blocks, f_bavail=blocks // 2, f_frsize=1000)
    monkeypatch.setattr(os, "statvfs", lambda place: disk)
    assert kept_free(tmp_path) == pytest.approx(free)
    assert room_left(tmp_path) == pytest.approx(gigabytes * 0.5e9 - free)


def test_where_the_disk_is_not_mounted_no_folder_is_made(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot write"):
        add(store(tmp_path / "usb" / "photos"), [NOON])
    assert not (tmp_path / "usb").exists()


def test_one_that_cannot_be_deleted_is_said_and_nothing_is_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, missing_ok: bool) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    kept = store(tmp_path, max_bytes=150)
    add(kept, [NOON])
    with monkeypatch.context() as changed:
        changed.setattr(Path, "unlink", refuse)
        with pytest.raises(StorageError, match=r"cannot delete .*: not permitted"):
            add(kept, [NOON + 1])
    assert there(tmp_path) == names([NOON])
    add(kept, [NOON + 2])
    assert there(tmp_path) == names([NOON + 2])


@pytest.mark.parametrize(
    "name",
    [
        "2026-11-29/16fd2706-8baf-433b-82eb-8c7fada847da.jpg",  # a UUID of version 4
        photograph_file(at(NOON)).replace("2026-11-29", "2026-11-28"),  # of another day
        "2026-11-29/ffffffff-ffff-7000-8000-000000000001.jpg",  # of the year 10889
        "2026-11-29/kitten.jpg",
    ],
)
def test_what_this_store_would_not_have_put_there_is_left_alone(tmp_path: Path, name: str) -> None:
    theirs = tmp_path / name
    theirs.parent.mkdir()
    theirs.write_bytes(bytes(100))
    moments = [NOON + number * DAY for number in range(4)]
    add(store(tmp_path, max_bytes=150), moments)
    assert theirs.exists()
    assert there(tmp_path) == sorted([name, *names(moments[-1:])])


def test_what_a_power_cut_left_goes_with_its_day(tmp_path: Path) -> None:
    photograph = tmp_path / photograph_file(at(NOON))
    photograph.parent.mkdir()
    leftover = photograph.with_name(f".{photograph.name}.pilah-abcd1234")
    leftover.touch()
    add(store(tmp_path, days=30), [NOON + 40 * DAY])
    assert not photograph.parent.exists()


def test_a_photograph_that_somebody_deletes_now_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = [NOON, NOON + 1, NOON + 2]
    with store(tmp_path) as before:
        add(before, moments)
    listed = store(tmp_path)
    add(listed, [NOON + 3])  # it has looked at the folder
    scandir = photograph_store.os.scandir

    @contextmanager
    def deleting(folder: Path) -> Iterator[Iterator[object]]:
        with scandir(folder) as entries:
            found = list(entries)
        (tmp_path / photograph_file(at(moments[1]))).unlink(missing_ok=True)
        yield iter(found)

    monkeypatch.setattr(photograph_store.os, "scandir", deleting)
    add(listed, [NOON + 40 * DAY])
    assert there(tmp_path) == names([NOON + 40 * DAY])


def test_a_folder_that_cannot_be_made_is_said_with_the_first_photograph(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    kept = store(tmp_path / "file" / "photos")
    kept.add(Addition(NOON, True, "", b""))  # only a look at what is too old
    with pytest.raises(StorageError, match="photos"):
        add(kept, [NOON])


def test_photographs_take_the_bytes_of_all_days_and_none_where_there_is_no_folder(
    tmp_path: Path,
) -> None:
    assert held_bytes(tmp_path / "photos") == 0
    add(store(tmp_path / "photos"), [NOON, NOON + DAY], size=100)
    assert held_bytes(tmp_path / "photos") == 200
