"""Held-out use: how often models have been evaluated on the same test pictures.

Whoever trains, reads the figures of the test pictures, changes something and trains again, chooses
by the test pictures, and their figures flatter more each time. A ledger that outlives runs and
caches counts this. It knows them by their content, so that neither another folder nor another
name hides that they were used before.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from edge.core.errors import PilahError, StorageError
from edge.core.files import storage_errors, write_file
from edge.core.processes.file_lock import locked

_log = logging.getLogger(__name__)

LEDGER = "test-looks.json"
SAME_FROM = 0.5
"""A test split that shares more than this of its pictures with an earlier one is the same."""
_SKETCH = 256
"""Digests kept of each test split: the smallest ones. Of larger splits they are a fair sample."""
_PARTS = 1000
"""Test splits remembered; those not looked at for longest go first."""
_LOCK_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class EarlierUse:
    """One evaluation before this one."""

    when: str
    """UTC, ISO 8601, seconds."""
    run: str
    shared: float
    """Share of the pictures of today's test split that were in it, 0.5..1."""


@dataclass(frozen=True, slots=True)
class HeldOutUse:
    """How often models have been evaluated on the same test pictures."""

    times: int
    """With this one; 0: not counted, see `note`."""
    first: str
    """When, UTC, ISO 8601, seconds."""
    earlier: tuple[EarlierUse, ...] = ()
    """The oldest first."""
    note: str = ""
    """Empty where it was counted; else why not."""


class _Use(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    when: str
    run: str


class _Part(BaseModel):
    """One test split; `sketch` has the smallest `_SKETCH` of its `pictures` digests, sorted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    pictures: int
    sketch: tuple[str, ...]
    looks: tuple[_Use, ...]


class _Ledger(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = 1
    parts: tuple[_Part, ...] = ()


def state_folder() -> Path:
    """Where pilah keeps what no cache may drop: PILAH_STATE, else `pilah` in XDG_DATA_HOME or
    `~/.local/share`."""
    if chosen := os.environ.get("PILAH_STATE"):
        return Path(chosen)
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "pilah"


def count_held_out_use(
    digests: Sequence[str],
    *,
    run: str,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> HeldOutUse:
    """Writes down that a model is evaluated on test pictures, and tells how often models were.

    Never fails a training: where the ledger cannot be written, it says so and counts nothing.

    Args:
        digests: SHA-256 of the content of each picture of the test split, in hexadecimal.
        run: the folder of the run whose model is evaluated.
    """
    try:
        folder = state_folder()
        with storage_errors("create", folder):
            folder.mkdir(parents=True, exist_ok=True)
        with locked(folder / f".{LEDGER}.lock", wait_seconds=_LOCK_SECONDS):
            return _counted(folder / LEDGER, digests, run, now())
    except (PilahError, OSError, RuntimeError) as error:  # RuntimeError: nobody's home folder
        _log.warning(f"warning: this use of the test pictures is not counted: {error}")
        return HeldOutUse(0, "", note=str(error))


def _counted(file: Path, digests: Sequence[str], run: str, when: datetime) -> HeldOutUse:
    ledger = _read(file)
    today = _part(digests)
    same = [(part, shared) for part in ledger.parts if (shared := _shared(today, part)) > SAME_FROM]
    earlier = sorted(
        (EarlierUse(look.when, look.run, shared) for part, shared in same for look in part.looks),
        key=lambda look: look.when,
    )
    this = _Use(when=when.astimezone(UTC).isoformat(timespec="seconds"), run=run)
    before = next((part.looks for part in ledger.parts if part.key == today.key), ())
    # What was looked at last stands last, so that the oldest go first.
    others = [part for part in ledger.parts if part.key != today.key]
    parts = [*others, today.model_copy(update={"looks": (*before, this)})]
    text = json.dumps(_Ledger(parts=tuple(parts[-_PARTS:])).model_dump(), separators=(",", ":"))
    write_file(file, text + "\n")
    first = earlier[0].when if earlier else this.when
    return HeldOutUse(len(earlier) + 1, first, tuple(earlier))


def _part(digests: Sequence[str]) -> _Part:
    short = sorted({hashlib.sha256(digest.encode()).hexdigest()[:12] for digest in digests})
    key = hashlib.sha256("\n".join(short).encode()).hexdigest()[:24]
    return _Part(key=key, pictures=len(short), sketch=tuple(short[:_SKETCH]), looks=())


def _shared(today: _Part, other: _Part) -> float:
    """The share of the pictures of `today` that `other` has as well.

    Where one of the two is larger than its sketch, from those digests below which both sketches
    are complete: a random sample, as digests are. Source: A. Broder, On the resemblance and
    containment of documents, 1997.
    """
    whole_up_to = [part.sketch[-1] for part in (today, other) if part.pictures > len(part.sketch)]
    end = min(whole_up_to, default="g")  # "g" comes after every hexadecimal digit
    mine = {digest for digest in today.sketch if digest <= end}
    return len(mine & set(other.sketch)) / len(mine) if mine else 0.0


def _read(file: Path) -> _Ledger:
    try:
        with storage_errors("read", file):
            text = file.read_text(encoding="utf-8") if file.exists() else ""
        if not text:
            return _Ledger()
        content: Any = json.loads(text)
        if isinstance(content, dict) and content.get("version", 1) != 1:
            raise StorageError(f"{file} was written by a newer pilah: use that one")
        return _Ledger.model_validate(content)
    except (ValueError, ValidationError) as error:
        if isinstance(error, PilahError):
            raise
        kept = file.with_suffix(".damaged.json")
        with storage_errors("move aside", file):
            file.replace(kept)
        _log.warning(f"warning: {file} is damaged; kept as {kept.name}. Uses are counted anew")
        return _Ledger()
