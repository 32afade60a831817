"""`pilah-edge install` and `rollback`: what they print, and how they end."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.cli import main
from edge.core.errors import EXIT_CONFIG, EXIT_DATA, EXIT_NO, EXIT_OK
from tests.bundles import zip_of
from tests.edge.rollout.rollouts import OPEN, make_pinned, make_signed
from tests.signatures import OURS, THEIRS


@pytest.mark.usefixtures("ledger_within")
def test_a_bundle_is_installed_a_newer_one_and_the_first_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    station = make_pinned(tmp_path / "station")
    assert main(["install", str(make_signed(tmp_path, "1")), str(station)]) == EXIT_OK
    out, err = capsys.readouterr()
    link = station.parent / "model"
    assert f"signature  signed by key {OURS.id}\n" in out
    assert "golden     2 pictures reproduced exactly\n" in out
    assert f"active     {link}, before: nothing\n" in out
    assert "start the station again" in err
    zipped = zip_of(make_signed(tmp_path, "2"), tmp_path / "2.zip")
    assert main(["install", str(zipped), str(station)]) == EXIT_OK
    assert f"active     {link}, before: tiny 1\n" in capsys.readouterr().out
    assert main(["rollback", str(station)]) == EXIT_OK
    out = capsys.readouterr().out
    assert out.startswith("tiny 1  (digest ")
    assert f"active     {link}, before: tiny 2\n" in out
    assert main(["rollback", str(station), "2"]) == EXIT_OK
    assert main(["inspect", str(link)]) == EXIT_OK
    assert "tiny 2  (digest " in capsys.readouterr().out
    assert main(["run", str(station)]) == EXIT_OK
    assert f"golden picture right, signed by key {OURS.id}" in capsys.readouterr().err


def test_that_no_key_is_pinned_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    station = make_pinned(tmp_path / "station", text=OPEN)
    assert main(["install", str(make_signed(tmp_path, "1", key=None)), str(station)]) == EXIT_OK
    assert "signature  not signed; no key is pinned\n" in capsys.readouterr().out


def test_each_refusal_has_its_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    station = make_pinned(tmp_path / "station")
    first = str(make_signed(tmp_path, "2"))
    assert main(["rollback", str(station)]) == EXIT_NO
    assert "no bundle has been installed here yet" in capsys.readouterr().err
    assert main(["install", first, str(station)]) == EXIT_OK
    assert main(["install", first, str(station)]) == EXIT_DATA
    assert "tiny 2 is not newer than tiny 2" in capsys.readouterr().err
    assert main(["install", str(make_signed(tmp_path, "1")), str(station)]) == EXIT_DATA
    assert main(["install", str(make_signed(tmp_path, "3", key=THEIRS)), str(station)]) == EXIT_DATA
    assert f"only key {OURS.id} is trusted" in capsys.readouterr().err
    assert main(["rollback", str(station)]) == EXIT_NO
    assert main(["rollback", str(tmp_path / "gone.yaml")]) == EXIT_CONFIG
    station.write_text("station: bin-1\n")
    assert main(["rollback", str(station)]) == EXIT_CONFIG
    assert main(["install", first, str(station)]) == EXIT_CONFIG


@pytest.mark.parametrize("verb", ["check", "run"])
@pytest.mark.parametrize("tampering", ["unsigned", "other key", "file changed"])
def test_what_is_tampered_with_after_its_installation_is_not_loaded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], verb: str, tampering: str
) -> None:
    station = make_pinned(tmp_path / "station")
    assert main(["install", str(make_signed(tmp_path, "1")), str(station)]) == EXIT_OK
    installed = station.parent / "model.versions" / "tiny-1"
    if tampering == "unsigned":
        (installed / "signature").unlink()
    elif tampering == "other key":
        THEIRS.sign(installed)
    else:
        (installed / "labels.txt").write_text("red\ngreen\nblue\n\n")
    assert main([verb, str(station)]) == EXIT_CONFIG
    assert "station.yaml:2: bundle: " in capsys.readouterr().err
    assert not (station.parent / "ledger.sqlite").exists()
