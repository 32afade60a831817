"""The findings of `pilah-edge doctor`: one line for each part, with advice if it is not well."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from edge.core.terminal.sentence import Sentence


class Health(StrEnum):
    """The state of a part of the station."""

    OK = "ok"
    WARNING = "warning"
    """The station sorts, but the part needs attention."""
    BAD = "bad"
    """The station does not sort, or sorts wrongly."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report: the state of one part."""

    part: str
    """The part in one word, such as camera or clock."""
    state: Health
    said: str | Sentence
    """A Sentence where the operator's pages say it, too."""
    advice: str | Sentence = ""
    """What the operator should do; empty if nothing."""

    def __str__(self) -> str:
        advice = f": {self.advice}" if self.advice else ""
        return f"{self.state:<8} {self.part:<10} {self.said}{advice}"


def ok(part: str, said: str | Sentence) -> Finding:
    """A finding for a part that is as it should be."""
    return Finding(part, Health.OK, said)


def warning(part: str, said: str | Sentence, advice: str | Sentence = "") -> Finding:
    """A finding for a part that works but needs attention."""
    return Finding(part, Health.WARNING, said, advice)


def bad(part: str, said: str | Sentence, advice: str | Sentence = "") -> Finding:
    """A finding for a part that does not work."""
    return Finding(part, Health.BAD, said, advice)
