"""A temporary file that a killed process left is removed by the next one; one in use stays."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.core import atomic
from edge.core.atomic import atomic_file, atomic_folder, remove_leftovers, scratch_folder
from edge.core.files import new_folder, write_file

WORKS = {
    "file": "with atomic_file(place / 'a.jpg') as (descriptor, temporary): wait()",
    "folder": "with atomic_folder(place / 'run') as temporary: (temporary / 'x').mkdir(); wait()",
    "scratch": "with scratch_folder(place) as scratch: (scratch / 'x').write_bytes(b'1'); wait()",
}


@pytest.fixture(autouse=True)
def unswept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has swept nowhere yet."""
    monkeypatch.setattr(atomic, "_swept", set())


@pytest.fixture(params=WORKS)
def working(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that is at it in `tmp_path`."""
    program = (
        "import sys; from pathlib import Path\n"
        "from edge.core.atomic import atomic_file, atomic_folder, scratch_folder\n"
        "def wait(): print('at it', flush=True); sys.stdin.read()\n"
        f"place = Path({str(tmp_path)!r})\n{WORKS[request.param]}\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "at it\n"
        yield process
        process.kill()


def test_what_a_living_process_is_at_stays_and_what_a_killed_one_left_goes(
    working: subprocess.Popen[str], tmp_path: Path
) -> None:
    (made,) = tmp_path.iterdir()
    remove_leftovers(tmp_path)
    assert made.exists()
    working.send_signal(signal.SIGKILL)
    working.wait()
    atomic._swept.clear()
    assert made.exists()
    write_file(tmp_path / "other", "the next call")
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_nothing_is_left_of_what_ends_well_or_ill(tmp_path: Path) -> None:
    write_file(tmp_path / "a", "1")
    with new_folder(tmp_path / "b") as folder:
        (folder / "c").write_bytes(b"1")
    for make in (atomic_file, atomic_folder):
        with pytest.raises(ZeroDivisionError), make(tmp_path / "d"):  # type: ignore[operator]
            raise ZeroDivisionError
    with pytest.raises(ZeroDivisionError), scratch_folder(tmp_path):
        raise ZeroDivisionError
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_other_peoples_files_stay(tmp_path: Path) -> None:
    names = {".a.abcdefgh", ".pilah-abcdefgh", "a.pilah-abcdefgh", ".a.pilah-abcdefghi", ".hidden"}
    for name in names:
        (tmp_path / name).write_bytes(b"1")
    (tmp_path / "target").mkdir()
    (tmp_path / ".a.pilah-abcdefgh").symlink_to(tmp_path / "target")
    remove_leftovers(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == names | {"target", ".a.pilah-abcdefgh"}


def test_a_folder_that_was_moved_away_for_a_new_one_comes_back(tmp_path: Path) -> None:
    """As a process leaves it that is killed between the two renames."""
    (tmp_path / ".run.old.pilah-abcdefgh" / "run").mkdir(parents=True)
    (tmp_path / ".run.old.pilah-abcdefgh" / "run" / "model").write_bytes(b"old")
    (tmp_path / ".run.pilah-abcdefgh").mkdir()
    with new_folder(tmp_path / "run", replace=True) as folder:
        (folder / "model").write_bytes(b"new")
        assert (tmp_path / "run" / "model").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert (tmp_path / "run" / "model").read_bytes() == b"new"


def test_an_old_folder_is_not_put_back_over_a_new_one(tmp_path: Path) -> None:
    (tmp_path / ".run.old.pilah-abcdefgh" / "run").mkdir(parents=True)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "model").write_bytes(b"new")
    remove_leftovers(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert (tmp_path / "run" / "model").read_bytes() == b"new"


def test_what_another_process_takes_for_left_over_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flock, taken = fcntl.flock, []

    def sweeping(descriptor: int, operation: int) -> None:
        if not taken:  # the other one comes between the making and the lock
            (made,) = tmp_path.iterdir()
            made.unlink()
            taken.append(made)
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", sweeping)
    with atomic_file(tmp_path / "a") as (descriptor, temporary):
        assert temporary.exists()
        assert temporary not in taken
        assert os.fstat(descriptor).st_nlink == 1


def test_a_folder_is_swept_once(tmp_path: Path) -> None:
    remove_leftovers(tmp_path)
    (tmp_path / ".a.pilah-abcdefgh").write_bytes(b"1")
    remove_leftovers(tmp_path)
    assert (tmp_path / ".a.pilah-abcdefgh").exists()
