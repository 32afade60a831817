"""The JSON Schema of station files: current, strict, and true of the examples."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from edge import lanes
from edge.cli import main
from edge.config.schema import station_schema
from edge.config.station import StationConfig
from edge.core.errors import EXIT_OK
from edge.core.yaml_text import read_value
from edge.vision import camera, trigger
from tests.edge.stations import STATION

EXAMPLES = Path(__file__).parents[3] / "deploy" / "examples"
COPY = EXAMPLES / "station.schema.json"


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return station_schema()


def faults(schema: dict[str, Any], content: object) -> list[str]:
    """Where `content` is not what the schema says."""
    jsonschema = pytest.importorskip("jsonschema")
    return [error.json_path for error in jsonschema.Draft7Validator(schema).iter_errors(content)]


def test_the_verb_prints_what_lies_with_the_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == EXIT_OK
    assert capsys.readouterr().out == COPY.read_text("utf-8"), (
        "the models have changed: `make reference`"
    )


def test_it_is_a_schema(schema: dict[str, Any]) -> None:
    pytest.importorskip("jsonschema").Draft7Validator.check_schema(schema)


def objects(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {"": schema, **schema["definitions"]}


def test_every_section_is_described_and_closed(schema: dict[str, Any]) -> None:
    for name, section in objects(schema).items():
        assert section["additionalProperties"] is False, name
        assert section["title"], name
        for key, value in section["properties"].items():
            assert value.get("description"), (name, key)


@pytest.mark.parametrize(
    ("section", "key", "kinds"),
    [
        ("", "camera", camera.KINDS),
        ("", "trigger", trigger.KINDS),
        ("Lane", "actuator", lanes.KINDS),
    ],
)
def test_each_kind_is_one_of_several_told_apart_by_its_name(
    section: str, key: str, kinds: dict[str, str], schema: dict[str, Any]
) -> None:
    found = objects(schema)[section]["properties"][key]
    assert len(found["oneOf"]) == len(kinds)
    assert found["discriminator"]["propertyName"] == "kind"
    for kind, reference in found["discriminator"]["mapping"].items():
        model = schema["definitions"][reference.rpartition("/")[2]]
        assert model["properties"]["kind"]["const"] == kind
        assert "kind" in model["required"]


def test_a_kind_that_is_not_installed_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(camera.KINDS, "belt", "edge.gone.belt.camera")
    found = station_schema()
    assert "belt" not in found["properties"]["camera"]["discriminator"]["mapping"]
    assert not any("belt__camera" in name for name in found["definitions"])


@pytest.mark.parametrize("name", sorted(file.name for file in EXAMPLES.glob("*.yaml")))
def test_an_example_is_what_the_schema_says_and_names_it(name: str, schema: dict[str, Any]) -> None:
    text = (EXAMPLES / name).read_text("utf-8")
    assert faults(schema, read_value(text)) == []
    assert names_its_schema(EXAMPLES / name)


def names_its_schema(file: Path) -> bool:
    """Whether the first line says where the schema lies, as an editor looks for it."""
    first = file.read_text("utf-8").partition("\n")[0]
    found = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
    assert found is not None, first
    title = json.loads((file.parent / found.group(1)).read_text("utf-8"))["title"]
    return title == "Station file of pilah"


@pytest.mark.parametrize("source", ["usb", "picamera", "stream", "belt", None])
def test_what_init_writes_is_what_the_schema_says_and_names_it(
    source: str | None, tmp_path: Path, tiny_bundle: Path, schema: dict[str, Any]
) -> None:
    file = tmp_path / "station" / "station.yaml"
    words = ["--photos", str(tmp_path)] if source is None else ["--camera", source]
    assert main(["init", str(tiny_bundle), str(file), *words]) == EXIT_OK
    assert faults(schema, read_value(file.read_text("utf-8"))) == []
    assert names_its_schema(file)


def test_a_schema_that_is_there_is_kept_and_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    schema, words = tmp_path / "station.schema.json", ["--camera", "usb"]
    assert main(["init", str(tmp_path / "a.yaml"), *words]) == EXIT_OK
    assert main(["init", str(tmp_path / "b.yaml"), *words]) == EXIT_OK
    assert "kept" not in capsys.readouterr().err
    schema.write_text("mine", encoding="utf-8")
    assert main(["init", str(tmp_path / "c.yaml"), *words]) == EXIT_OK
    assert (
        f"{schema} is there already and is of another version of pilah, so it was kept"
        in capsys.readouterr().err
    )
    assert schema.read_text("utf-8") == "mine"


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("station: bin-1", "station: bin 1", "$.station"),
        ("station: bin-1", "name: bin-1", "$"),
        ("pin: 18", "pin: 40", "$.lanes.warm.actuator"),
        ("pin: 18", "pinn: 18", "$.lanes.warm.actuator"),
        ("kind: servo", "kind: relay", "$.lanes.warm.actuator"),
        ("kind: folder", "kind: usb, device: cam0", "$.camera"),
        ("kind: folder, path: photos, frames_per_second: 1000", "kind: belt, background: red",
         "$.camera"),
        ("default_lane: rest", "default_lane: rest\nversion: 2", "$.version"),
        ("default_lane: rest", "default_lane: rest\ntrust:", "$.trust"),
        ("default_lane: rest", "default_lane: rest\ndelivery: {}", "$"),
    ],
)  # fmt: skip
def test_what_the_schema_does_not_allow(
    old: str, new: str, where: str, schema: dict[str, Any]
) -> None:
    assert faults(schema, read_value(STATION)) == []
    assert old in STATION
    found = faults(schema, read_value(STATION.replace(old, new, 1)))
    assert set(found) == {where}


def test_the_keys_are_in_the_order_of_an_item_s_way() -> None:
    keys = list(station_schema()["properties"])
    way = ["station", "camera", "region", "trigger", "decision", "lanes", "ledger", "scanner"]
    assert [key for key in keys if key in way] == way
    assert set(keys) == set(StationConfig.model_fields)
