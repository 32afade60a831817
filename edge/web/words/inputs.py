"""The inputs of a station and how they stand, in the language of a visit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

Gettext = Callable[[str], str]


class InputWords(NamedTuple):
    """An input on a page."""

    name: str
    pin: int
    active: bool | None
    """None: it is not read, as an encoder on mock pins, or cannot be."""
    now: str
    """How it stands."""
    level: str
    """The level of its pin; empty: it is not read."""


def input_words(
    found: Mapping[str, Any], gettext: Gettext, name: Callable[[str], str]
) -> InputWords:
    """An input, as `shown_inputs` in `edge/teaching/inputs.py` tells of it.

    Args:
        gettext: translates a text of the pages.
        name: what a lane is called.
    """
    _ = gettext
    kind, active = str(found["kind"]), found["active"]
    if active is None:
        now, level = _("not read"), ""
    else:
        now = _now(kind, active, _)
        level = _("high") if active == found["active_high"] else _("low")
    return InputWords(_name(kind, str(found["lane"]), _, name), found["pin"], active, now, level)


def _name(kind: str, lane: str, _: Gettext, name: Callable[[str], str]) -> str:
    said = {
        "emergency_stop": _("Emergency stop"),
        "bin": _("Full bin"),
        "exit": _("Exit"),
        "encoder": _("Encoder of the belt"),
        "home": _("Home switch"),
        "end": _("End switch"),
        "beam": _("Light barrier at the camera"),
        "button": _("Button at the camera"),
    }.get(kind, kind)
    return f"{said}: {name(lane)}" if lane else said


def _now(kind: str, active: bool, _: Gettext) -> str:
    words = {
        "emergency_stop": (_("pressed"), _("not pressed")),
        "button": (_("pressed"), _("not pressed")),
        "home": (_("reached"), _("not reached")),
        "end": (_("reached"), _("not reached")),
        "bin": (_("sees something"), _("sees nothing")),
        "exit": (_("sees something"), _("sees nothing")),
        "beam": (_("sees something"), _("sees nothing")),
    }
    on, off = words.get(kind, (_("active"), _("not active")))
    return on if active else off
