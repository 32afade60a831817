"""Has a running station load the bundle that its file names now."""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

from edge.control.client import ask
from edge.control.messages import ControlCommand, ControlRequest
from edge.control.place import find_control
from edge.core.errors import ControlError, ControlUnreachableError

PATIENCE_SECONDS = 150.0
"""How long a station may take: the trial of a model that nobody signed may last 110 seconds."""
_LOOK_SECONDS = 0.1


class ReloadedBundle(NamedTuple):
    """The bundle by which a running station sorts after it was told to load its bundle anew."""

    bundle: str
    """Its name and version."""
    digest: str
    refused: str
    """Why it is not the one that is installed; empty: it is."""


def reload_bundle(
    station: str, ledger: Path, who: str, *, seconds: float = PATIENCE_SECONDS
) -> ReloadedBundle:
    """Has the running station with this name and ledger load its bundle anew, and waits for that.

    Args:
        who: gives the command, for the station's log.
        seconds: how long it may take.

    Raises:
        ControlUnreachableError: it does not run, does not answer, or this user may not ask.
        ControlError: it is of another pilah, which does not know this command.
    """
    until, path = time.monotonic() + seconds, find_control(station, ledger)
    answer = ask(path, ControlRequest(ControlCommand.RELOAD_BUNDLE, who))
    if not answer.ok:
        raise ControlError(answer.error)
    order = answer.shown["order"]
    while time.monotonic() < until:
        found = ask(path, ControlRequest(ControlCommand.BUNDLE, who)).shown
        if found["done"] >= order:
            return ReloadedBundle(found["bundle"], found["bundle_digest"], found["refused"])
        time.sleep(_LOOK_SECONDS)
    raise ControlUnreachableError(
        f"the station has neither loaded nor refused the bundle within {seconds:g} s: see its log"
    )
