from __future__ import annotations

from pathlib import Path

import pytest

from edge.cli import main
from edge.core.errors import EXIT_DATA, EXIT_NO, EXIT_OK
from edge.ledger.ledger import Ledger
from edge.samples.photograph_store import photograph_file
from tests.edge.ledger.entries import correction, entry
from tests.edge.stations import make_station


@pytest.fixture
def station(tmp_path: Path, tiny_bundle: Path) -> Path:
    """A station file whose ledger has three items, the first two with a photograph."""
    file = make_station(tmp_path / "station", bundle=tiny_bundle)
    named = [photograph_file(entry(item).id) for item in (1, 2)]
    for name in named:
        photograph = file.with_name("ledger-photographs") / name
        photograph.parent.mkdir(parents=True, exist_ok=True)
        photograph.write_bytes(b"\xff\xd8")
    with Ledger(file.with_name("ledger.sqlite")) as ledger:
        rows = [entry(item, photograph=name) for item, name in enumerate(named, start=1)]
        ledger.append([*rows, entry(3)])
    return file


def test_corrected_items_become_a_folder_and_the_next_command_is_named(
    station: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = station.with_name("samples")
    with Ledger(station.with_name("ledger.sqlite")) as ledger:
        ledger.append([correction(item, "label", "can", "red") for item in (1, 3)])
    assert main(["samples", "export", str(station), str(out)]) == EXIT_OK
    said = capsys.readouterr()
    assert said.out == f"{out} has 1 picture\n"
    assert "added      1 red\n" in said.err
    assert "without    1 labelled item: no photograph" in said.err
    assert f"--add {out} --from RUN" in said.err
    assert main(["samples", "export", str(station), str(out), "--from", "2026-11-21"]) == EXIT_OK
    assert "there      1 already" in capsys.readouterr().err


def test_without_corrections_it_says_what_is_missing(
    station: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = station.with_name("samples")
    assert main(["samples", "export", str(station), str(out)]) == EXIT_NO
    assert "next: review items on the pages" in capsys.readouterr().err


def test_a_label_that_is_no_name_is_told_with_its_own_exit_code(
    station: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Ledger(station.with_name("ledger.sqlite")) as ledger:
        ledger.append([correction(1, "label", "can", "a/b"), correction(2, "label", "can", "red")])
    out = station.with_name("samples")
    assert main(["samples", "export", str(station), str(out)]) == EXIT_DATA
    said = capsys.readouterr()
    assert f"the corrected label of item {entry(1).id}" in said.err
    assert said.out == f"{out} has 1 picture\n"
