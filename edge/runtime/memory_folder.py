"""Where a station keeps small files in memory, so that no thread waits for a disk."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

MEMORY = Path("/dev/shm")
"""The folder in memory of a station that is no service."""


def service_folder(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The folder in memory that systemd made for this service; None: it made none."""
    name = environment.get("RUNTIME_DIRECTORY", "").partition(":")[0]
    return Path(name) if name else None


def memory_name(station: str, ledger: Path) -> str:
    """The begin of a file's name that no other station of this machine has."""
    mark = hashlib.sha256(os.fsencode(ledger.absolute())).hexdigest()[:12]
    return f"pilah-{station}-{mark}"
