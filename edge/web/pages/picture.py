"""What the camera sees, for the pages that show it."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from edge.web.visit import Visit


def newest(visit: Visit) -> Response:
    """The newest picture; an empty object where the station gives none."""
    return JSONResponse(dict(visit.site.control.picture(visit.who)) if visit.site.plan.live else {})
