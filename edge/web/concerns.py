"""What is not well at a station, and what to do about it, in the language of a visit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from edge.telemetry.status import SILENT_SECONDS, StationState
from edge.web.live import Beat

Gettext = Callable[[str], str]


class Concern(NamedTuple):
    """Something that asks for an action."""

    said: str
    to_do: str


def concerns(beat: Beat, gettext: Gettext) -> list[Concern]:
    """What is not well, the most urgent first; none: all is well.

    Args:
        beat: a look at the station.
        gettext: translates a text of the pages.
    """
    return list(_concerns(beat, gettext))


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
        yield Concern(_("The station is ending."), _("Wait until it has ended."))
    if signs is None:
        return
    silent = [name for name, ago in signs.silent_seconds.items() if ago > SILENT_SECONDS]
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
