"""What a running station is asked, and what it answers: one line of JSON each. Pure.

{"pilah": 1, "command": "pause", "who": "ana"}
{"pilah": 1, "command": "mode", "who": "ana", "mode": "Maintenance"}
{"pilah": 1, "command": "move-lane", "who": "ana", "lane": "warm", "seconds": 0.4}
{"ok": true, "state": {"state": "Held", "mode": "Production", "since": "...", ...}}
{"ok": true, "state": {}, "shown": {"jpeg": "...", "age_seconds": 0.1, ...}}
{"ok": false, "error": "the station is not paused: it is Stopped",
 "sentence": {"text": "the station is not paused: it is {state}", "values": {"state": "Stopped"}}}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from edge.core.errors import ControlError, ControlRefusedError, PilahError
from edge.core.terminal.sentence import Sentence

VERSION = 1
"""The edition of these messages."""
LONGEST_REQUEST = 4 * 1024
"""Bytes of a request, with its line end."""
LONGEST_ANSWER = 256 * 1024
"""Bytes of an answer, with its line end. The longest has a picture in it."""
_LONGEST_SECONDS = 1e6
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
    STOP = "stop"
    """Move nothing, and reject what comes, until `reset` and `resume`; the program goes on."""
    MODE = "mode"
    """Change the mode to `mode`: Production, Maintenance or Manual."""
    MOVE_LANE = "move-lane"
    """Move the actuator of `lane` once, by hand."""
    STATE = "state"
    """Only say the state."""
    PICTURE = "picture"
    """Show the newest picture of the camera, reduced, with what is in view; see
    `edge/teaching/live_picture.py`."""
    TAKE = "take"
    """Keep the next picture as one of `label`, to train with; see
    `edge/teaching/labelled_pictures.py`."""
    DISCARD = "discard"
    """Delete the picture that was taken last."""
    LOG = "log"
    """Tell the newest lines of the log; see `edge/telemetry/newest_log.py`."""
    RELOAD_BUNDLE = "reload-bundle"
    """Load the bundle anew that the station file names; see `edge/rollout/reloading.py`."""
    BUNDLE = "bundle"
    """Tell by which bundle the station sorts, and what came of the last `reload-bundle`."""
    INPUTS = "inputs"
    """Tell how each pin stands that is read; see `edge/teaching/inputs.py`."""
    TAUGHT = "taught"
    """Tell of the pictures that were taken, and what came of the last `take` or `discard`."""


@dataclass(frozen=True, slots=True)
class ControlRequest:
    """A command, and who gives it."""

    command: ControlCommand
    who: str
    """The name of a person or of a program, for the ledger."""
    mode: str = ""
    """For `mode`: its name."""
    lane: str = ""
    """For `move-lane`: the lane's name."""
    seconds: float | None = None
    """For `move-lane`: for how long its actuator is active; None: for its hold time."""
    label: str = ""
    """For `take`: what the picture shows."""
    remote: bool = False
    """Whether who gives the command may be far from the machine: what was stopped there stays
    stopped then."""

    def line(self) -> bytes:
        """The request as it is sent."""
        found = {"mode": self.mode, "lane": self.lane, "seconds": self.seconds,
                 "label": self.label, "remote": self.remote}  # fmt: skip
        more = {key: value for key, value in found.items() if value not in ("", None, False)}
        return _line({"pilah": VERSION, "command": self.command.value, "who": self.who, **more})


@dataclass(frozen=True, slots=True)
class ControlAnswer:
    """What a station answers."""

    ok: bool
    state: Mapping[str, Any] = field(default_factory=dict)
    """The state after the command; empty where it was refused."""
    error: str = ""
    """Why it was refused, as a whole sentence in English."""
    sentence: Sentence | None = None
    """The same, so that it can be said in another language; None: `error` alone says it."""
    shown: Mapping[str, Any] = field(default_factory=dict)
    """What was asked for beside the state: a picture, or what came of a `take`."""

    @classmethod
    def refusing(cls, error: PilahError) -> ControlAnswer:
        """The answer to what is refused because of `error`."""
        return cls(False, error=str(error), sentence=Sentence.of(error))

    def refusal(self) -> ControlRefusedError:
        """The error of who was refused this."""
        return ControlRefusedError(self.error if self.sentence is None else self.sentence)

    def line(self) -> bytes:
        """The answer as it is sent."""
        if self.ok:
            shown = {"shown": dict(self.shown)} if self.shown else {}
            return _line({"ok": True, "state": dict(self.state), **shown})
        more = {} if self.sentence is None else {"sentence": self.sentence.as_json()}
        return _line({"ok": False, "error": self.error, **more})


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
    return ControlRequest(
        command,
        who.strip(),
        mode=_name(found, "mode") if command is ControlCommand.MODE else "",
        lane=_name(found, "lane") if command is ControlCommand.MOVE_LANE else "",
        seconds=_seconds(found) if command is ControlCommand.MOVE_LANE else None,
        label=_name(found, "label") if command is ControlCommand.TAKE else "",
        remote=_is_remote(found),
    )


def read_answer(raw: bytes) -> ControlAnswer:
    """The answer that a line holds.

    Raises:
        ControlError: it holds none.
    """
    found = _object(raw, LONGEST_ANSWER, "answer")
    if found.get("ok") is True and isinstance(found.get("state"), dict):
        shown = found.get("shown")
        return ControlAnswer(True, found["state"], shown=shown if isinstance(shown, dict) else {})
    if found.get("ok") is False and isinstance(found.get("error"), str):
        sentence = Sentence.from_json(found.get("sentence"))
        return ControlAnswer(False, error=found["error"], sentence=sentence)
    raise ControlError("the answer is not one of a station of pilah")


def _name(found: Mapping[str, Any], key: str) -> str:
    name = found.get(key)
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
        raise ControlError(f"`{key}` must be a name. Received: {str(name)[:_LONGEST_NAME]!r}")
    return name


def _is_remote(found: Mapping[str, Any]) -> bool:
    remote = found.get("remote", False)
    if not isinstance(remote, bool):
        raise ControlError(f"`remote` must be true or false. Received: {remote!r}")
    return remote


def _seconds(found: Mapping[str, Any]) -> float | None:
    seconds = found.get("seconds")
    if seconds is None:
        return None
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if not is_number or not 0 < seconds < _LONGEST_SECONDS:
        raise ControlError(f"`seconds` must be a number above 0. Received: {seconds!r}")
    return float(seconds)


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
