"""What was found of the station's machine, in the language of a visit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from edge.telemetry.finding import Finding
from edge.telemetry.host import MACHINE_FORMS
from edge.web.words.sentence_forms import SentenceForms

Gettext = Callable[[str], str]
_FORMS = SentenceForms(*MACHINE_FORMS)


def machine_words(found: Finding, gettext: Gettext) -> Finding:
    """A finding of disk, heat or power with its words translated."""

    def flags(said: str) -> str:
        return ", ".join(gettext(name) for name in said.split(", "))

    return replace(
        found,
        said=_FORMS.translated(found.said, gettext, {"flags": flags}),
        advice=_FORMS.translated(found.advice, gettext),
    )


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
