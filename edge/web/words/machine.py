"""What is told of the station's machine and its parts, in the language of a visit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from edge.core.terminal.sentence import Sentence
from edge.telemetry.finding import Finding

Gettext = Callable[[str], str]


def machine_words(found: Finding, gettext: Gettext) -> Finding:
    """A finding of disk, heat or power with its words translated."""

    def word(name: str, value: str) -> str:
        if name != "flags":
            return value
        return ", ".join(gettext(flag) for flag in value.split(", "))

    def translated(text: str | Sentence) -> str:
        return text.said(gettext, word) if isinstance(text, Sentence) else text

    return replace(found, said=translated(found.said), advice=translated(found.advice))


def part_words(thread: str, gettext: Gettext) -> str:
    """A part of the station, from the name of its thread."""
    _ = gettext
    return {
        "camera": _("camera"),
        "sorting": _("sorting"),
        "lanes": _("lanes"),
        "ledger": _("ledger"),
        "contacts": _("contacts"),
        "codes": _("codes"),
        "scanner": _("scanner"),
    }.get(thread, thread)


def picture_fault_words(kind: str, gettext: Gettext) -> str:
    """Why pictures of the camera could not be used, from a name of `PictureFaultKind`."""
    _ = gettext
    return {
        "first": _("the first one after it was opened"),
        "repeated": _("the same one again"),
        "frozen": _("the same one for a long time"),
        "blank": _("of one colour"),
        "torn": _("parts are missing"),
        "resized": _("another size"),
        "damaged": _("cannot be decoded"),
        "covered": _("the camera is covered"),
        "moved": _("of another scene"),
        "late": _("too old to be acted on"),
    }.get(kind, kind)
