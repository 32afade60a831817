"""Passes commands from MQTT on to the running station, and publishes the answers.

Only the broker decides who may give commands, by who may write to their topics. A message does not
prove who sent it.
"""

from __future__ import annotations

import json
import logging
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from edge.control.client import ask
from edge.control.messages import ControlAnswer, ControlCommand, ControlRequest
from edge.control.place import find_control
from edge.core.errors import ControlError
from edge.publish.mqtt.topics import ANSWER, COMMAND, Message, json_bytes, topic

_log = logging.getLogger(__name__)

COMMANDS = (
    ControlCommand.PAUSE, ControlCommand.RESUME, ControlCommand.RESET, ControlCommand.CLEAR,
)  # fmt: skip
"""The commands that are heard. The station does the first two of them only, and answers to the
others where they are given: who is far away does not see whose hands are in the machine. See
`FROM_AFAR` in `edge/state/keeper.py`."""
BUTTONS = (ControlCommand.PAUSE, ControlCommand.RESUME)
"""The commands for which Home Assistant is told of a button."""
_MOST = 16
"""The most commands that may wait for the station, which answers within milliseconds."""
_LONGEST_NAME = 100
"""The most characters of `who`."""
_BY = "MQTT"


class StationCommands:
    """Commands for one station; one thread adds them, and another passes them on."""

    def __init__(self, station: str, ledger: Path, prefix: str) -> None:
        """Has no commands yet.

        Args:
            station: the station's name.
            ledger: the path of its ledger, by which its socket is found.
            prefix: the first part of its topics: `pilah`.
        """
        self._station, self._ledger, self._prefix = station, ledger, prefix
        self._by_topic = {self.topic(command): command for command in COMMANDS}
        self._waiting: deque[tuple[ControlCommand, bytes]] = deque()

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics at which commands arrive."""
        return tuple(self._by_topic)

    @property
    def waiting(self) -> bool:
        """Whether a command is to be passed on to the station."""
        return bool(self._waiting)

    def topic(self, command: ControlCommand) -> str:
        """The topic of a command: `pilah/bin-1/command/pause`."""
        return topic(self._prefix, self._station, f"{COMMAND}/{command}")

    def take(self, heard: str, payload: bytes, *, retained: bool) -> None:
        """Takes a message of one of `topics`, and ignores every other; does not wait.

        A retained message is ignored as well: the command was given some time ago, and the broker
        would repeat it with every connection.
        """
        command = self._by_topic.get(heard)
        if command is None:
            return
        if retained:
            _log.warning(f"warning    the command {command} in {heard} is retained, and ignored")
        elif len(self._waiting) >= _MOST:
            _log.warning(f"warning    {_MOST} commands wait already, and {command} is left out")
        else:
            self._waiting.append((command, payload))

    def pass_on(self) -> Iterator[Message]:
        """Passes each command on to the station, and gives its answer as a message to publish.

        Raises nothing: if the station does not run, the answer says so.
        """
        while self._waiting:
            command, payload = self._waiting.popleft()
            who = None
            try:
                who = _who(payload)
                path = find_control(self._station, self._ledger)
                answer = ask(path, ControlRequest(command, who, remote=True))
            except (ControlError, OSError) as error:  # an OSError: the station is not reached
                answer = ControlAnswer(False, error=str(error))
            said = "done" if answer.ok else answer.error
            _log.info(f"command    {command} by {who or _BY}: {said}")
            told = {"ok": True, "state": answer.state} if answer.ok else {
                "ok": False, "error": answer.error
            }  # fmt: skip
            yield Message(
                topic(self._prefix, self._station, ANSWER),
                json_bytes({"command": command.value, "who": who, **told}),
            )


def _who(payload: bytes) -> str:
    """The name of who gives a command, from `who` of the message; `MQTT` if it has no `who`.

    Raises:
        ControlError: `who` is no name.
    """
    try:
        found = json.loads(payload)
    except (ValueError, RecursionError):
        found = None
    name = found.get("who") if isinstance(found, dict) else None
    if name is None:
        return _BY
    if (
        not isinstance(name, str)
        or not name.strip()
        or not name.isprintable()
        or len(name) > _LONGEST_NAME
    ):
        raise ControlError(f"`who` must be a name of {_LONGEST_NAME} characters at most")
    return f"{name.strip()} by {_BY}"
