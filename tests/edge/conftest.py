from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.disks import Disk


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A disk that can hang and fail."""
    try:
        disk = Disk(tmp_path / "disks")
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"needs root on Linux, to mount a disk of its own ({error})")
    yield disk
    disk.close()
