"""The station at a glance: its state, what is to be done, counters, and the last items."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from starlette.responses import Response

from edge.control.messages import ControlCommand
from edge.core.errors import ControlRefusedError, LedgerError, LedgerMissingError
from edge.ledger.export.counting import CountKey
from edge.ledger.export.reading import EVERYTHING, ExportedItem, newest_items
from edge.ledger.reports.open_incidents import OpenIncident
from edge.state.incidents.kinds import INCIDENTS
from edge.state.stops import PAUSED, EndsBy
from edge.web.pages.lanes import is_manual
from edge.web.pages.signing import back_from
from edge.web.visit import Visit
from edge.web.words.concerns import concerns, incident_concerns
from edge.web.words.reasons import state_words

_HOURS = 8
"""Hours that the counters go back, with the one that has not ended."""
_ITEMS = 12
"""Items that are shown, the newest."""


def show(visit: Visit) -> Response:
    """The page."""
    site = visit.site
    now = datetime.fromtimestamp(site.wall()).astimezone()
    spans = list(_hours(now))
    problem = None
    gettext, beat = visit.language.gettext, site.live.beat()
    state = None if beat.is_silent else site.control.state(visit.who)
    incidents: Sequence[OpenIncident] = ()
    counted: Sequence[Counter[str]] = [Counter()] * len(spans)
    items: list[ExportedItem] = []
    try:
        counted = [_by_lane(found) for found in site.hour_counts.counts(spans, now)]
        incidents = site.open_incidents(beat)
        items, _ = newest_items(
            site.plan.ledger, EVERYTHING, before=None, limit=_ITEMS,
            photographs=site.plan.photographs,
        )  # fmt: skip
    except LedgerMissingError:
        pass  # nothing was sorted yet
    except LedgerError as error:
        problem = str(error)
    lanes = dict.fromkeys([*site.plan.lanes, *(lane for found in counted for lane in found)])
    shown, midnight = counted[: -_HOURS - 1 : -1], _midnight(now)  # the newest first
    today: Counter[str] = Counter()
    for (begin, _), found in zip(spans, counted, strict=True):
        today += found if begin >= midnight else Counter()
    return visit.page(
        "station.html",
        concerns=[*concerns(beat, gettext), *incident_concerns(incidents, state, gettext)],
        paused_by=_paused_by(state),
        packml_words=None if state is None else state_words(str(state.get("state")), gettext),
        commands=_commands(state),
        hours=[begin for begin, _ in spans[: -_HOURS - 1 : -1]],
        lanes=[(lane, today[lane], [found[lane] for found in shown]) for lane in lanes],
        totals=[found.total() for found in shown],
        today=today.total(),
        items=items,
        problem=problem,
        live=site.plan.live,
    )


def pause(visit: Visit) -> Response:
    """Lets the station stand."""
    return _told(visit, ControlCommand.PAUSE)


def resume(visit: Visit) -> Response:
    """Lets the station sort on."""
    return _told(visit, ControlCommand.RESUME)


def reset(visit: Visit) -> Response:
    """Ends the incidents that were mended."""
    return _told(visit, ControlCommand.RESET)


def clear(visit: Visit) -> Response:
    """Leaves Aborted after an emergency stop."""
    return _told(visit, ControlCommand.CLEAR)


def _told(visit: Visit, command: ControlCommand) -> Response:
    try:
        visit.site.control.command(command, visit.who)
    except ControlRefusedError as error:
        said, foreign = visit.station_words(error)
        return visit.page("refused.html", code=409, why="state", said=said, foreign=foreign)
    return visit.go(back_from(visit))


def _by_lane(counted: Counter[CountKey]) -> Counter[str]:
    found: Counter[str] = Counter()
    for key, count in counted.items():
        found[key.lane] += count
    return found


def _paused_by(state: Mapping[str, Any] | None) -> str | None:
    """Who paused the station, empty where that is not known; None: it is not paused."""
    paused = state is not None and state.get("reason") == PAUSED
    return str(state.get("who", "")) if paused and state is not None else None


def _commands(state: Mapping[str, Any] | None) -> tuple[str, ...]:
    """The commands that the station would take in its state."""
    if state is None:
        return ()
    name, reason = state.get("state"), str(state.get("reason", ""))
    if is_manual(state):  # which the page Lanes ends; nothing is resumed before
        return ("clear",) if name == "Aborted" else ()
    if name in ("Held", "Suspended"):
        kind = INCIDENTS.get(reason)
        mended = kind is not None and kind.ends_by is EndsBy.RESET
        return ("resume",) if reason == PAUSED else ("reset", "pause") if mended else ("pause",)
    found: Mapping[str, tuple[str, ...]] = {
        "Execute": ("pause",), "Idle": ("resume",), "Stopped": ("reset",), "Complete": ("reset",),
        "Aborted": ("clear",),
    }  # fmt: skip
    return found.get(str(name), ())


def _hours(now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The hours of the clock since midnight, and at least the last _HOURS, the oldest first."""
    last = now.replace(minute=0, second=0, microsecond=0)
    for ago in range(max(now.hour, _HOURS - 1), -1, -1):
        begin = last - timedelta(hours=ago)
        yield begin, begin + timedelta(hours=1)


def _midnight(now: datetime) -> datetime:
    """When the day began, in whatever offset counted then."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None).astimezone()
