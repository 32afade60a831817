"""What is told of the station's machine and its parts, in the language of a visit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from edge.core.terminal.sentence import Sentence
from edge.telemetry.finding import Finding
from edge.web.language.languages import Language

Gettext = Callable[[str], str]


def machine_words(found: Finding, language: Language) -> Finding:
    """A finding of disk, heat or power with its words translated."""

    def word(name: str, value: str) -> str:
        if name == "free":
            return language.number(float(value), 1)
        if name == "flags":
            return ", ".join(map(language.gettext, value.split(", ")))
        return value

    def translated(text: str | Sentence) -> str:
        return text.said(language.gettext, word) if isinstance(text, Sentence) else text

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
