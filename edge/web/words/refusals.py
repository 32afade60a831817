"""Why something was refused, in the language of a visit, by the kind of the refusal."""

from __future__ import annotations

from collections.abc import Callable

from edge.core.errors import DeliveryRefusedError, PilahError, UsageError
from edge.web.notices import PageNotice

Gettext = Callable[[str], str]


def refusal_notice(error: PilahError, gettext: Gettext) -> PageNotice:
    """What is said of a refusal; its own sentence, which is in English, has the particulars."""
    return PageNotice("refused", _words(error, gettext), detail=str(error))


def _words(error: PilahError, gettext: Gettext) -> str:
    _ = gettext
    if isinstance(error, DeliveryRefusedError):
        return {
            "over": _("Not done: the count of this delivery has ended."),
            "not_closed": _("Not done: the delivery is not closed."),
            "reopened": _("Not done: the delivery is counted again under another name."),
            "back_order": _("Not done: what was missing has come with another delivery."),
            "none_open": _("Not done: no delivery is being counted. Open one first."),
            "not_counting": _("Not done: nothing can be counted on this delivery now."),
            "impossible": _("Not done: the figures would contradict each other."),
            "decided": _("Not done: somebody has decided on it already."),
            "nothing_to_undo": _("Nothing is to be undone."),
        }.get(error.kind, _("Not done: this delivery does not allow it."))
    if isinstance(error, UsageError):
        return _("Not done: what was typed or scanned cannot be used.")
    return _("Not done.")
