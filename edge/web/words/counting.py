"""What counting says to a person, in the language of a visit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from edge.receiving import asides
from edge.receiving.events import DeliveryEvent, kind_of
from edge.receiving.scan import Answer, Reply, title
from edge.receiving.state import DeliveryState
from edge.web.notices import PageNotice
from edge.web.words.reasons import reject_words
from edge.web.words.sentence_forms import SentenceForms

Gettext = Callable[[str], str]
_ASIDES = SentenceForms(*asides.FORMS)

_KINDS: Mapping[Reply, str] = {
    Reply.COUNTED: "done", Reply.PACK: "done", Reply.CONTAINER: "done", Reply.SEVERAL: "choose",
    Reply.NOT_HERE: "aside", Reply.STOP: "stop",
}  # fmt: skip


def answer_notice(answer: Answer, after: DeliveryState, _: Gettext) -> PageNotice:
    """What a scan was answered.

    Args:
        after: what the delivery has come to with it.
    """
    return PageNotice(
        _KINDS[answer.reply],
        _words(answer, after, _),
        foreign=False,
        code=answer.scan.code.text,
        choices=tuple((line.number, title(line)) for line in answer.lines)
        if answer.reply is Reply.SEVERAL
        else (),
    )


def _words(answer: Answer, after: DeliveryState, _: Gettext) -> str:
    code = answer.scan.code.text
    match answer.reply:
        case Reply.COUNTED | Reply.PACK:
            line = answer.lines[0]
            values = {
                "title": title(line), "pieces": answer.pieces, "expected": line.expected,
                "counted": after.count(line.number).counted,
            }  # fmt: skip
            if after.hidden:
                return _("Counted %(pieces)s: %(title)s, %(counted)s now") % values
            return _("Counted %(pieces)s: %(title)s, %(counted)s of %(expected)s") % values
        case Reply.SEVERAL:
            return _("Several lines have the code %s. Choose one.") % code
        case Reply.NOT_HERE:
            return _("Not on this delivery, put it aside: %s") % code
        case Reply.STOP:
            return _("STOP: the code says %(code)s, the picture says %(seen)s.") % {
                "code": answer.lines[0].label, "seen": answer.scan.seen,
            }  # fmt: skip
    return _("Container %s: scan its contents") % answer.scan.code.sscc


def event_words(event: DeliveryEvent, state: DeliveryState, _: Gettext) -> str:
    """What happened, in a few words."""
    said = {
        "container_arrived": _("container"), "piece_counted": _("counted"),
        "put_aside": _("put aside"), "picture_disagreed": _("stopped"),
        "marked_damaged": _("damaged"), "count_corrected": _("corrected"),
        "count_undone": _("undone"),
    }.get(kind_of(event), kind_of(event))  # fmt: skip
    number = getattr(event, "line", None)
    line = next((line.sku for line in state.lines if line.number == number), "")
    parts = [line, str(getattr(event, "code", "") or getattr(event, "sscc", ""))]
    if (pieces := getattr(event, "pieces", None)) is not None:
        parts.append(f"× {pieces}")
    if (now := getattr(event, "now", None)) is not None:
        parts.append(f"{getattr(event, 'was', '')} → {now}")
    return f"{said}: {' '.join(part for part in parts if part)}"


def aside_words(reason: str, gettext: Gettext) -> str:
    """Why a piece was put aside, from the reason that the event has."""
    words = {"reject": partial(reject_words, gettext=gettext)}
    return _ASIDES.translated(reason, gettext, words)


def phase_words(state: DeliveryState, _: Gettext) -> str:
    """How far a delivery has come."""
    if state.outcome is not None:
        outcome = {
            "complete": _("closed: complete"),
            "short": _("closed: short"),
            "over": _("closed: over"),
        }
        return outcome[state.outcome]
    return {
        "expected": _("expected"),
        "counting": _("being counted"),
        "checked": _("checked: it differs"),
        "withdrawn": _("withdrawn"),
    }.get(str(state.phase), str(state.phase))
