"""What a killed training goes on from, and what it refuses to go on with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge.core.errors import StorageError
from trainer.fit.checkpoint import Checkpoint

PLAN = {"recipe": "name: x\n", "seed": 1}


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    first = Checkpoint.begin(tmp_path / "c", PLAN, resume=False)
    assert first.load("phases") is None
    assert not first.begun
    arrays = [np.arange(3, dtype=np.float32), np.array(7)]
    first.save("phases", {"model": arrays, "none": []}, {"epoch": 3, "lowest": float("inf")})
    again = Checkpoint.begin(tmp_path / "c", PLAN, resume=True)
    loaded = again.load("phases")
    assert loaded is not None
    assert again.begun
    for expected, found in zip(arrays, loaded[0]["model"], strict=True):
        np.testing.assert_array_equal(expected, found)
    assert loaded[1] == {"epoch": 3, "lowest": float("inf")}


def test_time_spent_before_counts(tmp_path: Path) -> None:
    Checkpoint.begin(tmp_path / "c", PLAN, resume=False).save("phases", {}, {})
    (tmp_path / "c" / "seconds.txt").write_text("90.5\n")
    again = Checkpoint.begin(tmp_path / "c", PLAN, resume=True)
    assert again.spent == 90.5
    again.save("phases", {}, {})
    assert Checkpoint.begin(tmp_path / "c", PLAN, resume=True).spent >= 90.5


@pytest.mark.parametrize(
    ("plan", "resume", "words"),
    [
        (PLAN, False, "interrupted: continue it with --resume, or start again with --replace"),
        (PLAN | {"seed": 2}, True, "this training was started with another seed"),
        (None, True, "there is no training to continue: start it without --resume"),
    ],
)
def test_what_cannot_be_continued_is_refused(
    tmp_path: Path, plan: dict[str, object] | None, resume: bool, words: str
) -> None:
    if plan is not None:
        Checkpoint.begin(tmp_path / "c", PLAN, resume=False)
    with pytest.raises(StorageError, match=words):
        Checkpoint.begin(tmp_path / "c", plan or PLAN, resume=resume)


@pytest.mark.parametrize("file", ["phases.npz", "seconds.txt", "plan.json"])
@pytest.mark.parametrize("how", ["a bit", "a cut", "zeros", "nothing"])
def test_one_that_is_damaged_is_refused(tmp_path: Path, file: str, how: str) -> None:
    Checkpoint.begin(tmp_path / "c", PLAN, resume=False).save("phases", {"w": [np.ones(9)]}, {})
    path = tmp_path / "c" / file
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(
        {
            "a bit": content[:middle] + bytes([content[middle] ^ 0x80]) + content[middle + 1 :],
            "a cut": content[:middle],
            "zeros": bytes(len(content)),
            "nothing": b"",
        }[how]
    )
    if (file, how) == ("seconds.txt", "a cut"):
        return  # a shorter time, and no less of a training
    with pytest.raises(StorageError, match=rf"{file}: damaged .* start it again with --replace"):
        Checkpoint.begin(tmp_path / "c", PLAN, resume=True).load("phases")


def test_it_is_taken_away_at_the_end(tmp_path: Path) -> None:
    checkpoint = Checkpoint.begin(tmp_path / "c", PLAN, resume=False)
    checkpoint.save("phases", {}, {})
    checkpoint.remove()
    assert list(tmp_path.iterdir()) == []
