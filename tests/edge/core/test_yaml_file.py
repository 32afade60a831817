"""A YAML value is read as a person means it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from edge.core.yaml_file import FilePath, Section, YamlFile
from edge.core.yaml_text import number_advice, read_value


class Sizes(Section):
    """A section with a value of each kind."""

    size: int = 1
    on: bool = False
    names: dict[str, float | str | None] | None = None
    path: FilePath | None = None


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


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("017", ": write 17, without the zero in front"),
        ("0,35", ": write 0.35, with a decimal point"),
        ("1_000", ": write 1000"),
        ("-12 345 678", ": write -12345678"),
        ("0x1F", ": write it as a decimal number, 31"),
        ("0b12", ": write it as a decimal number"),
        ("1:30.5", ": write it as one decimal number, a time in seconds"),
        ("12", ": remove the quotes"),
        ("a dozen", ""),
    ],
)
def test_what_to_write_for_a_number_is_said_where_it_is_known(text: str, advice: str) -> None:
    assert number_advice(text) == advice


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("size: 2.0", "size: must be a valid integer. Received: 2.0: write 2"),
        ("size: 2.5", "size: must be a valid integer"),
        ("on: 'yes'", "on: must be a valid boolean. Received: 'yes': write true"),
        ("on: 'off'", "on: must be a valid boolean. Received: 'off': write false"),
        ("on: perhaps", "Received: 'perhaps': write true or false"),
        ("names: {1: a}", 'YAML does not read this name as text: put the name in quotes: "1"'),
        (
            "names: {alpha: 0,35}",
            "a comma ends a value: a decimal number has a point, 0.35",
        ),
        ("path: ''", "path: the path is empty: give a path"),
    ],
)
def test_a_value_of_another_kind_is_told_with_what_to_write(
    tmp_path: Path, text: str, said: str
) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(f"{text}\n", encoding="utf-8")
    read = YamlFile(file)
    (problem,) = read.messages(read.check(Sizes)[1])
    assert said in problem


def test_a_path_with_a_zero_byte_is_none() -> None:
    with pytest.raises(ValidationError, match="a path cannot have a zero byte"):
        Sizes.model_validate({"path": "a\0b"})


@pytest.mark.parametrize("text", [
        "[1", "a: b: c", "!!python/name:os.system x", "\0", '!!int "0b"', "!!float ''",
        "!!timestamp foo", "!!binary x", "!!set {a}", "? [a, b]\n: c", "{{a: b}: c}", "[" * 500,
        "- " * 500, "&a [*a]", "! 17", "*a", '"\\0"', '"\\e[2J"', '"\\ud800"', "[<<]",
    ],
)  # fmt: skip
def test_what_is_no_yaml_is_refused(text: str) -> None:
    with pytest.raises(yaml.YAMLError):
        read_value(text)
