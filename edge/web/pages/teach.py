"""Labelled pictures taken from the browser, to train with, as `pilah-edge capture` takes them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from starlette.responses import Response

from edge.control.messages import ControlCommand
from edge.core.errors import ControlRefusedError, ControlUnreachableError
from edge.core.labels import label_problem
from edge.ledger.upkeep.reviewing import NOT_AN_ITEM
from edge.web.notices import PageNotice
from edge.web.visit import Sayer, Visit
from edge.web.words.answers import StationWords
from edge.web.words.taking import fault_words, taking_words

GOOD_START = 100
"""Pictures of a label that are a good start, as `pilah-trainer check` says."""
FEWEST = 6
"""Pictures of a label without which no training begins, as `pilah-trainer train` says."""
_KEYS = "123456789abcefghijklmnopqrstvwxyz"
"""The keys of labels, in the order of the lanes; d and u mean something else."""
_PATIENCE_SECONDS = 4.0
"""How long it is waited for what comes of an order; the station does it within a frame or two."""
_LOOK_SECONDS = 0.05
_LONGEST = 60


class LabelCount(NamedTuple):
    """How many pictures of a label there are, and how many are missing for a good start."""

    label: str
    pictures: int

    @property
    def missing(self) -> int:
        """Pictures up to a good start."""
        return max(0, GOOD_START - self.pictures)


def show(visit: Visit) -> Response:
    """The page."""
    site, plan = visit.site, visit.site.plan
    facts: Mapping[str, Any] = {}
    refused: StationWords | None = None
    if not site.live.beat().is_silent:
        try:
            facts = _taught(visit, _is_looked_at)
        except (ControlRefusedError, ControlUnreachableError) as error:
            refused = visit.station_words(error)
    counts: Mapping[str, int] = facts.get("counts") or {}
    model = visit.model
    labels = list(dict.fromkeys([*plan.labels, NOT_AN_ITEM, *sorted(counts)]))
    state = None if site.live.beat().is_silent else site.control.state(visit.who)
    return visit.page(
        "teach.html",
        facts=facts,
        refused=refused,
        known=facts.get("counts") is not None,
        counts=[LabelCount(label, int(counts.get(label, 0))) for label in labels],
        keys=dict(zip(labels, _KEYS, strict=False)),
        good_start=GOOD_START,
        fewest=FEWEST,
        empty=NOT_AN_ITEM,
        sorts=state is not None and state.get("state") == "Execute",
        live=plan.live,
        forecast=None if model is None else model.forecast,
        notice=site.notices.read(visit.query.get("said", "")),
    )


def take(visit: Visit) -> Response:
    """Has the station keep its next picture as one of the label that the form names."""
    label = (visit.form.get("new", "").strip() or visit.form.get("label", ""))[:_LONGEST]
    if not label:
        text = visit.language.gettext("Say what the picture shows.")
        return _said(visit, PageNotice("refused", text))
    if problem := label_problem(label):
        return _said(visit, taking_words("label", problem, visit.language.gettext))
    return _ordered(visit, ControlCommand.TAKE, label)


def discard(visit: Visit) -> Response:
    """Has the station delete the picture that was taken last."""
    return _ordered(visit, ControlCommand.DISCARD)


def _ordered(visit: Visit, command: ControlCommand, label: str = "") -> Response:
    gettext, site = visit.language.gettext, visit.site
    if (notice := visit.repeated()) is not None:
        return _said(visit, notice)
    try:
        order = int(site.control.told(command, visit.who, label=label).get("order", 0))
        facts = _taught(visit, lambda found: _outcome(found, order) is not None) if order else {}
    except (ControlRefusedError, ControlUnreachableError) as error:
        text = gettext("The station could not be asked.")
        detail, foreign = visit.station_words(error)
        return _said(visit, PageNotice("refused", text, detail=detail, detail_foreign=foreign))
    outcome = _outcome(facts, order)
    if outcome is None:
        text = gettext("The station has not answered in time. Look whether the counts grow.")
        return _said(visit, PageNotice("refused", text))
    if outcome.get("failure"):
        words = taking_words(str(outcome["failure"]), str(outcome.get("said", "")), gettext)
        return _said(visit, words)
    label = str(outcome.get("label", label))
    count = int((facts.get("counts") or {}).get(label, 0))
    values = {"label": label_words(label, visit), "count": count}
    if command is ControlCommand.DISCARD:
        text = gettext("Deleted: the last of %(label)s, %(count)s are left.") % values
        return _said(visit, PageNotice("done", text))
    text = gettext("Taken: %(label)s, %(count)s in all.") % values
    if faults := outcome.get("faults"):
        named = ", ".join(fault_words(fault, gettext) for fault in faults)
        text += " " + gettext("But it is %s: look whether to delete it.") % named
    return _said(visit, PageNotice("done", text))


def label_words(label: str, visit: Visit) -> str:
    """What a label is called on the page."""
    return (
        visit.language.gettext("nothing there")
        if label == NOT_AN_ITEM
        else Sayer(visit).name(label)
    )


def _is_looked_at(facts: Mapping[str, Any]) -> bool:
    return facts.get("counts") is not None or bool(facts.get("unusable"))


def _outcome(facts: Mapping[str, Any], order: int) -> Mapping[str, Any] | None:
    """What came of an order; None: nothing yet."""
    found: Sequence[Mapping[str, Any]] = facts.get("outcomes", ())
    return next((one for one in found if order and one.get("order") == order), None)


def _taught(visit: Visit, is_there: Callable[[Mapping[str, Any]], bool]) -> Mapping[str, Any]:
    """What the station tells of labelled pictures, as soon as it is what is waited for."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        found = visit.site.control.told(ControlCommand.TAUGHT, visit.who)
        if is_there(found) or time.monotonic() >= until:
            return found
        time.sleep(_LOOK_SECONDS)


def _said(visit: Visit, notice: PageNotice) -> Response:
    return visit.go(f"/teach?said={visit.site.notices.keep(notice)}")
