"""JSON from outside is read as every other program reads it, or not at all."""

from __future__ import annotations

import pytest

from edge.core.json_text import read_json


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
