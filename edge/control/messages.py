"""What a running station is asked, and what it answers: one line of JSON each. Pure.

{"pilah": 1, "command": "pause", "who": "ana"}
{"ok": true, "state": {"state": "Held", "mode": "Production", "since": "...", ...}}
{"ok": false, "error": "a sentence that says why not"}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from edge.core.errors import ControlError

VERSION = 1
"""The edition of these messages."""
LONGEST_REQUEST = 4 * 1024
"""Bytes of a request, with its line end."""
LONGEST_ANSWER = 64 * 1024
"""Bytes of an answer, with its line end."""
_LONGEST_NAME = 200
"""Characters of `who`."""


class ControlCommand(StrEnum):
    """What a station can be asked for."""

    PAUSE = "pause"
    """Move nothing, and reject what is in view and what comes, until `resume`."""
    RESUME = "resume"
    """Sort on after `pause`, or begin to sort after `reset`."""
    RESET = "reset"
    """What had to be mended is mended: end the incidents that wait for this, or make a stopped
    station ready."""
    CLEAR = "clear"
    """What aborted the station is over: it is Stopped then, and moves nothing yet."""
    STATE = "state"
    """Only say the state."""


@dataclass(frozen=True, slots=True)
class ControlRequest:
    """A command, and who gives it."""

    command: ControlCommand
    who: str
    """The name of a person or of a program, for the ledger."""

    def line(self) -> bytes:
        """The request as it is sent."""
        return _line({"pilah": VERSION, "command": self.command.value, "who": self.who})


@dataclass(frozen=True, slots=True)
class ControlAnswer:
    """What a station answers."""

    ok: bool
    state: Mapping[str, Any] = field(default_factory=dict)
    """The state after the command; empty where it was refused."""
    error: str = ""
    """Why it was refused, as a whole sentence."""

    def line(self) -> bytes:
        """The answer as it is sent."""
        if self.ok:
            return _line({"ok": True, "state": dict(self.state)})
        return _line({"ok": False, "error": self.error})


def read_request(raw: bytes) -> ControlRequest:
    """The request that a line holds.

    Raises:
        ControlError: it holds none that this pilah knows.
    """
    found = _object(raw, LONGEST_REQUEST, "request")
    if (version := found.get("pilah")) != VERSION or isinstance(version, bool):
        raise ControlError(
            f"the request is of edition {version!r}, and this station reads edition {VERSION}: use "
            "the pilah-edge of the station"
        )
    try:
        command = ControlCommand(str(found.get("command")))
    except ValueError:
        known = ", ".join(ControlCommand)
        raise ControlError(
            f"there is no command {found.get('command')!r}: a station knows {known}"
        ) from None
    who = found.get("who")
    if not isinstance(who, str) or not who.strip() or not who.isprintable():
        raise ControlError(f"`who` must be the name of who gives the command. Received: {who!r}")
    if len(who) > _LONGEST_NAME:
        raise ControlError(f"`who` has {len(who)} characters, and {_LONGEST_NAME} are the most")
    return ControlRequest(command, who.strip())


def read_answer(raw: bytes) -> ControlAnswer:
    """The answer that a line holds.

    Raises:
        ControlError: it holds none.
    """
    found = _object(raw, LONGEST_ANSWER, "answer")
    if found.get("ok") is True and isinstance(found.get("state"), dict):
        return ControlAnswer(True, state=found["state"])
    if found.get("ok") is False and isinstance(found.get("error"), str):
        return ControlAnswer(False, error=found["error"])
    raise ControlError("the answer is not one of a station of pilah")


def _line(found: Mapping[str, Any]) -> bytes:
    return json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _object(raw: bytes, longest: int, what: str) -> dict[str, Any]:
    if len(raw) > longest or not raw.endswith(b"\n"):
        raise ControlError(f"the {what} must be one line of at most {longest} bytes")
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):  # bytes that are no UTF-8 are a ValueError, too
        raise ControlError(f"the {what} is not JSON") from None
    if not isinstance(found, dict):
        raise ControlError(f"the {what} must be a JSON object")
    return found
