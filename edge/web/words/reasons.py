"""What the words of the ledger mean to a person, in the language of a visit."""

from __future__ import annotations

from collections.abc import Callable

Gettext = Callable[[str], str]


def reject_words(reason: str | None, gettext: Gettext) -> str:
    """Why an item was rejected; a reason that this pilah does not know is given as it is."""
    _ = gettext
    return {
        "low_confidence": _("not sure"),
        "disagreement": _("pictures disagree"),
        "late": _("too late for its lane"),
        "unknown": _("like nothing it knows"),
        "unreadable": _("picture cannot be read"),
        "bad_picture": _("camera's picture is bad"),
        "contradicted": _("code says another thing"),
        "too_close": _("too close to another item"),
        "not_sorting": _("the station was not sorting"),
        "bin_full": _("the bin is full"),
    }.get(reason or "", reason or "")


def state_words(state: str, gettext: Gettext) -> str:
    """What the station is doing, from the state of its process or its state by PackML's name."""
    _ = gettext
    return {
        "starting": _("Starting"),
        "running": _("Sorting"),
        "stopping": _("Ending"),
        "Starting": _("Starting"),
        "Execute": _("Sorting"),
        "Held": _("Stopped for now"),
        "Suspended": _("Waiting"),
        "Idle": _("Ready, not started"),
        "Stopped": _("Stopped"),
        "Complete": _("All is sorted"),
        "Aborted": _("Emergency stop"),
    }.get(state, state)


def mode_words(mode: str, gettext: Gettext) -> str:
    """What the station is used for, from the name of its mode."""
    _ = gettext
    return {
        "Production": _("production"),
        "Maintenance": _("maintenance"),
        "Manual": _("setting up"),
    }.get(mode, mode)
