"""What happened to a station, in the language of a visit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from edge.ledger.reports.last_run import START_FAILED
from edge.ledger.reports.newest_events import Happening
from edge.state.incidents.kinds import INCIDENTS, IncidentKind
from edge.web.words.reasons import state_words

Gettext = Callable[[str], str]
_BEGIN = {kind.raised: kind for kind in INCIDENTS.values() if kind.raised != "incident_raised"}
_END = {
    kind.ended: kind for kind in INCIDENTS.values() if kind.ended not in (None, "incident_ended")
}
"""The kinds of incidents that have an event of their own."""


class Told(NamedTuple):
    """An event as a page tells it."""

    time: str
    said: str
    detail: str = ""
    """What the station wrote of it, in English."""
    who: str = ""
    """Whose doing it was; empty: nobody's."""


def told(happening: Happening, name: Callable[[str], str], gettext: Gettext) -> Told:
    """An event in words.

    Args:
        name: what a label or a lane is called.
        gettext: translates a text of the pages.
    """
    said, detail = _words(happening.kind, happening.details, name, gettext)
    return Told(happening.time, said, detail, str(happening.details.get("who", "")))


def _words(
    event: str, details: Mapping[str, Any], name: Callable[[str], str], _: Gettext
) -> tuple[str, str]:
    over = _("Over: %s")
    incident = INCIDENTS.get(str(details.get("name")))
    scope = name(str(details.get("scope", "")))
    if event == "incident_raised":
        if incident is None:
            return _("Incident"), f"{details['cause']} {details['what_to_do']}"  # a newer pilah's
        why = details["cause"] if incident.name == START_FAILED else ""
        return _cause(incident, scope, _), str(why)
    if event == "incident_ended":
        return over % (str(details["name"]) if incident is None else _cause(incident, scope, _)), ""
    if (begun := _BEGIN.get(event)) is not None:
        return _cause(begun, scope, _), str(details.get("reason", ""))
    if (ended := _END.get(event)) is not None:
        return over % _cause(ended, scope, _), ""
    if event == "state_changed":
        return _("State: %s") % state_words(str(details["state"]), _), ""
    if event == "lane_moved":
        return _("%s was moved by hand.") % name(str(details["lane"])), ""
    if event == "model_changed":
        return _("New items are judged by another model."), str(details["bundle"])
    if event == "station_started":
        return _("The station begins to sort."), f"pilah {details['pilah']}, {details['bundle']}"
    return _("The station has ended."), str(details["reason"])


def _cause(kind: IncidentKind, scope: str, _: Gettext) -> str:
    return _(kind.cause).replace("{scope}", scope)
