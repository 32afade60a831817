from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge.cli import main
from edge.core.errors import EXIT_CONFIG, EXIT_IO, EXIT_NO, EXIT_OK, EXIT_USAGE
from edge.ledger.export.formats import FORMATS
from edge.ledger.ledger import Ledger
from tests.edge.ledger.entries import entry
from tests.edge.stations import make_station


@pytest.fixture
def station(tmp_path: Path, tiny_bundle: Path) -> Path:
    """A station file whose ledger has two items of two days."""
    file = make_station(tmp_path / "station", bundle=tiny_bundle)
    with Ledger(file.with_name("ledger.sqlite")) as ledger:
        ledger.append([entry(1, label="red"), entry(2, time="2026-11-22T08:00:00.000000Z")])
    return file


def test_the_ledger_of_a_station_file_is_exported(
    station: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert main(["ledger", "export", str(station), "--format", "jsonl"]) == EXIT_OK
    out, err = capfdbinary.readouterr()
    assert [json.loads(line)["item"] for line in out.splitlines()] == [1, 2]
    assert b"2 items exported\n" in err


@pytest.mark.parametrize(
    ("words", "items"),
    [
        ("--to 2026-11-21", [1]),
        ("--from 2026-11-22", [2]),
        ("--from 2026-11-21 --to 2026-11-22", [1, 2]),
        ("--delivery d-1", []),
    ],
)
def test_a_part_of_it_is_exported_to_a_file(station: Path, words: str, items: list[int]) -> None:
    ledger, out = station.with_name("ledger.sqlite"), station.with_name("items.jsonl")
    command = ["ledger", "export", str(ledger), *words.split(), "--format", "jsonl"]
    assert main([*command, "--out", str(out)]) == EXIT_OK
    assert [json.loads(line)["item"] for line in out.read_text("utf-8").splitlines()] == items


@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"parquet"}))
def test_each_format_can_be_asked_for(station: Path, name: str) -> None:
    out = station.with_name("out")
    assert main(["ledger", "export", str(station), "--format", name, "--out", str(out)]) == EXIT_OK
    assert entry(1).id in out.read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("export STATION --from yesterday", EXIT_USAGE, "'yesterday' is no time"),
        ("export STATION --format parquet", EXIT_USAGE, "name a file with --out"),
        ("export NONE", EXIT_IO, "there is no ledger at"),
        ("export NONE.yaml", EXIT_CONFIG, "NONE.yaml"),
        ("backup STATION STATION", EXIT_IO, "is there already"),
        ("correct STATION ID --by Ana --why counted", EXIT_USAGE, "what is corrected?"),
        ("correct STATION ID --label blu --by Ana --why x", EXIT_USAGE, "no label 'blu': it has"),
        ("correct STATION ID --lane hot --by Ana --why x", EXIT_USAGE, "no lane 'hot': it has"),
    ],
)
def test_mistakes_end_with_a_sentence(
    station: Path, words: str, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = {"STATION": str(station), "ID": entry(1).id}
    assert main(["ledger", *(given.get(word, word) for word in words.split())]) == code
    out, err = capsys.readouterr()
    assert said in err
    assert out == ""


def test_a_correction_can_be_made_and_exported(
    station: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["ledger", "correct", str(station), entry(1).id]
    assert main([*command, "--label", "blue", "--by", "Ana", "--why", "looked again"]) == EXIT_OK
    assert capsys.readouterr().out.startswith("label: red -> blue  (correction ")


def test_a_ledger_is_checked(station: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = station.with_name("ledger.sqlite")
    assert main(["ledger", "check", str(station)]) == EXIT_OK
    out = capsys.readouterr().out
    assert "is whole: 2 items, 0 actuations" in out
    assert main(["ledger", "check", str(ledger), "--json", "--full"]) == EXIT_OK
    assert json.loads(capsys.readouterr().out)["rows"]["items"] == 2
    aside = station.with_name("ledger.set-aside-20261129T120000Z.sqlite")
    aside.write_bytes(b"damaged")
    assert main(["ledger", "check", str(station)]) == EXIT_OK
    assert f"set aside before, because it was damaged: {aside}\n" in capsys.readouterr().out
    raw = ledger.read_bytes()
    ledger.write_bytes(raw[:8192] + b"\xff" * (len(raw) - 8192))
    for words, said in (([], "is damaged ("), (["--json"], '"whole": false')):
        assert main(["ledger", "check", str(ledger), *words]) == EXIT_NO
        assert said in capsys.readouterr().out


def test_a_copy_is_made(station: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = station.with_name("copy.sqlite")
    assert main(["ledger", "backup", str(station), str(copy)]) == EXIT_OK
    assert capsys.readouterr().out == f"{copy} has 2 items, and is whole\n"
