from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.ledger.kept import KeptLedger
from edge.ledger.recorder import Patience, Recorder
from edge.ledger.spill import Spill
from tests.edge.ledger.entries import entry
from tests.edge.ledger.killing import kill_and_compare
from tests.edge.ledger.test_kept import items_of


def test_what_a_killed_process_showed_is_in_the_ledger_after_the_next_start(
    tmp_path: Path,
) -> None:
    assert kill_and_compare(tmp_path, 5, seed=1) > 5


@pytest.fixture
def freezing_disk(tmp_path: Path) -> Iterator[Path]:
    """An ext4 of its own, which `fsfreeze` can have hang."""
    image, disk = tmp_path / "image", tmp_path / "disk"
    disk.mkdir()
    with image.open("wb") as file:
        file.truncate(16 * 2**20)
    made = os.geteuid() == 0 and all(
        subprocess.run(command, capture_output=True, check=False).returncode == 0
        for command in (
            ["mkfs.ext4", "-q", "-F", str(image)],
            ["mount", "-o", "loop", str(image), str(disk)],
        )
    )
    if not made:
        pytest.skip("needs root, to mount a disk that can be frozen")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.slow
def test_a_disk_that_really_hangs_holds_nobody_up_and_has_all_rows_in_the_end(
    freezing_disk: Path, tmp_path: Path
) -> None:
    shown, said, changed = [], [], threading.Condition()

    def note(where: list[object], what: object) -> None:
        with changed:
            where.append(what)
            changed.notify_all()

    recorder = Recorder(
        KeptLedger(freezing_disk / "ledger.sqlite", say=said.append),
        show=lambda row: note(shown, row.item),
        say=lambda text: note(said, text),
        patience=Patience(commit=0, hang=0.3, finish=20),
    )
    recorder.add_spill(Spill(tmp_path / "spill"))
    recorder.open()
    thread = threading.Thread(target=recorder.run)
    thread.start()
    recorder.offer(entry(1))
    with changed:
        assert changed.wait_for(lambda: shown == [1], 20)
    subprocess.run(["fsfreeze", "--freeze", str(freezing_disk)], check=True)
    try:
        for item in range(2, 1500):
            recorder.offer(entry(item))
            if item % 500 == 0:
                with changed:
                    assert changed.wait_for(lambda: len(shown) == item, 20)  # noqa: B023
        assert recorder.lost == 0
        assert any("has not answered" in str(text) for text in said)
    finally:
        subprocess.run(["fsfreeze", "--unfreeze", str(freezing_disk)], check=True)
    recorder.finish()
    thread.join(30)
    assert items_of(freezing_disk / "ledger.sqlite") == list(range(1, 1500))
    assert (recorder.lost, recorder.spilled) == (0, 0)
