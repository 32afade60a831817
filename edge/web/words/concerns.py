"""What is not well at a station, and what to do about it, in the language of a visit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from edge.ledger.reports.last_run import START_FAILED
from edge.ledger.reports.open_incidents import OpenIncident
from edge.state.incidents.kinds import INCIDENTS
from edge.telemetry.status import SILENT_SECONDS, StationState
from edge.web.live import Beat
from edge.web.words.machine import part_words

Gettext = Callable[[str], str]


class Concern(NamedTuple):
    """Something that is not as it should be."""

    said: str
    to_do: str
    is_alarm: bool = True
    """Whether it asks for an action; what asks for none is no alarm (ISA-18.2)."""


def concerns(beat: Beat, gettext: Gettext) -> list[Concern]:
    """What is not well, the most urgent first; none: all is well.

    Args:
        beat: a look at the station.
        gettext: translates a text of the pages.
    """
    return list(_concerns(beat, gettext))


def incident_concerns(
    incidents: Sequence[OpenIncident], state: Mapping[str, Any] | None, gettext: Gettext
) -> list[Concern]:
    """What asks for an action by the station's own account: its open incidents, and what it stands
    for, where that is none of them.

    Args:
        state: its state, as `StateChanged` has it; None: not known.
    """
    found = [
        Concern(*_texts(one.name, one.scope, (one.cause, one.what_to_do), gettext))
        for one in incidents
    ]
    reason, scope = (str((state or {}).get(key, "")) for key in ("reason", "scope"))
    there = {(one.name, one.scope) for one in incidents}
    kind = INCIDENTS.get(reason)
    # One that has an event of its own is told by the station's signs of life.
    if kind is not None and kind.raised == "incident_raised" and (reason, scope) not in there:
        found.append(Concern(*_texts(reason, scope, (kind.cause, kind.what_to_do), gettext)))
    return found


def _texts(name: str, scope: str, said: tuple[str, str], _: Gettext) -> tuple[str, str]:
    """Cause and advice of an incident in the language of a visit; what a newer pilah wrote stays in
    its own words. Where the advice names commands, the pages name their buttons."""
    kind = INCIDENTS.get(name)
    if kind is None:
        return said
    by_button = {
        "emergency_stop": _(
            "Make the machine safe and release the button. Then press, one after the other: "
            "Clear the emergency stop, Reset, Resume."
        ),
        "jam": _("Clear the lane, then press Reset."),
    }
    to_do = by_button.get(name) or _(kind.what_to_do)
    cause = _(kind.cause).replace("{scope}", scope)
    return f"{cause} {said[0]}" if name == START_FAILED else cause, to_do


def _concerns(beat: Beat, _: Gettext) -> Iterator[Concern]:
    if beat.refused:
        yield Concern(
            _("The station's status may not be read."),
            _("Run the pages as the user of the station's service, or as root."),
        )
        return
    if beat.reading is None or beat.age_seconds is None:
        yield Concern(
            _("The station does not run."),
            _("Start it: sudo systemctl start pilah. Its log says why it ended."),
        )
        return
    if beat.is_silent:
        yield Concern(
            _("The station gives no sign of life: it hangs, or was killed."),
            _("It is started again by itself. If it is not, look at its log."),
        )
        return
    status = beat.reading.status
    signs = status.signs
    if status.state is StationState.STOPPING:
        yield Concern(_("The station is ending."), _("Wait until it has ended."), is_alarm=False)
    if signs is None:
        return
    silent = [
        part_words(name, _) for name, ago in signs.silent_seconds.items() if ago > SILENT_SECONDS
    ]
    if silent:
        yield Concern(
            _("A part of the station does not respond: %s.") % ", ".join(silent),
            _("Wait: the station ends by itself in a few seconds, and is started again."),
        )
    if signs.camera_lost:
        yield Concern(
            _("The camera is lost. Items are not seen."),
            _("Check its cable and its power. It is opened again by itself."),
        )
    if signs.ledger_fails:
        yield Concern(
            _("The ledger cannot be written. Rows wait in memory."),
            _("Check whether its disk is full, and whether it is there."),
        )
    elif signs.items_spilled:
        yield Concern(
            _("Rows still wait to be added to the ledger: %s.") % signs.items_spilled,
            _("Nothing is to be done: they are added within minutes."),
            is_alarm=False,
        )
    if signs.counts_fail:
        yield Concern(
            _("The file of deliveries cannot be used. Items wait to be counted: %s.")
            % signs.counts_waiting,
            _("Look at the station's log: journalctl -u pilah."),
        )
    if sum(signs.rows_lost.values()):
        yield Concern(
            _("Rows were lost for ever: %s.") % sum(signs.rows_lost.values()),
            _("Count what was sorted meanwhile by hand. The station's log says when it was."),
        )
