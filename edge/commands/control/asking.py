"""What the verbs that command a running station share."""

from __future__ import annotations

import argparse
import os
import pwd
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.core.command_line import print_json
from edge.core.errors import EXIT_OK
from edge.core.terminal.speech import write_out

if TYPE_CHECKING:
    from edge.control.messages import ControlCommand, ControlRequest

_NEXT: Mapping[str, str] = {
    "Stopped": "`pilah-edge reset` makes it ready. Before somebody reaches into it: `pilah-edge "
    "mode` to maintenance, in which nobody starts it",
    "Complete": "`pilah-edge reset` makes it ready",
    "Idle": "`pilah-edge resume` lets it sort",
}
"""What to do next, by the state."""
_BY_HAND: Mapping[str, str] = {
    "Stopped": "`pilah-edge lane move` moves a lane; `pilah-edge mode` back to production, then "
    "`reset` and `resume`, let it sort",
    "Idle": "`pilah-edge lane move` moves a lane; `pilah-edge mode` back to production, then "
    "`resume`, let it sort",
}
"""The same in maintenance and manual."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What each of these verbs takes."""
    parser.add_argument("station", type=Path, metavar="STATION.yaml", help="station file")
    parser.add_argument("--json", action="store_true", help="the state as one JSON object")


def run(arguments: argparse.Namespace, command: ControlCommand, *, mode: str = "") -> int:
    """Gives the station of the file `arguments.station` a command, and shows the state after it.

    Args:
        mode: see ControlRequest.

    Raises:
        ConfigError: the file's name of the station, or its ledger, is wrong.
        ControlUnreachableError: the station does not run, or does not answer.
        ControlRefusedError: its state does not allow that.
    """
    from edge.control.messages import ControlRequest

    name, state = asked(arguments.station, ControlRequest(command, user_name(), mode=mode))
    if arguments.json:
        print_json(state)
    else:
        write_out(f"{name} is {state_words(state)}\n")
        next_steps = _NEXT if state.get("mode") == "Production" else _BY_HAND
        advice = next_steps.get(str(state.get("state")))
        if advice is not None:
            write_out(f"{advice}\n")
    return EXIT_OK


def asked(station: Path, request: ControlRequest) -> tuple[str, Mapping[str, Any]]:
    """The name of the station of a station file, and its state after it did what it was asked for.

    Raises:
        ConfigError: the file's name of the station, or its ledger, is wrong.
        ControlUnreachableError: the station does not run, or does not answer.
        ControlRefusedError: its state does not allow that.
    """
    from edge.config.reading import read_part
    from edge.config.station import RecordsConfig
    from edge.control.client import ask
    from edge.control.place import find_control

    _, config = read_part(station, RecordsConfig)
    answer = ask(find_control(config.station, config.ledger.path), request)
    if not answer.ok:
        raise answer.refusal()
    return config.station, answer.state


def user_name() -> str:
    """The login of who runs this program, as the system knows it; before `sudo`, not after."""
    number = os.getuid()
    before = os.environ.get("SUDO_UID", "")
    if number == 0 and before.isdecimal():
        number = int(before)
    try:
        return pwd.getpwuid(number).pw_name
    except (KeyError, OverflowError):
        return f"user {number}"


def state_words(state: Mapping[str, Any]) -> str:
    """A state as words: `Held since 2026-11-30T04:12:07Z: paused by ana`."""
    words = f"{state.get('state')} since {str(state.get('since'))[:19]}Z"
    if state.get("mode") != "Production":
        words = f"{words} (mode {state.get('mode')})"
    if reason := state.get("reason"):
        words += f": {reason}" + (f" {state['scope']}" if state.get("scope") else "")
    if who := state.get("who"):
        words += f"{'' if reason else ':'} by {who}"
    if (first := state.get("first")) and first != reason:
        words += f" (first {first})"
    return words
