"""JSON from outside is read as every other program reads it, or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from edge.core.json_text import read_json, read_typed


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"NaN", "NaN is not a number in JSON"),
        (b'{"a": [-Infinity]}', "-Infinity is not a number"),
        (b"1e999", "1e999 is too large"),
        (b"9" * 5000, "a number has 5,000 digits"),
        (b"-" + b"9" * 300_000, "digits"),
        (b'{"a": 1, "b": {"c": 1, "c": 2}}', "the key 'c' is there twice"),
        (b"[" * 100_000 + b"]" * 100_000, "nested"),
        (b"[" * 40 + b"]" * 40, "nested deeper than 32 levels"),
        (b'{"a":' * 500 + b"1" + b"}" * 500, "nested"),
        (b'"\\ud800"', "surrogates not allowed"),
        (b'{"\\udfff": 1}', "surrogates not allowed"),
        (b'"\xff"', "can't decode"),
        (b"", "Expecting value"),
        (b"{} {}", "Extra data"),
    ],
)
def test_what_others_read_otherwise_is_refused(raw: bytes, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_json(raw)


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (b'{"a": [1, -2.5e3, null, true, "\\ud83c\\udf4e"]}',
         {"a": [1, -2500.0, None, True, "\U0001f34e"]}),
        (b"\xef\xbb\xbf[]", []),
        (b"[" * 32 + b"]" * 32, None),
        (b"999999999999999999999999999999", 10**30 - 1),
    ],
)  # fmt: skip
def test_json_is_read(raw: bytes, found: object) -> None:
    assert found is None or read_json(raw) == found
    read_json(raw)


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Part:
    name: str
    size: float | None = None


@dataclass(frozen=True)
class Whole:
    count: int
    well: bool
    colour: Colour
    path: Path | None = None
    parts: tuple[Part, ...] = ()
    span: tuple[float, float] = (0.0, 1.0)
    lanes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


WHOLE = Whole(
    3, True, Colour.RED, Path("a/b"), (Part("x"), Part("y", 2.5)), (1.0, 2.0), {"a": ("b", "c")}
)
LEAST: dict[str, Any] = {"count": 3, "well": True, "colour": "red"}


def test_a_value_is_read_as_it_was_written() -> None:
    assert read_typed(Whole, json.dumps(asdict(WHOLE), default=str).encode()) == WHOLE


def test_what_is_not_there_has_its_default_and_what_is_not_known_is_left_out() -> None:
    raw = json.dumps(LEAST | {"weather": "fine", "span": [1, 2]}).encode()
    found = read_typed(Whole, raw)
    assert found == Whole(3, True, Colour.RED, span=(1.0, 2.0))
    assert isinstance(found.span[0], float)


@pytest.mark.parametrize(
    "wrong",
    [
        {"count": True}, {"count": 3.0}, {"count": "3"}, {"count": None}, {"well": 1},
        {"colour": "blue"}, {"colour": ["red"]}, {"path": 3}, {"parts": {}}, {"parts": [{}]},
        {"parts": [[]]}, {"parts": [{"name": "x", "size": "large"}]}, {"span": [1]},
        {"span": [1, 2, 3]}, {"span": 1}, {"lanes": []}, {"lanes": {"a": "b"}},
        {"lanes": {"a": [1]}},
    ],
    ids=str,
)  # fmt: skip
def test_a_value_of_another_type_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"is no|is not a valid|argument"):
        read_typed(Whole, json.dumps(LEAST | wrong).encode())


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"null", b"{}", b"\xff", b'{"count": NaN}', b"[" * 60_000]
)
def test_what_is_no_such_value_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever is wrong with it
        read_typed(Whole, raw)
