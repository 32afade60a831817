"""Lists names in a sentence: the first ones, and the number of the others."""

from __future__ import annotations

from collections.abc import Sequence

_NAMED = 4


def listed(names: Sequence[str]) -> str:
    """The names as words of a sentence; after the fourth, only the number of the others is given.

    >>> listed(["glass"]), listed(["glass", "metal"]), listed(list("abcdef"))
    ('glass', 'glass and metal', 'a, b, c, d and 2 more')
    """
    shown = list(names[:_NAMED])
    if len(names) > _NAMED:
        shown.append(f"{len(names) - _NAMED} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
