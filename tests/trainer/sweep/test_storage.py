"""A sweep's journal outlives half-written lines, and what is no storage of a sweep is told."""

from __future__ import annotations

from pathlib import Path

import optuna
import pytest

from edge.core.errors import PilahError, StorageError, UsageError
from trainer.sweep.storage import opened_storage


@pytest.mark.parametrize("half", [b'{"op_code":5,"wor', b"x" * 70_000])
def test_a_line_that_was_cut_off_is_lost_alone(tmp_path: Path, half: bytes) -> None:
    place = tmp_path / "journal"
    with opened_storage(str(place)) as storage:
        study = optuna.create_study(study_name="drawn", storage=storage)
        study.tell(study.ask(), 1.0)
    with place.open("ab") as file:
        file.write(half)
    for number in (2, 3):
        with opened_storage(str(place)) as storage:
            study = optuna.load_study(study_name="drawn", storage=storage)
            study.tell(study.ask(), 2.0)
            assert len(study.trials) == number
    assert half not in place.read_bytes()


@pytest.mark.parametrize(
    ("place", "error", "said"),
    [
        ("sqlite:///sweep.db", UsageError, "takes a journal file, or postgresql://"),
        ("mysql://u:secret@host/db", UsageError, "Received: mysql://\\*"),
        ("none/journal", StorageError, "in a folder that is there"),
        (".", StorageError, "must be a file"),
        ("other.txt", StorageError, "not the journal of a sweep, or is damaged"),
        ("postgresql://u:secret@127.0.0.1:1/db", StorageError, "the database cannot be used"),
        ("postgresql+oracle://host/db", UsageError, "postgresql://"),
        ("://", UsageError, "postgresql://"),
    ],
)
def test_what_is_no_storage_is_told(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    error: type[PilahError],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("other.txt").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(error, match=said) as caught, opened_storage(place):
        pytest.fail("it was opened")
    assert "secret" not in str(caught.value)
