"""`data check` leaves a page, JSON and a list; `data clean` takes the list back."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from edge.core.dataset import read_picture_set
from tests.trainer.audit.drawn import check_quickly, write_set
from trainer.cli import main


@pytest.fixture(autouse=True)
def without_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_quickly(monkeypatch, tmp_path / "cache")
    monkeypatch.chdir(tmp_path)


def test_a_clean_set_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_set(tmp_path / "set")
    assert main(["data", "check", "set", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["spoils"] is False
    assert json.loads((tmp_path / "set-check.json").read_text()) == json.loads(out)
    assert (tmp_path / "set-check.html").is_file()
    assert "nothing here would spoil a training" in err


def test_what_is_found_is_reviewed_cleaned_and_checked_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_set(tmp_path / "set")
    shutil.copy(folder / "can" / "03.png", folder / "jar" / "same.png")
    assert main(["data", "check", "set", "--out", "reports/one.html"]) == 1
    assert "SPOILS IT" in capsys.readouterr().err
    review = tmp_path / "reports" / "one.review.csv"
    with review.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["do"] = row["suggested"] if row["suggested"] == "drop" else "keep"
    with review.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    assert main(["data", "check", "set", "--out", "reports/one.html"]) == 74  # decisions in it
    assert main(["data", "clean", "set", "--list", str(review), "--out", "clean.csv"]) == 0
    assert capsys.readouterr().out == "clean.csv\n"
    assert "jar/same.png" not in {p.path.as_posix() for p in read_picture_set(Path("set")).pictures}
    assert len(read_picture_set(Path("clean.csv")).pictures) == 28
    assert main(["data", "check", "clean.csv"]) == 0


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["check", "nothing-here"], 65),
        (["check", "set", "--out", "report.pdf"], 2),
        (["check", "set", "--groups", "rows:2"], 2),
        (["clean", "set", "--list", "no.csv"], 65),
    ],
)
def test_mistakes_have_their_exit_codes(tmp_path: Path, words: list[str], code: int) -> None:
    write_set(tmp_path / "set", each=2)
    assert main(["data", *words]) == code
