"""Looks at a test split are counted by its pictures, whatever its name; none stops a training."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

import pytest

from trainer.evaluation import held_out_use
from trainer.evaluation.held_out_use import LEDGER, HeldOutUse, count_held_out_use, state_folder


@pytest.fixture(autouse=True)
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PILAH_STATE", str(tmp_path / "state"))
    return tmp_path / "state" / LEDGER


def pictures(numbers: range) -> list[str]:
    return [hashlib.sha256(str(number).encode()).hexdigest() for number in numbers]


def look(numbers: range, *, run: str = "runs/a", day: int = 1) -> HeldOutUse:
    return count_held_out_use(
        pictures(numbers), run=run, now=lambda: datetime(2026, 3, day, tzinfo=UTC)
    )


def test_the_first_look_is_the_first() -> None:
    found = look(range(50))
    assert (found.times, found.first, found.earlier) == (1, "2026-03-01T00:00:00+00:00", ())
    assert found.note == ""


def test_the_same_pictures_in_another_order_are_the_same_test_part() -> None:
    look(range(50), run="runs/a")
    found = count_held_out_use(pictures(range(50))[::-1], run="elsewhere/b")
    assert found.times == 2
    assert [(earlier.run, earlier.shared) for earlier in found.earlier] == [("runs/a", 1.0)]
    assert found.first == "2026-03-01T00:00:00+00:00"


def test_a_third_look_knows_both_before_it_the_oldest_first() -> None:
    for day, run in ((4, "b"), (2, "a")):
        look(range(50), run=run, day=day)
    found = look(range(50), run="c", day=5)
    assert [earlier.run for earlier in found.earlier] == ["a", "b"]
    assert found.times == 3
    assert found.first == "2026-03-02T00:00:00+00:00"


@pytest.mark.parametrize(
    ("before", "today", "times", "shared"),
    [
        (range(100), range(40, 140), 2, 0.6),  # more than half of today's are known
        (range(100), range(50, 150), 1, None),  # just half is not more than half
        (range(100), range(200, 300), 1, None),
        (range(100), range(30), 2, 1.0),  # a part of one looked at before
        (range(30), range(100), 1, None),  # mostly new
    ],
)
def test_a_test_part_that_is_mostly_an_earlier_one_counts(
    before: range, today: range, times: int, shared: float | None
) -> None:
    look(before)
    found = look(today)
    assert found.times == times
    assert [earlier.shared for earlier in found.earlier] == ([shared] if shared else [])


@pytest.mark.parametrize(
    ("before", "today", "times", "shared"),
    [
        (range(5000), range(5000), 2, 1.0),
        (range(5000), range(1000, 6000), 2, 0.8),
        (range(5000), range(4000, 9000), 1, None),
        (range(5000), range(200), 2, 1.0),
        (range(200), range(5000), 1, None),
    ],
)
def test_of_large_test_parts_a_sample_of_the_digests_is_enough(
    ledger: Path, before: range, today: range, times: int, shared: float | None
) -> None:
    look(before)
    assert ledger.stat().st_size < 5000
    found = look(today)
    assert found.times == times
    if shared:
        assert found.earlier[0].shared == pytest.approx(shared, abs=0.08)


def test_the_oldest_test_parts_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_out_use, "_PARTS", 2)
    look(range(10))
    look(range(10, 20))
    look(range(10))  # seen again: now the other one is the oldest
    look(range(20, 30))
    assert look(range(10)).times == 3
    assert look(range(10, 20)).times == 1


@pytest.mark.usefixtures("log_lines")
def test_a_place_that_cannot_be_written_is_told_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PILAH_STATE", str(tmp_path / "file" / "state"))
    found = look(range(50))
    assert found.times == 0
    assert "not counted" in capsys.readouterr().err
    assert "is a file" in found.note


@pytest.mark.parametrize("content", ["{", "[]", '{"parts": [{"key": 1}]}', "\udcff"])
@pytest.mark.usefixtures("log_lines")
def test_a_damaged_ledger_is_kept_aside_and_begun_anew(
    ledger: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    ledger.parent.mkdir()
    ledger.write_text(content, encoding="utf-8", errors="surrogateescape")
    assert look(range(50)).times == 1
    assert look(range(50)).times == 2
    assert "damaged" in capsys.readouterr().err
    aside = ledger.with_suffix(".damaged.json")
    assert aside.read_text(encoding="utf-8", errors="surrogateescape") == content


def test_a_newer_pilah_s_ledger_is_left_alone(ledger: Path) -> None:
    ledger.parent.mkdir()
    ledger.write_text('{"version": 2, "wisdom": []}')
    assert "newer pilah" in look(range(50)).note
    assert json.loads(ledger.read_text())["wisdom"] == []


def test_a_ledger_that_another_training_holds_for_long_is_not_counted(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held_out_use, "_LOCK_SECONDS", 0.0)
    look(range(50))
    descriptor = os.open(ledger.parent / f".{LEDGER}.lock", os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        assert "held by another" in look(range(50)).note
    finally:
        os.close(descriptor)
    assert look(range(50)).times == 2


def _look_often(times: int) -> None:
    for _ in range(times):
        count_held_out_use(pictures(range(50)), run="many")


def test_trainings_at_the_same_time_lose_no_look() -> None:
    context = get_context("spawn")
    workers = [context.Process(target=_look_often, args=(5,)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    assert look(range(50)).times == 16


def test_the_folder_is_where_data_that_lasts_belongs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PILAH_STATE")
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert state_folder() == Path("/data/pilah")
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", "/home/ana")
    assert state_folder() == Path("/home/ana/.local/share/pilah")
