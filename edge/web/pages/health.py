"""How the station and its machine are: for a technician, who looks for what is not well."""

from __future__ import annotations

import os

from starlette.responses import Response

from edge.telemetry.host import disk_finding, heat_findings
from edge.web.visit import Visit
from edge.web.words.concerns import concerns


def show(visit: Visit) -> Response:
    """The page."""
    plan, beat = visit.site.plan, visit.site.live.beat()
    status = None if beat.reading is None else beat.reading.status
    signs = None if status is None else status.signs
    model = plan.model
    if signs is None or model is None or model.digest != signs.model_digest:
        model = None  # its figures are those of another bundle than the one that sorts
    return visit.page(
        "health.html",
        concerns=concerns(beat, visit.language.gettext),
        status=status,
        signs=signs,
        model=model,
        machine=[disk_finding(plan.ledger.parent), *heat_findings()],
        plan=plan,
        load=os.getloadavg()[0],
        processors=os.cpu_count(),
    )
