"""Why something was refused, in the language of a visit, by the kind of the refusal."""

from __future__ import annotations

from collections.abc import Callable

from edge.core.errors import DeliveryRefusedError, PilahError, UsageError
from edge.core.terminal.sentence import Sentence
from edge.web.notices import PageNotice

Gettext = Callable[[str], str]


def refusal_notice(error: PilahError, gettext: Gettext) -> PageNotice:
    """What is said of a refusal; its own sentence, which has the particulars, is in English where
    only a page that was tampered with brings it about."""
    sentence = Sentence.of(error)
    if sentence is None:
        return PageNotice("refused", _words(error, gettext), detail=str(error))
    detail = sentence.said(
        gettext, lambda key, value: _phase(value, gettext) if key == "phase" else value
    )
    return PageNotice("refused", _words(error, gettext), detail=detail, detail_foreign=False)


def _phase(words: str, gettext: Gettext) -> str:
    """`Phase.words` in the language of a visit."""
    _ = gettext
    return {
        "expected": _("expected"),
        "being counted": _("being counted"),
        "checked": _("checked"),
        "closed": _("closed"),
        "withdrawn": _("withdrawn"),
    }[words]


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
