"""A strict JSON reader, for input that every program must understand in the same way.

Python's own reader accepts more than JSON allows: NaN, a repeated key (where Python takes the last
value and other programs the first), and half of a surrogate pair, which cannot be printed. Deep
nesting can also end the process that walks through it.
"""

from __future__ import annotations

import json
import math
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, NoReturn, TypeVar, Union, get_args, get_origin, get_type_hints

_Value = TypeVar("_Value")
_DEEPEST = 32
_MOST_DIGITS = 30


def read_json(raw: bytes) -> Any:
    """The value of the JSON text `raw`, in UTF-8.

    Raises:
        ValueError: the text is not JSON; it has NaN, an infinite or overlong number, a repeated key
            or half a surrogate pair; or it is nested deeper than 32 levels.
    """
    try:
        found = json.loads(
            raw.decode("utf-8-sig"),
            parse_constant=_refuse,
            parse_float=_finite,
            parse_int=_short,
            object_pairs_hook=_without_repetition,
        )
        json.dumps(found, ensure_ascii=False).encode()  # fails for half a surrogate pair
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    _check_depth(found)
    return found


def read_typed(kind: type[_Value], raw: bytes) -> _Value:
    """The value of the dataclass `kind` that is the JSON text `raw`; names it has not are left out.

    Pydantic reads what people write, and says what is wrong in it. This is for what one process of
    a station writes and another reads many times a second, where its ten megabytes would be too
    much. Fields may be of text, numbers, bool, None, `Path`, an Enum, another dataclass, and of
    `tuple`, `Mapping` and unions of these.

    Raises:
        ValueError: the text is no JSON, lacks a field, or has a value of another type.
    """
    found: _Value = _typed(kind, read_json(raw))
    return found


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a number in JSON")


def _finite(digits: str) -> float:
    if not math.isfinite(number := float(digits)):
        raise ValueError(f"the number {digits[:40]} is too large")
    return number


def _short(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"a number has {len(digits):,} digits, which is too many")
    return int(digits)


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {twice[:80]!r} is there twice")
    return found


def _check_depth(found: Any) -> None:
    level = [found]
    for _ in range(_DEEPEST):
        level = [
            child
            for part in level
            if isinstance(part, dict | list)
            for child in (part.values() if isinstance(part, dict) else part)
        ]
        if not level:
            return
    raise ValueError(f"it is nested deeper than {_DEEPEST} levels")


def _typed(kind: Any, found: Any) -> Any:
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _first(inner, found)
    if origin is tuple:
        return _tuple(inner, found)
    if origin is not None and issubclass(origin, Mapping):
        return {
            _typed(inner[0], key): _typed(inner[1], one) for key, one in _a(dict, found).items()
        }
    if is_dataclass(kind):
        return _dataclass(kind, _a(dict, found))
    if issubclass(kind, Enum):
        return kind(found)
    if issubclass(kind, Path):
        return kind(_a(str, found))
    if kind is float and type(found) is int:
        return float(found)
    return _a(kind, found)


def _a(kind: type, found: Any) -> Any:
    if type(found) is not kind:  # True is an int as well
        raise ValueError(f"{found!r:.80} is no {kind.__name__}")
    return found


def _first(kinds: tuple[Any, ...], found: Any) -> Any:
    for kind in kinds[:-1]:
        try:
            return _typed(kind, found)
        except ValueError:
            continue
    return _typed(kinds[-1], found)


def _tuple(inner: tuple[Any, ...], found: Any) -> tuple[Any, ...]:
    values = _a(list, found)
    kinds = (inner[0],) * len(values) if inner[1:] == (...,) else inner
    return tuple(_typed(kind, one) for kind, one in zip(kinds, values, strict=True))


def _dataclass(kind: Any, found: Mapping[str, Any]) -> Any:
    values = {}
    for name, inner, needed in _fields(kind):
        if name in found:
            values[name] = _typed(inner, found[name])
        elif needed:
            raise ValueError(f"there is no {name!r}")
    return kind(**values)


@cache
def _fields(kind: Any) -> list[tuple[str, Any, bool]]:
    """The name and the type of each field, and whether it must be there."""
    hints = get_type_hints(kind)
    return [
        (one.name, hints[one.name], one.default is MISSING and one.default_factory is MISSING)
        for one in fields(kind)
    ]
