"""What `pilah-edge doctor` finds: a line for each part, with what to do where it is not well."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Health(StrEnum):
    """How a part is."""

    OK = "ok"
    WARNING = "warning"
    """It sorts, but should be looked after."""
    BAD = "bad"
    """It does not sort, or not rightly."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of what was found."""

    part: str
    """In a word: camera, clock."""
    state: Health
    said: str
    advice: str = ""
    """What to do; empty where nothing is to be done."""

    def __str__(self) -> str:
        advice = f": {self.advice}" if self.advice else ""
        return f"{self.state:<8} {self.part:<10} {self.said}{advice}"


def ok(part: str, said: str) -> Finding:
    """It is as it should be."""
    return Finding(part, Health.OK, said)


def warning(part: str, said: str, advice: str = "") -> Finding:
    """It works, but should be looked after."""
    return Finding(part, Health.WARNING, said, advice)


def bad(part: str, said: str, advice: str = "") -> Finding:
    """It does not work."""
    return Finding(part, Health.BAD, said, advice)
