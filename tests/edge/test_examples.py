from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from edge.config import read_station
from tests.bundles import BGR, make_bundle, write_picture

EXAMPLES = Path(__file__).parents[2] / "deploy" / "examples"
LABELS = ("cardboard", "glass", "metal", "paper", "plastic", "trash")


@pytest.mark.parametrize("name", sorted(file.name for file in EXAMPLES.glob("*.yaml")))
def test_an_example_is_a_station_file_without_mistakes(name: str, tmp_path: Path) -> None:
    file = tmp_path / "deploy" / "examples" / name
    file.parent.mkdir(parents=True)
    shutil.copy(EXAMPLES / name, file)
    make_bundle(tmp_path / "demo" / "bundle", labels=LABELS)
    write_picture(tmp_path / "demo" / "photos" / "1.png", BGR["red"])
    config = read_station(file).config
    assert {label for lane in config.lanes.values() for label in lane.labels} == set(LABELS)


def test_there_are_examples() -> None:
    assert (EXAMPLES / "folder.yaml").is_file()
