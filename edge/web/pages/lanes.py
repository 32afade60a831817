"""Lanes tried with a press: in maintenance, where nothing is sorted. Each move ends by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from edge.control.messages import ControlCommand
from edge.core.errors import ControlRefusedError, ControlUnreachableError, PilahError
from edge.state.machine import MODE_CHANGES, Mode, State
from edge.web.notices import PageNotice
from edge.web.visit import Sayer, Visit
from edge.web.words.inputs import input_words


def show(visit: Visit) -> Response:
    """The page."""
    site, plan = visit.site, visit.site.plan
    state = None if site.live.beat().is_silent else site.control.state(visit.who)
    manual, say = is_manual(state), Sayer(visit).name
    inputs = site.control.inputs(visit.who) if manual else []
    return visit.page(
        "teach_lanes.html",
        runs=state is not None,
        manual=manual,
        may_begin=state is not None and not manual,
        inputs=None
        if inputs is None
        else [input_words(one, visit.language.gettext, say) for one in inputs],
        lanes=list(plan.lanes),
        moving=plan.moving,
        live=plan.live,
        notice=site.notices.read(visit.query.get("said", "")),
    )


def begin(visit: Visit) -> Response:
    """Stops the station, and begins maintenance."""
    gettext, control = visit.language.gettext, visit.site.control
    failed = gettext("Nothing was done.")
    begun = gettext("Maintenance has begun: nothing is sorted until you end it.")
    try:
        state = control.state(visit.who) or {}
        if state.get("state") not in MODE_CHANGES:
            control.command(ControlCommand.STOP, visit.who)
            failed = gettext("The station was stopped, but maintenance has not begun.")
        if not is_manual(state):  # else somebody else was first
            control.command(ControlCommand.MODE, visit.who, mode=Mode.MAINTENANCE.value)
    except (ControlRefusedError, ControlUnreachableError) as error:
        # It may have begun all the same: then it is not written down.
        return _refused(visit, begun if is_manual(control.state(visit.who)) else failed, error)
    return _said(visit, PageNotice("done", begun))


def move(visit: Visit) -> Response:
    """Moves one lane once, as for one item."""
    lane, gettext = visit.form.get("lane", ""), visit.language.gettext
    if lane not in visit.site.plan.moving:
        return _said(visit, PageNotice("refused", gettext("There is no such lane that moves.")))
    try:
        visit.site.control.command(ControlCommand.MOVE_LANE, visit.who, lane=lane)
    except (ControlRefusedError, ControlUnreachableError) as error:
        text = gettext("%s was not moved.") % Sayer(visit).name(lane)
        return _refused(visit, text, error)
    text = gettext("%s has moved, and rests again after its time.") % Sayer(visit).name(lane)
    return _said(visit, PageNotice("done", text))


def end(visit: Visit) -> Response:
    """Ends maintenance: the station is ready, and sorts once somebody resumes it."""
    gettext, control = visit.language.gettext, visit.site.control
    failed = gettext("Nothing was done.")
    try:
        state = control.state(visit.who)
        if state is None or is_manual(state):  # else somebody else was first
            control.command(ControlCommand.MODE, visit.who, mode=Mode.PRODUCTION.value)
        failed = gettext("Maintenance has ended, but the station is not ready.")
        if state is not None and state.get("state") == State.STOPPED:
            control.command(ControlCommand.RESET, visit.who)
    except (ControlRefusedError, ControlUnreachableError) as error:
        return _refused(visit, failed, error)
    text = gettext("Maintenance has ended. On the page Station, have it sort again.")
    return _said(visit, PageNotice("done", text))


def is_manual(state: Mapping[str, Any] | None) -> bool:
    """Whether lanes are moved by hand, and nothing is sorted."""
    return state is not None and state.get("mode") not in (None, Mode.PRODUCTION.value)


def _refused(visit: Visit, text: str, error: PilahError) -> Response:
    detail, foreign = visit.station_words(error)
    return _said(visit, PageNotice("refused", text, detail=detail, detail_foreign=foreign))


def _said(visit: Visit, notice: PageNotice) -> Response:
    return visit.go(f"/teach/lanes?said={visit.site.notices.keep(notice)}")
