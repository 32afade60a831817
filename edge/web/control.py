"""What the pages ask of the running station, at its socket; see `edge/control/client.py`."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edge.control.client import ANSWER_SECONDS, ask
from edge.control.messages import ControlAnswer, ControlCommand, ControlRequest
from edge.control.place import find_control
from edge.core.errors import ControlError, ControlRefusedError
from edge.telemetry.newest_log import LogLine

_STATE_SECONDS = 0.5
"""How long a page waits for the state. One that comes later is shown with the next refresh."""
_PICTURE_SECONDS = 0.2
"""How long one picture serves all who look."""


class StationControl:
    """The control socket of one station. Used by any thread."""

    def __init__(self, station: str, ledger: Path) -> None:
        """Asks nothing yet."""
        self._station, self._ledger = station, ledger
        self._alone = threading.Lock()
        self._picture: tuple[float, Mapping[str, Any]] = (-math.inf, {})

    def state(self, who: str) -> Mapping[str, Any] | None:
        """The state as `StateChanged` has it; None: the station does not say."""
        try:
            request = ControlRequest(ControlCommand.STATE, who)
            answer = ask(find_control(self._station, self._ledger), request, seconds=_STATE_SECONDS)
        except (ControlError, OSError):
            return None
        return answer.state if answer.ok else None

    def picture(self, who: str) -> Mapping[str, Any]:
        """The newest picture of the camera, for all who look at the same time; empty: the station
        shows none. See `LivePicture.newest`.

        One thread asks at a time, and others are given what it was answered last: a station that
        hangs must not hold up those that answer pages.
        """
        if self._alone.acquire(blocking=False):
            try:
                if time.monotonic() - self._picture[0] >= _PICTURE_SECONDS:
                    self._picture = time.monotonic(), self._new_picture(who)
            finally:
                self._alone.release()
        asked, found = self._picture
        if not found:
            return found
        return {**found, "age_seconds": found["age_seconds"] + time.monotonic() - asked}

    def _new_picture(self, who: str) -> Mapping[str, Any]:
        try:
            request = ControlRequest(ControlCommand.PICTURE, who)
            return self._asked(request, seconds=_STATE_SECONDS).shown
        except (ControlError, ControlRefusedError, OSError):
            return {}

    def log(self, who: str) -> Sequence[LogLine] | None:
        """The newest lines of the station's log, the newest first; None: it does not tell."""
        try:
            request = ControlRequest(ControlCommand.LOG, who)
            found = self._asked(request, seconds=_STATE_SECONDS).shown
        except (ControlError, ControlRefusedError, OSError):
            return None
        return [LogLine(**line) for line in found["lines"]]

    def inputs(self, who: str) -> Sequence[Mapping[str, Any]] | None:
        """How each pin stands that the station reads; None: it does not tell."""
        try:
            request = ControlRequest(ControlCommand.INPUTS, who)
            found = self._asked(request, seconds=_STATE_SECONDS).shown
        except (ControlError, ControlRefusedError, OSError):
            return None
        return list(found["inputs"])

    def told(self, command: ControlCommand, who: str, *, label: str = "") -> Mapping[str, Any]:
        """What the station tells when it is asked for something beside its state.

        Raises:
            ControlRefusedError: it does not, or is of a pilah that knows no such question.
            ControlUnreachableError: it cannot be asked.
        """
        return self._asked(ControlRequest(command, who, label=label)).shown

    def command(
        self,
        command: ControlCommand,
        who: str,
        *,
        mode: str = "",
        lane: str = "",
        seconds: float | None = None,
    ) -> None:
        """Has the station do something.

        Args:
            mode, lane, seconds: see ControlRequest.

        Raises:
            ControlRefusedError: it does not, because of its state.
            ControlUnreachableError: it cannot be asked.
        """
        self._asked(ControlRequest(command, who, mode=mode, lane=lane, seconds=seconds))

    def _asked(self, request: ControlRequest, *, seconds: float = ANSWER_SECONDS) -> ControlAnswer:
        answer = ask(find_control(self._station, self._ledger), request, seconds=seconds)
        if not answer.ok:
            raise answer.refusal()
        return answer
