"""Why the station refused something, or did not answer, in the language of a visit."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from edge.core.errors import PilahError
from edge.core.terminal.sentence import Sentence
from edge.state.incidents.kinds import INCIDENTS
from edge.web.words.reasons import mode_words, state_words

Gettext = Callable[[str], str]


class StationWords(NamedTuple):
    """What the station says."""

    text: str
    foreign: bool
    """Whether it is in English, whatever the language is: a station of a newer pilah may say what
    these pages do not know."""


def station_words(error: PilahError, gettext: Gettext, name: Callable[[str], str]) -> StationWords:
    """The words of a refusal, or of no answer.

    Args:
        error: a ControlRefusedError, or a ControlUnreachableError.
        gettext: translates a text of the pages.
        name: what a lane is called.
    """
    sentence = Sentence.of(error)
    if sentence is None or gettext(sentence.text) == sentence.text:
        return StationWords(str(error), foreign=True)
    return StationWords(
        sentence.said(gettext, lambda key, value: _value(key, value, gettext, name)), foreign=False
    )


def _value(key: str, value: str, gettext: Gettext, name: Callable[[str], str]) -> str:
    _ = gettext
    words: dict[str, Callable[[str], str]] = {
        # A state may have its reason behind it: `Held (paused)`.
        "state": lambda part: state_words(part.partition(" (")[0], gettext),
        "mode": lambda part: mode_words(part, gettext),
        "lane": name,
        "incident": lambda part: _cause(part, gettext),
        "limit": lambda part: {
            "the limit of moves by hand": _("the limit of moves by hand")
        }.get(part, part),
    }  # fmt: skip
    found = words.get(key.removesuffix("s"))
    return value if found is None else ", ".join(found(part) for part in value.split(", "))


def _cause(incident: str, gettext: Gettext) -> str:
    kind = INCIDENTS.get(incident)
    return incident if kind is None else gettext(kind.cause).removesuffix(".")
