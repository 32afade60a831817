"""What the station says of a picture that it was to take, in the language of a visit."""

from __future__ import annotations

from collections.abc import Callable

from edge.web.notices import PageNotice

Gettext = Callable[[str], str]
_DETAILED = ("folder", "other_cut", "label")
"""The words of which the station's own sentence says more."""


def taking_words(failure: str, said: str, gettext: Gettext) -> PageNotice:
    """Why a picture was not taken.

    Args:
        failure: in a word, as `edge/teaching/labelled_pictures.py` has them.
        said: the same as a sentence in English, for a word that is not known here.
    """
    _ = gettext
    found = {
        "no_picture": _("Not taken: the camera gives no new picture."),
        "fault": _("Not taken: the camera's picture is bad. Look at the page Health."),
        "nothing_seen": _("Not taken: nothing is in view. Put the item into the region."),
        "several": _("Not taken: several things are in view. Leave one there."),
        "cut_off": _("Not taken: the item is not wholly in the region."),
        "nothing": _("Nothing is to be deleted: you took no picture since the station started."),
        "label": _("Not taken: a label must be usable as the name of a folder."),
        "other_cut": _(
            "Not taken: the pictures in the folder show another cut. Move them away, or name "
            "another folder in the station file."
        ),
        "region": _("Not taken: the region reaches beyond the camera's picture."),
        "full": _("Not taken: the disk of the station is nearly full. Free some space."),
        "folder": _("Not taken: the folder of the pictures cannot be written."),
        "failed": _("Not taken: it failed. The station's log says why."),
    }.get(failure)
    if found is None:
        return PageNotice("refused", said, foreign=True)
    return PageNotice("refused", found, detail=said if failure in _DETAILED else "")


def fault_words(fault: str, gettext: Gettext) -> str:
    """What a picture suffers from, as `edge.core.images.quality` names it."""
    _ = gettext
    return {
        "too dark": _("too dark"), "too bright": _("too bright"), "blurred": _("blurred"),
    }.get(fault, fault)  # fmt: skip
