"""Error messages for values of a YAML file, in words for the person who wrote the file."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails, PydanticCustomError

from edge.core.redaction import redacted_value
from edge.core.suggestions import closest, did_you_mean
from edge.core.yaml_text import number_advice, smaller_unit_advice, unit_advice

Location = tuple[int | str, ...]
"""The keys and list indices that lead to a value."""


@dataclass(frozen=True, slots=True)
class FileProblem:
    """One mistake in a file."""

    location: Location
    message: str
    """What is wrong, what was received and what to do, without the place."""
    passing: bool = False
    """True if the problem may go away without a change of the file."""


def problem_of(
    details: ErrorDetails, section: type[BaseModel] | None, *, value: Callable[[Location], Any]
) -> FileProblem:
    """A problem that pydantic found, in words for the person who wrote the file.

    Args:
        details: one of the errors of a ValidationError.
        section: the model that was expected at the place of the mistake; None if not known.
        value: returns the value at a location of the file, or None if there is none.
    """
    location, received = details["loc"], details["input"]
    kind = details["type"]
    if kind == "extra_forbidden" and section is not None:
        return unknown_key(location, received, section)
    if kind == "missing" and section is not None:
        description = section.model_fields[str(location[-1])].description
        return FileProblem(location, f"missing: {description}")
    if location[-1:] == ("[key]",) or kind == "invalid_key":
        location = location[:-1] if kind != "invalid_key" else location
        if isinstance(received, int) and value(location) is None:
            # In {alpha: 0,35} the comma ends the value: 35 is a key without one.
            return FileProblem(location, "a comma ends a value: a decimal number has a point, 0.35")
        advice = f'put the name in quotes: "{received}"'
        return FileProblem(location, f"YAML does not read this name as text: {advice}")
    message = re.sub(r"^(Input|String|List|Dictionary|Value) should ", "must ", details["msg"])
    if kind in ("model_type", "dict_type"):
        message = "must be `key: value` lines"
    elif kind == "list_type":
        message = "must be a list, for example [a, b]"
    advice = ""
    if kind == "string_type" and not isinstance(received, dict | list | None):
        advice = ": put it in quotes"
    elif kind in ("int_type", "float_type") and isinstance(received, str):
        advice = number_advice(received) or unit_advice(location[-1], received)
    elif kind == "less_than_equal" and isinstance(received, int | float):
        advice = smaller_unit_advice(location[-1], received, details.get("ctx", {})["le"])
    elif kind in ("int_type", "int_from_float") and isinstance(received, float):
        advice = f": write {received:.0f}" if received.is_integer() else ""
    elif kind == "bool_type":
        advice = _bool_advice(received)
    if kind == "literal_error" and "did you mean" not in message:
        advice = did_you_mean(received, re.findall(r"'([^']*)'", message), listing=False)
    if kind == "advised":  # the message is complete
        return FileProblem(location, message)
    return FileProblem(location, f"{message}. Received: {shown(received)}{advice}")


def advised(message: str) -> PydanticCustomError:
    """The error for a validator whose message already says what was received and what to do."""
    return PydanticCustomError("advised", "{message}", {"message": message})


def unknown_key(location: Location, received: object, section: type[BaseModel]) -> FileProblem:
    """The problem of a key that `section` does not have, with advice on what to write."""
    return FileProblem(location, f"unknown key{_key_advice(location[-1], received, section)}")


def _key_advice(key: object, received: object, section: type[BaseModel]) -> str:
    """Advice on what to write instead of an unknown key."""
    known = section.model_fields
    close = closest(key, known)
    if close is not None and close.opposite and known[close.word].annotation is bool:
        # Not the name alone, because with the same value it would mean the opposite.
        value = f": {str(not received).lower()}" if isinstance(received, bool) else ""
        return f". There is {close.word}, which means the opposite: write {close.word}{value}"
    return did_you_mean(key, known)


def _bool_advice(received: object) -> str:
    word = str(received).lower()
    if word in ("yes", "on", "y", "1", "true"):
        return ": write true"
    return ": write false" if word in ("no", "off", "n", "0", "false") else ": write true or false"


def dotted(location: Location) -> str:
    parts = [str(redacted_value(part)) for part in location]
    return ".".join(parts) + ": " if location else ""


def shown(received: Any) -> str:
    """A value for a message: with passwords hidden, and cut if it is long."""
    text = repr(redacted_value(received))
    return text if len(text) <= 80 else f"{text[:77]}..."
