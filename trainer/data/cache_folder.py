"""The folder of the caches, their size limit, and the removal of the oldest."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from edge.core.errors import FileLockedError, StorageError
from edge.core.processes.file_lock import locked

DEFAULT_GIGABYTES = 20.0
"""The size limit of all caches together, unless PILAH_CACHE_GB sets another."""

LOCK = "lock"
"""The file in each store's folder that is locked (`flock`) as long as the store is in use."""


def cache_folder() -> Path:
    """The folder of the caches: PILAH_CACHE, else `pilah` in XDG_CACHE_HOME or `~/.cache`."""
    if chosen := os.environ.get("PILAH_CACHE"):
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "pilah"


def cache_limit() -> int:
    """Bytes that all stores may take together.

    Raises:
        StorageError: PILAH_CACHE_GB is not a number above 0.
    """
    text = os.environ.get("PILAH_CACHE_GB") or str(DEFAULT_GIGABYTES)
    with suppress(ValueError):
        if (gigabytes := float(text)) > 0:
            return int(gigabytes * 1e9)
    raise StorageError(f"PILAH_CACHE_GB must be a number above 0. Received: {text!r}")


def drop_oldest(folder: Path, limit: int) -> None:
    """Removes the longest unused stores below `folder` until the rest takes at most `limit` bytes.

    Stores that a process has open stay.
    """
    stores = sorted(
        (file.parent for file in folder.rglob(LOCK) if file.is_file()),
        key=lambda path: path.stat().st_mtime,
    )
    sizes = {path: sum(f.stat().st_blocks * 512 for f in path.iterdir()) for path in stores}
    total = sum(sizes.values())
    for path in stores:
        if total <= limit:
            return
        with suppress(FileLockedError), locked(path / LOCK):
            shutil.rmtree(path)
            total -= sizes[path]
