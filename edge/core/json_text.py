"""A strict JSON reader, for input that every program must understand in the same way.

Python's own reader accepts more than JSON allows: NaN, a repeated key (where Python takes the last
value and other programs the first), and half of a surrogate pair, which cannot be printed. Deep
nesting can also end the process that walks through it.
"""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

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
