"""How the station and its machine are: for a technician, who looks for what is not well."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from starlette.responses import Response

from edge.core.errors import LedgerError, PublisherFileError
from edge.ledger.reports.newest_events import Happening, newest_events
from edge.ledger.reports.open_incidents import OpenIncident
from edge.ledger.reports.reading import newest_latencies
from edge.publish.outbox_file import outboxes
from edge.publish.status import receiver_statuses
from edge.telemetry.host import disk_finding, heat_findings
from edge.web.guard import is_loopback
from edge.web.pages.day_plots import LatencyGroup, latency_groups, latency_plot
from edge.web.visit import Sayer, Visit
from edge.web.words.concerns import concerns, incident_concerns
from edge.web.words.happenings import told
from edge.web.words.machine import machine_words, picture_fault_words

_LATENCIES = 600
"""Items whose latency is shown, the newest."""
_EVENTS = 20
"""Events that are shown, the newest."""


def show(visit: Visit) -> Response:
    """The page."""
    plan, beat, gettext = visit.site.plan, visit.site.live.beat(), visit.language.gettext
    status = None if beat.reading is None else beat.reading.status
    signs = None if status is None else status.signs
    groups: list[LatencyGroup] = []
    with suppress(LedgerError):  # there is none yet, or the concerns say what it lacks
        groups = latency_groups(newest_latencies(plan.ledger, _LATENCIES))
    happened: list[Happening] = []
    with suppress(LedgerError):
        happened = newest_events(plan.ledger, _EVENTS)
    keep, sending = plan.keep, None
    if keep is not None:
        with suppress(PublisherFileError):  # then the page says that it is not known
            boxes = outboxes(plan.ledger, plan.deliveries)
            sending = receiver_statuses(keep.receivers, keep.positions, boxes)
    incidents: Sequence[OpenIncident] = ()
    with suppress(LedgerError):
        incidents = visit.site.open_incidents(beat)
    state = None if beat.is_silent else visit.site.control.state(visit.who)
    name = Sayer(visit).name
    asked = visit.is_admin and not beat.is_silent
    return visit.page(
        "health.html",
        happened=[told(one, name, gettext) for one in happened],
        sends=keep is not None,
        sending=sending,
        log=visit.site.control.log(visit.who) if asked else None,
        latency=latency_plot(groups, visit.language),
        latency_groups=groups,
        concerns=[*concerns(beat, gettext), *incident_concerns(incidents, state, gettext)],
        status=status,
        signs=signs,
        model=visit.model,
        machine=[
            machine_words(found, visit.language)
            for found in (disk_finding(plan.ledger.parent), *heat_findings())
        ],
        fault_words=partial(picture_fault_words, gettext=gettext),
        plan=plan,
        elsewhere=not is_loopback(plan.host),
        load=os.getloadavg()[0],
        processors=os.cpu_count(),
    )
