"""What pictures a station keeps, in which people may be: for how long, and how to switch it off."""

from __future__ import annotations

from starlette.responses import Response

from edge.web.guard import is_loopback
from edge.web.review_queue import photographs_are_kept
from edge.web.visit import Visit


def show(visit: Visit) -> Response:
    """The page."""
    plan = visit.site.plan
    return visit.page(
        "photographs.html",
        plan=plan,
        model=visit.model,
        kept=photographs_are_kept(plan),
        elsewhere=not is_loopback(plan.host),
    )
