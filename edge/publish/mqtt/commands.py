"""Commands that come by MQTT: each is handed to the running station, and its answer is published.

Who may command is decided by the broker, which knows who may write the topics; nothing of a message
proves who sent it.
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

COMMANDS = tuple(command for command in ControlCommand if command is not ControlCommand.STATE)
"""What can be commanded; the state is published anyway."""
_MOST = 16
"""Commands that may wait for the station, which answers within milliseconds."""
_LONGEST_NAME = 100
"""Characters of `who`."""
_BY = "MQTT"


class StationCommands:
    """Takes commands from the thread of the connection's library, and hands them to the station in
    another."""

    def __init__(self, station: str, ledger: Path, prefix: str) -> None:
        """Nothing was commanded.

        Args:
            ledger: the station's ledger, which tells its socket from that of others.
            prefix: what the topics begin with: `pilah`.
        """
        self._station, self._ledger, self._prefix = station, ledger, prefix
        self._by_topic = {self.topic(command): command for command in COMMANDS}
        self._waiting: deque[tuple[ControlCommand, bytes]] = deque()

    @property
    def topics(self) -> tuple[str, ...]:
        """Where commands are heard."""
        return tuple(self._by_topic)

    @property
    def waiting(self) -> bool:
        """Whether a command is to be handed to the station."""
        return bool(self._waiting)

    def topic(self, command: ControlCommand) -> str:
        """Where a command is given: `pilah/bin-1/command/pause`."""
        return topic(self._prefix, self._station, f"{COMMAND}/{command}")

    def take(self, heard: str, payload: bytes, *, retained: bool) -> None:
        """Takes a message of one of `topics`, and ignores any other; does not wait.

        One that the broker has kept is ignored, too: it was given some time ago, and would be given
        again with each connection.
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

    def hand_over(self) -> Iterator[Message]:
        """Gives each command that waits to the station; what to publish of it.

        Nothing is raised: where the station does not run, the answer says so.
        """
        while self._waiting:
            command, payload = self._waiting.popleft()
            who = None
            try:
                who = _who(payload)
                path = find_control(self._station, self._ledger)
                answer = ask(path, ControlRequest(command, who))
            except (ControlError, OSError) as error:  # the latter: nobody is reached
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
    """Who gives a command, by what the message says; a button says nothing of it.

    Raises:
        ControlError: what it says is no name.
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
