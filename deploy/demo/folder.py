"""The folder that the demo fills: made anew each time, and never at the cost of anything else."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from edge.core.errors import StorageError, UsageError
from edge.core.files import storage_errors, write_file

MARKER = ".made-by-make-demo"
PHOTOS, RUN, BUNDLE, TEST = "photos", "run", "bundle", "test.csv"
STATION, LEDGER, TRUTH = "station.yaml", "ledger.sqlite", "truth.csv"
REHEARSAL, REHEARSED = "rehearsal.yaml", "rehearsal.sqlite"
SHEET, SUMMARY = "contact-sheet.html", "summary.json"

_MADE = (
    *(PHOTOS, RUN, BUNDLE, TEST, STATION, LEDGER, f"{LEDGER}-wal", f"{LEDGER}-shm", TRUTH),
    *(REHEARSAL, REHEARSED, f"{REHEARSED}-wal", f"{REHEARSED}-shm"),
    *(SHEET, SUMMARY, "photos.html", "camera.yaml"),
)
"""Everything the demo makes. Only these names are ever removed."""


def fresh_folder(path: Path, *, made: Sequence[str] = _MADE) -> Path:
    """The folder `path`, without what an earlier demo made in it; anything else in it stays.

    Args:
        made: the names of what this demo makes.

    Raises:
        UsageError: a folder that is there already was not made by the demo.
        StorageError: it cannot be written.
    """
    with storage_errors("make", path):
        if path.is_dir() and any(path.iterdir()) and not (path / MARKER).is_file():
            raise UsageError(f"{path} is there already, and the demo did not make it: move it away")
        path.mkdir(parents=True, exist_ok=True)
        write_file(path / MARKER, "`make demo` removes here what it made, and makes it anew.\n")
        for name in made:
            _remove(path / name)
    return path


def remove_ledger(path: Path) -> None:
    """Takes a ledger away, where there is one, with what SQLite keeps beside it."""
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        _remove(path.with_name(name))


def _remove(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path)


def check_apart(photos: Path, folder: Path) -> None:
    """Passes where the user's photographs and the demo's folder do not lie in each other.

    Raises:
        UsageError: they do, so the demo could remove photographs.
        StorageError: there are no photographs.
    """
    if not photos.exists():
        raise StorageError(f"{photos}: no such folder")
    inner, outer = photos.resolve(), folder.resolve()
    if inner.is_relative_to(outer) or outer.is_relative_to(inner):
        raise UsageError(f"{photos} and {folder} must not lie in each other: move the photographs")
