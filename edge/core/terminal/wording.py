"""Numbers with their nouns in a sentence, and lists of the first names of many."""

from __future__ import annotations

import re
from collections.abc import Sequence

_IN_A_SENTENCE, _IN_A_LIST = 4, 5
"""The most names that are given."""
_REST = re.compile(r" (?:of|in|to|that|with|without) ")
"""What follows the nouns of a phrase begins with such a word."""
_SINGULAR_VERBS = {" are": " is", " have": " has"}
_PLURAL = re.compile(r"(?<![\w.])[a-z]+s\b")


def number_of(count: int, things: str, *, verb: str = "") -> str:
    """A number with what is counted: "1,234 pictures", "1 picture".

    Args:
        count: the number.
        things: what is counted, in the plural. For one, its nouns in lower case that end in `s`
            become singular.
        verb: a verb in the plural that follows, such as "are".

    >>> number_of(3, "broken links"), number_of(1, "broken links"), number_of(1, "classes")
    ('3 broken links', '1 broken link', '1 class')
    >>> number_of(1, ".xls files"), number_of(1, "copies of pictures")
    ('1 .xls file', '1 copy of pictures')
    >>> number_of(3, "pictures", verb="have"), number_of(1, "pictures", verb="have")
    ('3 pictures have', '1 picture has')
    """
    verb = f" {verb}" if verb else ""
    if count == 1:
        verb = verb and _SINGULAR_VERBS.get(verb, f"{verb}s")
        rest = _REST.search(things)
        end = rest.start() if rest else len(things)
        things = _PLURAL.sub(lambda word: _singular(word.group()), things[:end]) + things[end:]
    return f"{count:,} {things}{verb}"


def in_a_sentence(names: Sequence[str]) -> str:
    """The names as words of a sentence; after the fourth, only the number of the others is given.

    >>> in_a_sentence(["glass"]), in_a_sentence(["glass", "metal"]), in_a_sentence(list("abcdef"))
    ('glass', 'glass and metal', 'a, b, c, d and 2 more')
    """
    shown = list(names[:_IN_A_SENTENCE])
    if len(names) > _IN_A_SENTENCE:
        shown.append(f"{len(names) - _IN_A_SENTENCE:,} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def in_a_list(names: Sequence[str]) -> str:
    """The first five names with commas between them, and the number of the others.

    >>> in_a_list(["glass", "metal"]), in_a_list(list("abcdefg"))
    ('glass, metal', 'a, b, c, d, e and 2 more')
    """
    more = len(names) - _IN_A_LIST
    return ", ".join(names[:_IN_A_LIST]) + (f" and {more:,} more" if more > 0 else "")


def _singular(noun: str) -> str:
    if noun.endswith("ies"):
        return f"{noun[:-3]}y"
    if noun.endswith("sses"):
        return noun[:-2]
    return noun.removesuffix("s")
