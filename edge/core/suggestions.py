"""Suggestions for a word or path that is not known: "Did you mean X?"."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_OPPOSITES = frozenset(
    frozenset(pair.split("/"))
    for pair in (
        "high/low", "on/off", "min/max", "minimum/maximum", "left/right", "top/bottom", "up/down",
        "open/close", "opened/closed", "first/last", "begin/end", "start/stop", "start/end",
        "enable/disable", "enabled/disabled", "with/without", "horizontal/vertical",
        "rest/active", "include/exclude", "keep/drop", "before/after", "width/height",
        "fast/slow", "lower/upper", "raise/lower", "above/below", "inner/outer", "in/out",
        "true/false", "yes/no", "allow/deny", "accept/reject", "hot/cold", "full/empty",
        "new/old", "positive/negative", "good/bad", "always/never", "pull/push", "clear/dirty",
        "more/less", "more/fewer", "front/back", "forward/backward", "short/long", "wet/dry",
        "dark/light", "black/white", "known/unknown", "valid/invalid",
    )
)  # fmt: skip
"""Pairs of words with opposite meanings."""
_NEGATIONS = frozenset(
    ("no", "not", "non", "never", "without", "disable", "disabled", "ignore", "skip", "invert",
     "inverted", "inverse", "reverse", "reversed", "anti")
)  # fmt: skip
_PREFIXES = ("un", "non", "in", "im", "dis", "not", "no", "de")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A known word that is similar to the word that was written."""

    word: str
    opposite: bool
    """True if it means the opposite, so that using it would reverse the meaning."""


def closest(name: object, known: Iterable[str], *, cutoff: float = 0.6) -> Suggestion | None:
    """The known word that is most similar to `name`; None if no word is similar enough.

    A word with the opposite meaning is returned only if there is no other.

    Args:
        name: the word that was written; a value that is not text is converted to text.
        cutoff: the least similarity, from 0 to 1 (`difflib.SequenceMatcher.ratio`).
    """
    lower = {word.lower(): word for word in known}
    written = str(name).lower()[:200]  # difflib takes time with the square of the length
    found = difflib.get_close_matches(written, list(lower), n=5, cutoff=cutoff)
    for word in found:
        if not are_opposite(written, word):
            return Suggestion(lower[word], opposite=False)
    return Suggestion(lower[found[0]], opposite=True) if found else None


def did_you_mean(name: object, known: Iterable[str], *, listing: bool = True) -> str:
    """The sentence `. Did you mean X?` if a known name is similar, else a list of known names.

    It begins with a full stop, to be added to a message. If the similar name means the opposite,
    the sentence says so.
    """
    known = list(known)
    close = closest(name, known)
    if close is not None and close.opposite:
        return f". There is {close.word}, which means the opposite"
    if close is not None:
        return f". Did you mean {close.word}?"
    return f". Known: {', '.join(known)}" if listing and known else ""


def similar_path(path: Path) -> str:
    """`. Did you mean PATH?` if the folder has a file of a similar name, else an empty text."""
    try:
        names = [entry.name for entry in path.parent.iterdir()]
    except OSError:  # the folder does not exist, or this user may not read it
        names = []
    close = difflib.get_close_matches(path.name, names, n=1)
    return f". Did you mean {path.parent / close[0]}?" if close else ""


def are_opposite(one: str, other: str) -> bool:
    """Whether two names differ by a word that reverses the meaning, such as low and high.

    Example:
        are_opposite("active_low", "active_high")  # True
        are_opposite("unripe", "ripe")  # True
        are_opposite("active_hihg", "active_high")  # False
    """
    first, second = _parts(one), _parts(other)
    left, right = first - second, second - first
    if any(frozenset((a, b)) in _OPPOSITES for a in left for b in right):
        return True
    if (left ^ right) & _NEGATIONS:
        return True
    return any(
        a == prefix + b or b == prefix + a for a in left for b in right for prefix in _PREFIXES
    )


def _parts(name: str) -> set[str]:
    return {part for part in re.split(r"[^a-z0-9]+", name.lower()) if part}
