"""Sentences whose values stand apart, so that they can be said in another language."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

_PLACE = re.compile(r"\{(\w+)\}")
_LONGEST = 1000
"""Characters of a sentence or a value that came from another process."""


class Sentence:
    """A sentence in English, and the values in it; `str` says it.

    An error that is raised with one in place of a text can be said in the language of whoever reads
    it: the language files have `text`, found wherever a `Sentence(...)` is made.
    """

    def __init__(self, text: str, **values: str | Sentence) -> None:
        """A sentence.

        Args:
            text: with `{name}` in place of each value; no f-string, or nobody can translate it.
            values: by name. `state`, `mode` and `lane` name one of these, or several with commas.
                One can be a sentence again.
        """
        self.text, self.values = text, values

    def __str__(self) -> str:
        return self.said(str, lambda name, value: value)

    def said(self, translate: Callable[[str], str], word: Callable[[str, str], str]) -> str:
        """The sentence in another language.

        Args:
            translate: the text in that language.
            word: a value in that language, by its name.
        """

        def said(place: re.Match[str]) -> str:
            value = self.values.get(place[1])
            if isinstance(value, Sentence):
                return value.said(translate, word)
            return place[0] if value is None else word(place[1], value)

        return _PLACE.sub(said, translate(self.text))

    def as_json(self) -> dict[str, Any]:
        """The sentence for another process; what is a sentence in it is said in English."""
        return {"text": self.text, "values": {key: str(one) for key, one in self.values.items()}}

    @classmethod
    def from_json(cls, found: Any) -> Sentence | None:
        """What `as_json` was made of; None: it is none."""
        if not isinstance(found, Mapping) or not isinstance(values := found.get("values"), Mapping):
            return None
        texts = [found.get("text"), *values, *values.values()]
        if not all(isinstance(one, str) and len(one) <= _LONGEST for one in texts):
            return None
        made = cls(str(found["text"]))
        made.values = dict(values)
        return made

    @classmethod
    def of(cls, error: BaseException) -> Sentence | None:
        """The sentence that an error was raised with; None: it was raised with a plain text."""
        said = error.args[0] if error.args else None
        return said if isinstance(said, cls) else None
