"""Labelled pictures taken from the browser, to train with, as `pilah-edge capture` takes them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from starlette.responses import Response

from edge.control.messages import ControlCommand
from edge.core.errors import ControlRefusedError, ControlUnreachableError
from edge.core.labels import label_problem
from edge.flow import EMPTY
from edge.web.notices import PageNotice
from edge.web.visit import Sayer, Visit
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
    if not site.live.beat().is_silent:
        with suppress(ControlRefusedError, ControlUnreachableError):  # the page says so
            facts = _taught(visit, lambda found: bool(found.get("ready")))
    counts: Mapping[str, int] = facts.get("counts", {})
    labels = list(dict.fromkeys([*plan.labels, EMPTY, *sorted(counts)]))
    state = None if site.live.beat().is_silent else site.control.state(visit.who)
    return visit.page(
        "teach.html",
        facts=facts,
        counts=[LabelCount(label, int(counts.get(label, 0))) for label in labels],
        keys=dict(zip(labels, _KEYS, strict=False)),
        good_start=GOOD_START,
        fewest=FEWEST,
        empty=EMPTY,
        sorts=state is not None and state.get("state") == "Execute",
        live=plan.live,
        forecast=None if plan.model is None else plan.model.forecast,
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
    try:
        order = int(site.control.told(command, visit.who, label=label).get("order", 0))
        facts = _taught(visit, lambda found: found.get("done", 0) >= order) if order else {}
    except (ControlRefusedError, ControlUnreachableError) as error:
        return _said(visit, PageNotice("refused", str(error), foreign=True))
    if not order or facts.get("done", 0) < order:
        text = gettext("The station has not answered in time. Look whether the counts grow.")
        return _said(visit, PageNotice("refused", text))
    if facts.get("done") == order and facts.get("failure"):
        return _said(visit, taking_words(str(facts["failure"]), str(facts["said"]), gettext))
    label = str(facts.get("label", label))
    if command is ControlCommand.DISCARD:
        return _said(visit, PageNotice("done", gettext("The last picture was deleted.")))
    count = int(facts.get("counts", {}).get(label, 0))
    values = {"label": Sayer(visit).name(label), "count": count}
    text = gettext("Taken: %(label)s, %(count)s in all.") % values
    faults: Sequence[str] = facts.get("faults", ())
    if faults:
        words = ", ".join(fault_words(fault, gettext) for fault in faults)
        text += " " + gettext("But it is %s: look whether to delete it.") % words
    return _said(visit, PageNotice("done", text))


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
