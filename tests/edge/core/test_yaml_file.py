"""A YAML value is read as a person means it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import yaml

from edge.core.yaml_file import YamlFile
from edge.core.yaml_text import read_value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 0.0001), ("1E+3", 1000.0), ("-2.5e2", -250.0), ("+.5", 0.5), ("3.", 3.0),
        ("0.001", 0.001), ("1.0e-05", 1e-5), ("-.inf", -math.inf),
        ("4", 4), ("-4", -4), ("0x10", "0x10"),
        ("true", True), ("False", False), ("null", None), ("[1e-4, a]", [1e-4, "a"]),
        ("no", "no"), ("on", "on"), ("2026-11-21", "2026-11-21"), ("1:30.5", "1:30.5"),
        ("e-4", "e-4"), ("1e", "1e"), ("1e-", "1e-"), (".", "."), ("1.2.3", "1.2.3"),
        ("08", "08"), ("'1e-4'", "1e-4"),
        # Not decimal in every reader of YAML: text, which no number field takes.
        ("017", "017"), ("-010", "-010"), ("007.5", "007.5"), ("0o17", "0o17"), ("0b1", "0b1"),
        ("1_000", "1_000"), ("1:30", "1:30"), ("190:20:30", "190:20:30"), ("0", 0), ("-0", 0),
        ("9" * 18, int("9" * 18)), ("9" * 5000, "9" * 5000), ("0,35", "0,35"),
        ("=", "="), ("yes", "yes"), ("Off", "Off"), ("~", None), ("y", "y"),
        ("1e400", math.inf), ("!!str 017", "017"),
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


@pytest.mark.parametrize("text", [
        "[1", "a: b: c", "!!python/name:os.system x", "\0", '!!int "0b"', "!!float ''",
        "!!timestamp foo", "!!binary x", "!!set {a}", "? [a, b]\n: c", "{{a: b}: c}", "[" * 500,
        "- " * 500, "&a [*a]", "! 17", "*a", '"\\0"', '"\\e[2J"', '"\\ud800"', "[<<]",
    ],
)  # fmt: skip
def test_what_is_no_yaml_is_refused(text: str) -> None:
    with pytest.raises(yaml.YAMLError):
        read_value(text)
