"""`version` of a station file, and how one of an older version is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edge.config.reading import read_actuation_config, read_config, read_vision_config
from edge.config.version import migrate
from edge.core.errors import ConfigError
from edge.core.yaml_file import YamlFile
from tests.edge.stations import STATION

READERS = [read_config, read_vision_config, read_actuation_config]


def written(folder: Path, text: str) -> Path:
    (folder / "photos").mkdir(exist_ok=True)
    file = folder / "station.yaml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize("line", ["", "version: 1\n"])
def test_version_one_may_be_said_or_not(line: str, tmp_path: Path) -> None:
    assert read_config(written(tmp_path, line + STATION)).version == 1


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    ("version", "said"),
    [
        (
            "2",
            "the file has version 2, and pilah .* reads 1: install the newer pilah that the file",
        ),
        (
            "2",
            "or rewrite it for version 1 \\(`pilah-edge schema` lists the keys of that version\\)",
        ),
        ("0", "must be a version of .* Received: 0: write 1, or remove the"),
        ("'1'", "Received: '1': write 1, or remove the line"),
        ("1.0", "Received: 1.0: write 1, or remove the line"),
        ("true", "Received: True: write 1, or remove the line"),
        ("", "Received: None: write 1, or remove the line"),
        ("[1]", r"Received: \[1\]: write 1, or remove the line"),
    ],
)
def test_another_version_is_refused_with_what_to_do(
    version: str, said: str, read: Any, tmp_path: Path
) -> None:
    # Of a file of another version, nothing else can be judged.
    file = written(tmp_path, f"other: 1\nversion: {version}\n{STATION}")
    with pytest.raises(ConfigError, match=said) as caught:
        read(file)
    assert len(caught.value.problems) == 1
    assert caught.value.problems[0].startswith("2: version: ")


def rename(content: dict[Any, Any]) -> None:
    content["station"] = content.pop("name")


def shout(content: dict[Any, Any]) -> None:
    content["station"] = content["station"].upper()


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("name: a\n", {"station": "A"}),
        ("version: 1\nname: a\n", {"version": 3, "station": "A"}),
        ("version: 2\nstation: a\n", {"version": 3, "station": "A"}),
        ("version: 3\nstation: a\n", {"version": 3, "station": "a"}),
    ],
)
def test_an_older_file_goes_through_the_steps_from_its_version_on(
    text: str, content: dict[str, object], tmp_path: Path
) -> None:
    file = YamlFile(written(tmp_path, text))
    migrate(file, steps=(rename, shout))
    assert file.content == content
