"""A first station file fits its bundle, whatever its labels are called."""

import sqlite3
from pathlib import Path

import pytest

from edge.cli import main
from edge.errors import EXIT_IO, EXIT_OK
from tests.bundles import BGR, make_bundle, write_picture


@pytest.mark.parametrize(
    "labels",
    [
        ("red", "green", "blue"),
        ("blå & co.", "grün: hell", "红 色"),
        ("no", "7up", "rejects"),
        ("null", "-dash", "1.5"),
        ("1e5", "on", "08"),
    ],
)
def test_the_file_it_writes_has_no_mistakes_and_runs(
    tmp_path: Path, labels: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = make_bundle(tmp_path / "models" / "first", labels=labels)
    write_picture(tmp_path / "photos" / "1.png", BGR["green"])
    file = tmp_path / "station" / "station.yaml"
    words = ["init", str(bundle), str(file), "--photos", str(tmp_path / "photos")]
    assert main(words) == EXIT_OK
    assert main(["check", str(file)]) == EXIT_OK, capsys.readouterr().err
    assert main(["run", str(file)]) == EXIT_OK
    with sqlite3.connect(file.parent / "ledger.sqlite") as ledger:
        assert ledger.execute("SELECT label FROM items").fetchall() == [(labels[1],)]
    assert labels[1] in capsys.readouterr().out


def test_a_file_that_is_there_is_left_alone(
    tmp_path: Path, tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "station.yaml"
    file.write_text("mine", encoding="utf-8")
    assert main(["init", str(tiny_bundle), str(file), "--photos", str(tmp_path)]) == EXIT_IO
    assert "is there already" in capsys.readouterr().err
    assert file.read_text(encoding="utf-8") == "mine"
