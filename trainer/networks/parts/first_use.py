"""Files of which nobody publishes a checksum: theirs is written down at the first use, and compared
from then on."""

from __future__ import annotations

import hashlib
import logging
from contextlib import suppress
from pathlib import Path

from edge.core.errors import StorageError
from edge.core.files import write_file
from trainer.errors import WeightsMissingError

_log = logging.getLogger(__name__)


def record_of(file: Path) -> Path:
    """The text file beside `file` with its size in bytes and its SHA-256."""
    return file.with_name(f"{file.name}.sha256")


def check_first_use(file: Path) -> None:
    """Passes a file that is as it was when it was first used; at that time, it writes that down.

    In a folder that cannot be written to nothing is written down, and any file passes.

    Raises:
        WeightsMissingError: the file is another one now.
    """
    with file.open("rb") as content:
        found = f"{file.stat().st_size} {hashlib.file_digest(content, 'sha256').hexdigest()}"
    record = record_of(file)
    if not record.is_file():
        with suppress(StorageError):
            write_file(record, f"{found} {file.name}\n")
            _log.info(f"{file.name}: size and SHA-256 are written down in {record}")
        return
    noted = " ".join(record.read_text("utf-8", "replace").split()[:2])
    if noted != found:
        raise WeightsMissingError(
            f"{file}: not the file that was used before: {record.name} says {noted} (bytes and "
            f"SHA-256). Received: {found}. If you put another one there on purpose, delete "
            f"{record.name}; if not, delete the file and run the same command again"
        )
