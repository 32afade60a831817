from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge.cli import main
from edge.core.errors import EXIT_CONFIG, EXIT_NO, EXIT_OK, EXIT_USAGE
from edge.receiving.scanner.scanner_reader import ScannerReader
from tests.edge.receiving.scanner.test_scanner_reader import typed

DEVICE = "scanner: {path: /dev/input/by-id/usb-ACME_Scanner_42-event-kbd}\n"


def station(folder: Path, text: str) -> str:
    """A station file that has nothing else yet."""
    file = folder / "station.yaml"
    file.write_text(text)
    return str(file)


def test_each_code_has_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "keys").write_bytes(typed("4006381333931\r01\x1d10L7\r"))
    file = station(tmp_path, "scanner: {kind: pipe, path: keys}\n")
    assert main(["scanner", "show", file]) == EXIT_OK
    assert capsys.readouterr().out == "4006381333931\n01<GS>10L7\n"
    assert main(["scanner", "show", file, "--json"]) == EXIT_OK
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line) for line in lines] == [
        {"text": "4006381333931"},
        {"text": "01\x1d10L7"},
    ]


def test_the_rule_is_for_the_scanner_of_the_station_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["scanner", "rule", station(tmp_path, DEVICE)]) == EXIT_OK
    assert 'SYMLINK=="input/by-id/usb-ACME_Scanner_42-event-kbd", GROUP="pilah"' in (
        capsys.readouterr().out
    )


@pytest.mark.parametrize("text", ["{}\n", "scanner: {path: /dev/input/event3}\n"])
def test_where_no_rule_can_be_given_there_is_none(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["scanner", "rule", station(tmp_path, text)]) == EXIT_NO
    assert capsys.readouterr().out == ""


def test_a_station_without_a_scanner_is_told_how_to_get_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["scanner", "show", station(tmp_path, "station: a\n")]) == EXIT_USAGE
    assert "it has no section `scanner`: add" in capsys.readouterr().err


def test_a_mistake_in_the_section_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["scanner", "show", station(tmp_path, "scanner: {paht: a}\n")]) == EXIT_CONFIG
    assert "Did you mean path?" in capsys.readouterr().err


def test_a_reader_that_fails_is_no_success(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(reader: ScannerReader) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(ScannerReader, "run", fail)
    with pytest.raises(ZeroDivisionError, match="a bug"):
        main(["scanner", "show", station(tmp_path, "scanner: {kind: pipe, path: keys}\n")])
