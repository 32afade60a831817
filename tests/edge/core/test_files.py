"""A file or folder is whole or not there, whatever happens while it is written."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import stat
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from edge.core import files as module
from edge.core.errors import EXIT_IO, EXIT_UNAVAILABLE, PilahError, StorageError
from edge.core.files import (
    check_place,
    may_come_back,
    new_file,
    new_folder,
    point_link,
    read_regular,
    storage_errors,
    write_file,
)
from tests.disks import no_space


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


@pytest.mark.parametrize("content", ["grün\n", b"\x00\xff"])
def test_a_file_is_written_and_nothing_beside_it(tmp_path: Path, content: str | bytes) -> None:
    write_file(tmp_path / "file", content)
    expected = content.encode() if isinstance(content, str) else content
    assert (tmp_path / "file").read_bytes() == expected
    assert names(tmp_path) == ["file"]


def test_a_file_is_replaced(tmp_path: Path) -> None:
    write_file(tmp_path / "file", "old")
    write_file(tmp_path / "file", "new")
    assert (tmp_path / "file").read_text() == "new"


def test_a_pipe_is_written_into_and_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_file(tmp_path / "pipe", "all of it")
        assert os.read(reader, 100) == b"all of it"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    assert names(tmp_path) == ["pipe"]


def test_nothing_is_written_into_a_pipe_by_a_block_that_fails(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        with suppress(ZeroDivisionError), new_file(tmp_path / "pipe") as file:
            file.write(b"half")
            file.write(bytes(1 // 0))
        assert os.read(reader, 100) == b""
    finally:
        os.close(reader)


def test_what_stands_for_an_open_file_is_written_into(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        stands_for_it = Path(f"/proc/self/fd/{file.fileno()}")
        write_file(stands_for_it, "content")
        assert stands_for_it.is_symlink()
    assert (tmp_path / "file").read_text() == "content"


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_a_file_has_the_mode_that_any_other_would(tmp_path: Path, mask: int, mode: int) -> None:
    before = os.umask(mask)
    try:
        write_file(tmp_path / "file", "x")
        with new_folder(tmp_path / "folder"):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == mode
    assert stat.S_IMODE((tmp_path / "folder").stat().st_mode) == 0o777 & ~mask


def test_a_file_can_be_for_its_owner_alone(tmp_path: Path) -> None:
    write_file(tmp_path / "key", "x", mode=0o600)
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600


def test_a_file_that_must_not_be_replaced_is_not(tmp_path: Path) -> None:
    write_file(tmp_path / "file", "old", replace=False)
    with pytest.raises(StorageError, match="it is there already: choose another name"):
        write_file(tmp_path / "file", "new", replace=False)
    assert (tmp_path / "file").read_text() == "old"
    assert names(tmp_path) == ["file"]


def test_a_link_is_made_and_pointed_elsewhere(tmp_path: Path) -> None:
    for target in ("one", "other"):
        point_link(tmp_path / "link", target)
        assert (tmp_path / "link").readlink() == Path(target)
    (tmp_path / ".link.new").symlink_to("of a process that was killed")
    point_link(tmp_path / "link", "third")
    assert (tmp_path / "link").readlink() == Path("third")
    assert names(tmp_path) == ["link"]


def test_a_link_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"cannot write .*link: a folder of that"):
        point_link(tmp_path / "gone" / "link", "x")


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("missing/file", "a folder of that path does not exist"),
        ("plain/file", "a part of that path is a file, not a folder"),
    ],
)
def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, path: str, says: str) -> None:
    (tmp_path / "plain").write_text("x")
    for tried in (lambda: write_file(tmp_path / path, "x"), lambda: check_place(tmp_path / path)):
        with pytest.raises(StorageError, match=f"cannot write .*{path}: {says}") as caught:
            tried()
        assert caught.value.exit_code == EXIT_IO


def test_a_place_is_looked_at_before_the_work(tmp_path: Path) -> None:
    for fine in (tmp_path / "new.html", Path("/dev/null"), Path("new.html")):
        check_place(fine)
    assert not list(tmp_path.iterdir())
    with pytest.raises(StorageError, match="it is a folder, not a file"):
        check_place(tmp_path)


@pytest.mark.parametrize(
    ("flag", "said"),
    [(os.ST_RDONLY, "the file system is read-only: choose another place"), (0, "permission den")],
)
def test_a_place_on_a_disk_that_became_read_only_is_told_as_such(
    flag: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_flag=flag))
    with pytest.raises(StorageError, match=said):
        check_place(tmp_path / "new.html")


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_file(tmp_path / "file", "old")

    monkeypatch.setattr(module.os, "fsync", no_space)
    with pytest.raises(StorageError, match="the disk is full: free some space and run it again"):
        write_file(tmp_path / "file", "new")
    assert (tmp_path / "file").read_text() == "old"
    assert names(tmp_path) == ["file"]


def write_into(folder: Path, name: str) -> None:
    folder.mkdir()
    (folder / name).write_text("x")


def test_a_folder_appears_when_it_is_complete(tmp_path: Path) -> None:
    target = tmp_path / "a" / "run"
    with new_folder(target) as folder:
        (folder / "sub").mkdir()
        (folder / "sub" / "file").write_text("x")
        assert not target.exists()
    assert (target / "sub" / "file").read_text() == "x"
    assert names(tmp_path / "a") == ["run"]


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), SystemExit(1)])
def test_a_folder_that_was_not_completed_vanishes(tmp_path: Path, error: BaseException) -> None:
    with pytest.raises(type(error)), new_folder(tmp_path / "run") as folder:  # noqa: PT012
        (folder / "file").write_text("x")
        raise error
    assert names(tmp_path) == []


def test_a_folder_that_is_there_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    says = "run is there already: choose another name or remove it"
    with pytest.raises(StorageError, match=says), new_folder(tmp_path / "run"):
        pytest.fail("the block was entered")


def test_a_file_in_the_place_of_a_folder_above_is_named(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("x")
    says = "cannot create .*runs/first: .*/runs is a file, not a folder"
    with pytest.raises(StorageError, match=says), new_folder(tmp_path / "runs" / "first"):
        pytest.fail("the block was entered")


def test_what_came_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    with (
        pytest.raises(StorageError, match="another process wrote there in the meantime"),
        new_folder(tmp_path / "run"),
    ):
        write_into(tmp_path / "run", "other")
    assert names(tmp_path) == ["run"]
    assert names(tmp_path / "run") == ["other"]


def test_replacing_keeps_the_old_folder_until_the_new_is_complete(tmp_path: Path) -> None:
    target = tmp_path / "run"
    target.mkdir()
    (target / "old").write_text("x")
    with pytest.raises(ValueError, match="no"), new_folder(target, replace=True):
        raise ValueError("no")
    assert names(target) == ["old"]
    with new_folder(target, replace=True) as folder:
        (folder / "new").write_text("x")
        assert names(target) == ["old"]
    assert names(target) == ["new"]
    assert names(tmp_path) == ["run"]


def test_a_replacement_that_fails_puts_the_old_folder_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "run"
    target.mkdir()
    (target / "old").write_text("x")
    whole = Path.replace

    def replace(self: Path, other: Path) -> Path:
        if other == target and ".old." not in self.parent.name:
            raise OSError(errno.EIO, "Input/output error")
        return whole(self, other)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(StorageError, match="Input/output error"), new_folder(target, replace=True):
        pass
    assert names(target) == ["old"]
    assert names(tmp_path) == ["run"]


@pytest.mark.parametrize(
    ("name", "comes_back"),
    [
        ("disk", True),  # a folder with nothing in it, as of a disk that is not mounted
        ("disk/bundle", True),
        ("gone/bundle", True),
        ("dangling", True),
        ("full", False),
        ("full/bundel", False),
        ("full/bundle", False),
    ],
)
def test_what_is_not_there_may_come_back_where_a_disk_may_be_missing(
    tmp_path: Path, name: str, comes_back: bool
) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "full" / "bundle").mkdir(parents=True)
    (tmp_path / "full" / "bundle" / "x").write_bytes(b"")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    assert may_come_back(tmp_path / name, None) is comes_back
    assert may_come_back(tmp_path / name, FileNotFoundError(errno.ENOENT, "")) is comes_back


@pytest.mark.parametrize(
    ("number", "comes_back"),
    [
        (errno.EIO, True), (errno.EACCES, True), (errno.ESTALE, True), (errno.ETIMEDOUT, True),
        (errno.EINVAL, False), (errno.EFBIG, False), (errno.ENOTDIR, False), (errno.ELOOP, False),
    ],
)  # fmt: skip
def test_what_cannot_be_read_may_come_back_where_nobody_made_a_mistake(
    tmp_path: Path, number: int, comes_back: bool
) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert may_come_back(tmp_path / "file", OSError(number, "")) is comes_back


class WeightsError(PilahError, OSError):
    """An error with its own message that is an OSError as well."""

    exit_code = EXIT_UNAVAILABLE


def test_an_error_with_its_own_message_keeps_it(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no weights"), new_folder(tmp_path / "run"):
        raise WeightsError("no weights")
    with pytest.raises(WeightsError), storage_errors("write", tmp_path):
        raise WeightsError("no weights")


def test_a_file_that_could_not_be_read_meanwhile_names_itself(tmp_path: Path) -> None:
    with (
        pytest.raises(FileNotFoundError, match=r"picture\.jpg"),
        new_folder(tmp_path / "run"),
    ):
        (tmp_path / "picture.jpg").read_bytes()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs root, to mount a small disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_leaves_the_old_file(small_disk: Path) -> None:
    write_file(small_disk / "file", "old")
    with pytest.raises(StorageError, match=r"cannot write .*file: the disk is full"):
        write_file(small_disk / "file", bytes(200_000))
    assert (small_disk / "file").read_text() == "old"
    assert names(small_disk) == ["file"]


def test_a_full_disk_leaves_no_folder(small_disk: Path) -> None:
    with (
        pytest.raises(StorageError, match=r"cannot write .*run: the disk is full"),
        new_folder(small_disk / "run") as folder,
    ):
        (folder / "file").write_bytes(bytes(200_000))
    assert names(small_disk) == []


@pytest.mark.parametrize("hidden", [OSError("unable to write"), shutil.Error([]), RuntimeError()])
def test_a_full_disk_is_told_where_a_library_hides_it(small_disk: Path, hidden: Exception) -> None:
    def written() -> None:
        with new_folder(small_disk / "run") as folder:
            with suppress(OSError):
                (folder / "file").write_bytes(bytes(200_000))
            raise hidden

    with pytest.raises(StorageError, match=r"cannot write .*run: the disk is full"):
        written()
    assert names(small_disk) == []


@pytest.mark.parametrize("error", [OSError("unable to write"), RuntimeError("a bug")])
def test_an_error_on_a_disk_with_room_is_not_called_a_full_disk(
    tmp_path: Path, error: Exception
) -> None:
    with pytest.raises(type(error), match=str(error)), new_folder(tmp_path / "run"):
        raise error


def test_what_is_no_regular_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
    for path, said in (
        (tmp_path / "pipe", "it is a pipe, not a file"),
        (tmp_path / "socket", "it is a socket, not a file"),
        (tmp_path, "it is a folder, not a file"),
        (Path("/dev/zero"), "it is a device, not a file"),
    ):
        with pytest.raises(OSError, match=said):
            read_regular(path, largest=10)


def test_no_more_is_read_than_was_asked_for(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"0123456789")
    assert read_regular(tmp_path / "file", largest=10) == b"0123456789"
    with pytest.raises(OSError, match="it has more than 9 bytes"):
        read_regular(tmp_path / "file", largest=9)
