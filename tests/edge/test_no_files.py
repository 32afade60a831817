"""What is no file (a pipe, a socket, a device, a folder) is refused at once, whoever reads it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.cli import main
from edge.core.errors import EXIT_CONFIG, EXIT_DATA
from tests.edge.stations import STATION, make_station


@pytest.fixture(params=["pipe", "socket", "device", "folder"])
def no_file(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    kind: str = request.param
    place = tmp_path / f"a {kind}"
    if kind == "pipe":
        os.mkfifo(place)
    elif kind == "folder":
        place.mkdir()
        (place / "notes.txt").touch()  # an empty one may be a disk that is not mounted
    elif kind == "device":
        place.symlink_to("/dev/zero")  # which would be read for ever
    if kind != "socket":
        yield place
        return
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.path.relpath(place))  # a name in full may be longer than allowed
        yield place


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("classify BUNDLE WRONG", EXIT_DATA),
        ("classify WRONG PICTURE", EXIT_DATA),
        ("inspect WRONG", EXIT_DATA),
        ("bench WRONG", EXIT_DATA),
        ("evaluate WRONG PHOTOS", EXIT_DATA),
        ("install WRONG STATION", EXIT_DATA),
        ("check STATION --bundle WRONG", EXIT_DATA),
        ("check WRONG", EXIT_CONFIG),
        ("run WRONG", EXIT_CONFIG),
        ("lane safe WRONG", EXIT_CONFIG),
        ("capture WRONG --label can", EXIT_CONFIG),
        ("check BUNDLE_IS_WRONG", EXIT_CONFIG),
        ("run BUNDLE_IS_WRONG", EXIT_CONFIG),
        ("run KEY_IS_WRONG", EXIT_CONFIG),
        ("run LEDGER_IS_WRONG", EXIT_CONFIG),
        ("run PICTURES_ARE_WRONG", EXIT_CONFIG),
    ],
)
def test_it_is_refused_at_once(
    words: str, code: int, no_file: Path, tmp_path: Path, tiny_bundle: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    station = make_station(tmp_path / "station", bundle=tiny_bundle)

    def changed(old: str, new: str) -> Path:
        file = station.with_name("changed.yaml")
        file.write_text(STATION.replace(old, new), "utf-8")
        return file

    if words.endswith("PICTURES_ARE_WRONG") and no_file.is_dir():
        pytest.skip("pictures are read from a folder")
    given = {
        "BUNDLE": tiny_bundle,
        "PICTURE": station.parent / "photos" / "0.png",
        "PHOTOS": station.parent / "photos",
        "STATION": station,
        "WRONG": no_file,
        "BUNDLE_IS_WRONG": changed("bundle: bundle", f"bundle: '{no_file}'"),
    }
    for word, old, new in (
        ("KEY_IS_WRONG", "lanes:\n", f"trust: {{public_keys: ['{no_file}']}}\nlanes:\n"),
        ("LEDGER_IS_WRONG", "path: ledger.sqlite", f"path: '{no_file}'"),
        ("PICTURES_ARE_WRONG", "path: photos", f"path: '{no_file}'"),
    ):
        if word in words:
            given[word] = changed(old, new)
    found = main([str(given.get(word, word)) for word in words.split()])
    err = capsys.readouterr().err
    assert found == code, err
    assert str(no_file) in err
