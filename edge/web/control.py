"""What the pages ask of the running station, at its socket; see `edge/control/client.py`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge.control.client import ask
from edge.control.messages import ControlCommand, ControlRequest
from edge.control.place import find_control
from edge.core.errors import ControlError, ControlRefusedError

_STATE_SECONDS = 0.5
"""How long a page waits for the state. One that comes later is shown with the next refresh."""


class StationControl:
    """The control socket of one station. Used by any thread."""

    def __init__(self, station: str, ledger: Path) -> None:
        """Asks nothing yet."""
        self._station, self._ledger = station, ledger

    def state(self, who: str) -> Mapping[str, Any] | None:
        """The state as `StateChanged` has it; None: the station does not say."""
        try:
            request = ControlRequest(ControlCommand.STATE, who)
            answer = ask(find_control(self._station, self._ledger), request, seconds=_STATE_SECONDS)
        except (ControlError, OSError):
            return None
        return answer.state if answer.ok else None

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
        request = ControlRequest(command, who, mode=mode, lane=lane, seconds=seconds)
        answer = ask(find_control(self._station, self._ledger), request)
        if not answer.ok:
            raise ControlRefusedError(answer.error)
