"""How many bytes reach the disk for each row of the ledger, at one item a second.

    python -m tests.benchmarks.ledger_bytes [FOLDER]

The time is virtual: as many rows are written at once as an item a second gives within
`commit_seconds`. Counted is what the kernel takes from this process for the disk (`write_bytes` of
/proc/self/io): whole pages of 4 kB, as a card gets them, with the log and what is brought from it
into the file. FOLDER must be on a disk; on a tmpfs nothing is counted. What a journaling file
system writes for itself comes on top.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from pathlib import Path

from edge.ledger.kept import KeptLedger
from edge.ledger.rows import Entry, utc_text

_ROWS = 1200
_LABELS = ("glass", "metal", "paper")
_BEGUN = 1_796_000_000


def row(second: int) -> Entry:
    """A row as a station with three labels writes it."""
    return Entry(
        time=utc_text(_BEGUN + second),
        station="belt-1",
        item=second,
        source="",
        label="glass",
        confidence=0.9374512434005737,
        scores=dict(
            zip(_LABELS, (0.9374512434005737, 0.0410128831863, 0.0215358734131), strict=True)
        ),
        accepted=True,
        reject=None,
        lane="glass",
        bundle="first 1",
        bundle_digest="0" * 64,
        latency_ms=23.81,
        frames=3,
        actuation="planned",
        due=utc_text(_BEGUN + second + 1),
    )


def bytes_per_row(folder: Path, commit_seconds: int) -> float:
    """Bytes for the disk and a row, of a ledger that has some rows already."""
    with KeptLedger(folder / f"{commit_seconds}.sqlite", say=print) as ledger:
        ledger.append([row(second) for second in range(_ROWS)])
    together = max(1, commit_seconds)
    before = _written()
    with KeptLedger(folder / f"{commit_seconds}.sqlite", say=print) as ledger:
        for first in range(_ROWS, 2 * _ROWS, together):
            ledger.append([row(second) for second in range(first, first + together)])
    return (_written() - before) / _ROWS


def _written() -> int:
    found = re.search(r"^write_bytes: (\d+)", Path("/proc/self/io").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1])


def main() -> None:
    """Prints a line for each `commit_seconds`."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, help="on the disk to measure")
    with tempfile.TemporaryDirectory(dir=parser.parse_args().folder) as name:
        for commit_seconds in (1, 5, 10, 15, 20, 30, 60):
            found = bytes_per_row(Path(name), commit_seconds)
            print(
                f"commit_seconds {commit_seconds:>3}  {found / 1000:6.2f} kB a row  "
                f"{found * 86_400 / 1e6:8.0f} MB a day",
                flush=True,
            )


if __name__ == "__main__":
    main()
