"""Hides passwords in messages that repeat what a user wrote.

People write `rtsp://USER:PASSWORD@HOST` in the right place and in wrong ones, and then copy the
error message into mails and bug reports. `PilahError`, every line of the log and every traceback,
`print_json` and systemd's status line call this module, so that no other code has to.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_HIDDEN = "***"
_COLON, _SLASH, _AT = "(?::|%3A)", "(?:/|%2F)", "(?:@|%40)"
# One slash is enough: a Path makes `rtsp:/user` of `rtsp://user`.
_ADDRESS = re.compile(f"[A-Za-z][A-Za-z0-9+.-]{{0,20}}{_COLON}{_SLASH}{{1,3}}", re.IGNORECASE)
_QUOTED = re.compile(rf"(['\"])({_ADDRESS.pattern}(?:(?!\1).)*)\1", re.IGNORECASE | re.DOTALL)
_LOGIN = re.compile(f"[^\\s:/@'\"({{\\[,=<]+{_COLON}(?=[^\\s@]*{_AT}[A-Za-z0-9\\[])", re.IGNORECASE)
_ANY_AT = re.compile(_AT, re.IGNORECASE)
_SECRET_NAME = (
    "(?:(?:login)?pass?(?:w|wd|word|code|phrase)?|psw|pwd?|secret|(?:access_?)?token|"
    "(?:api|access|private)_?key|auth(?:_?key|orization)?|credentials?|signature)"
)
"""The names of secrets in the addresses of cameras and the settings of libraries."""
_BEFORE_NAME = "(?:(?<![A-Za-z])|(?<=%[0-9A-F]{2}))"
_SECRET = re.compile(f"{_BEFORE_NAME}({_SECRET_NAME}(?:=|%3D))[^\\s&;'\"]+", re.IGNORECASE)
_IS_SECRET_NAME = re.compile(f"(?:.*[_-])?{_SECRET_NAME}", re.IGNORECASE)
_PLACEHOLDER = "USER:PASSWORD@"
"""The placeholder that messages use to show where a password belongs; it is not hidden."""
_LONGEST_WORD = 4096
"""Characters. A longer word with an `@` is hidden completely, because searching it takes long."""


def redacted(text: str) -> str:
    """`text` with `***` in place of the user and password in addresses, and of `password=...`.

    It rather hides too much than too little: in `rtsp://host/a@b` it hides `host/a` too.
    """
    if "@" not in text and "%40" not in text and "=" not in text and "%3D" not in text.upper():
        return text
    text = _quoted_redacted(text)
    return "".join(_word_redacted(word) for word in re.split(r"(\s+)", text))


def redacted_value(value: Any) -> Any:
    """A string, list or mapping with passwords hidden; each string is treated as one address.

    A password with spaces or line breaks is therefore found too. The value of a key such as
    `password` is hidden completely.
    """
    if isinstance(value, str):
        return _word_redacted(value)
    if isinstance(value, Mapping):
        return {
            redacted_value(key): _HIDDEN
            if isinstance(key, str) and isinstance(part, str) and _IS_SECRET_NAME.fullmatch(key)
            else redacted_value(part)
            for key, part in value.items()
        }
    if isinstance(value, list | tuple):
        return [redacted_value(part) for part in value]
    return value


def _quoted_redacted(text: str) -> str:
    """`text` with passwords hidden in each quoted URL, which counts as one word (see `repr`)."""

    def hide(found: re.Match[str]) -> str:
        quote, inside = found.group(1), found.group(2)
        return f"{quote}{_word_redacted(inside)}{quote}"

    return _QUOTED.sub(hide, text)


def _word_redacted(word: str) -> str:
    if len(word) > _LONGEST_WORD:
        return _HIDDEN if _ANY_AT.search(word) else word
    word = _SECRET.sub(rf"\1{_HIDDEN}", word)
    ends = list(_ANY_AT.finditer(word))
    if not ends or _PLACEHOLDER in word:
        return word
    end = ends[-1].start()
    begin = _ADDRESS.search(word, 0, end) or _LOGIN.search(word)
    if begin is None or begin.end() > end:
        return word
    start = begin.end() if _ADDRESS.match(begin.group()) else begin.start()
    return f"{word[:start]}{_HIDDEN}{word[end:]}"
