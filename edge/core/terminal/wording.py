"""Numbers with their nouns and verbs in a sentence, singular for one."""

from __future__ import annotations

import re

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


def _singular(noun: str) -> str:
    if noun.endswith("ies"):
        return f"{noun[:-3]}y"
    if noun.endswith("sses"):
        return noun[:-2]
    return noun.removesuffix("s")
