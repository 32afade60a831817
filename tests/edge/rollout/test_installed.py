"""A bundle that is not as it was installed is not sorted with."""

from __future__ import annotations

import json
from collections.abc import Callable
from os import truncate
from pathlib import Path

import numpy as np
import pytest

from edge.cli import main
from edge.core.errors import EXIT_CONFIG, EXIT_NO, EXIT_OK
from edge.rollout.install import install, roll_back
from edge.rollout.installed import RECORD_LOST
from tests.bundles import BGR, make_bundle, write_picture


@pytest.fixture
def station(tmp_path: Path) -> Path:
    """A station of photographs with an installed, unsigned bundle."""
    bundle = make_bundle(tmp_path / "new" / "tiny")
    write_picture(tmp_path / "photos" / "1.png", BGR["green"])
    file = tmp_path / "station" / "station.yaml"
    words = ["init", str(bundle), str(file), "--photos", str(tmp_path / "photos")]
    assert main(words) == EXIT_OK
    lines = file.read_text(encoding="utf-8").splitlines()
    lines = ["bundle: bundle" if line.startswith("bundle:") else line for line in lines]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    install(bundle, file)
    return file


def change_threshold(station: Path) -> None:
    manifest = station.parent / "bundle" / "bundle.json"
    content = json.loads(manifest.read_bytes())
    content["accept"] = dict.fromkeys(content["accept"], 0.14)
    manifest.write_text(json.dumps(content), encoding="utf-8")


@pytest.mark.parametrize("verb", ["check", "run", "doctor"])
def test_a_threshold_that_changed_since_is_seen_at_every_start(
    station: Path, verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(station)]) == EXIT_OK
    change_threshold(station)
    assert main([verb, str(station)]) == (EXIT_NO if verb == "doctor" else EXIT_CONFIG)
    captured = capsys.readouterr()
    said = captured.out + captured.err
    assert "not the tiny 1 that was verified here on" in said
    assert "pilah-edge install" in said


@pytest.mark.parametrize(
    "damage", [lambda record: record.unlink(), lambda record: truncate(record, 9)]
)
def test_a_lost_record_is_said_at_every_start(
    station: Path, damage: Callable[[Path], object], capsys: pytest.CaptureFixture[str]
) -> None:
    damage(station.parent / "bundle.versions" / "tiny-1.json")
    capsys.readouterr()
    assert main(["check", str(station)]) == EXIT_OK
    captured = capsys.readouterr()
    assert f"tiny 1 was installed, and {RECORD_LOST}" in captured.out + captured.err
    assert main(["doctor", str(station)]) == EXIT_NO
    assert f"tiny 1, and {RECORD_LOST}" in capsys.readouterr().out


def test_to_install_the_same_version_again_mends_it(station: Path, tmp_path: Path) -> None:
    change_threshold(station)
    install(tmp_path / "new" / "tiny", station)
    assert main(["check", str(station)]) == EXIT_OK


def test_to_go_back_leaves_a_changed_one(station: Path, tmp_path: Path) -> None:
    install(make_bundle(tmp_path / "newer" / "tiny", version="2"), station)
    change_threshold(station)
    roll_back(station)
    assert main(["check", str(station)]) == EXIT_OK


def test_every_flipped_bit_of_an_installed_bundle_is_refused(
    station: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = (station.parent / "bundle").resolve()
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    chance = np.random.default_rng(0)
    for file in files:
        content = file.read_bytes()
        for bit in chance.choice(8 * len(content), 8, replace=False).tolist():
            flipped = bytearray(content)
            flipped[bit // 8] ^= 1 << bit % 8
            file.write_bytes(flipped)
            assert main(["check", str(station)]) == EXIT_CONFIG, (file.name, bit)
        file.write_bytes(content)
    assert main(["check", str(station)]) == EXIT_OK
