"""A YAML value is read as a person means it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import yaml

from edge.yaml_file import YamlFile, read_value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 0.0001), ("1E+3", 1000.0), ("-2.5e2", -250.0), ("+.5", 0.5), ("3.", 3.0),
        ("0.001", 0.001), ("1.0e-05", 1e-5), ("-.inf", -math.inf),
        ("4", 4), ("-4", -4), ("0x10", 16),
        ("true", True), ("False", False), ("null", None), ("[1e-4, a]", [1e-4, "a"]),
        ("no", "no"), ("on", "on"), ("2026-11-21", "2026-11-21"), ("1:30.5", "1:30.5"),
        ("e-4", "e-4"), ("1e", "1e"), ("1e-", "1e-"), (".", "."), ("1.2.3", "1.2.3"),
        ("08", "08"), ("'1e-4'", "1e-4"),
    ],
)  # fmt: skip
def test_a_value_is_a_number_where_it_looks_like_one(tmp_path: Path, text: str, value: Any) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(f"key: {text}\n", encoding="utf-8")
    for found in (read_value(text), YamlFile(file).content["key"]):
        assert (found, type(found)) == (value, type(value))


def test_a_value_that_is_no_number_is_read_too() -> None:
    assert math.isnan(read_value(".nan"))


@pytest.mark.parametrize("number", [1e-300, 5e-324, 1e22, 0.1, -3.0, math.inf])
def test_a_number_that_was_written_as_yaml_is_read_again(number: float) -> None:
    assert read_value(yaml.safe_dump(number)) == number


@pytest.mark.parametrize("text", ["[1", "a: b: c", "!!python/name:os.system x", "\0"])
def test_what_is_no_yaml_is_refused(text: str) -> None:
    with pytest.raises(yaml.YAMLError):
        read_value(text)
