"""What a page fetches beside itself: its files, photographs of items, and what has changed."""

from __future__ import annotations

from uuid import UUID

from starlette.responses import PlainTextResponse, Response, StreamingResponse

from edge.core.errors import AccountsError, StorageError
from edge.core.files import read_regular
from edge.samples.photograph_store import photograph_file
from edge.web.visit import Visit

_LARGEST = 16 * 2**20
"""Bytes of a photograph; a whole picture of 12 megapixels has some five."""
_YEAR = 365 * 24 * 3600
_KEPT_SECONDS = 600
"""How long a browser may keep a photograph: while it is looked through, and little longer than
somebody is signed in."""
_JPEG = b"\xff\xd8\xff"


def static_file(visit: Visit) -> Response:
    """A style sheet, a script or a drawing."""
    found = visit.site.files.get(visit.request.path_params["name"])
    if found is None:
        return PlainTextResponse("there is no such file\n", 404)
    kept = (
        f"public, max-age={_YEAR}, immutable" if visit.query.get("v") == found.mark else "no-cache"
    )
    return Response(found.content, media_type=found.kind, headers={"Cache-Control": kept})


def events(visit: Visit) -> Response:
    """What has changed, for as long as the page is open and whoever opened it may see it."""
    site, live = visit.site, visit.site.live

    def is_welcome() -> bool:
        try:
            listed = site.accounts.known()
        except AccountsError:
            return False
        if listed is None:
            return site.open_here
        return site.sessions.read(listed, visit.session) is not None

    if live.is_full:
        return PlainTextResponse("too many pages are open\n", 503, headers={"Retry-After": "5"})
    return StreamingResponse(
        live.stream(is_welcome), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )


def photograph(visit: Visit) -> Response:
    """The photograph of an item, by the item's id: no path is ever taken from an address."""
    try:
        item_id = str(UUID(visit.request.path_params["item"]))
        raw = read_regular(visit.site.plan.photographs / photograph_file(item_id), largest=_LARGEST)
    except (ValueError, OverflowError, OSError, StorageError):
        return PlainTextResponse("there is no such photograph\n", 404)
    if not raw.startswith(_JPEG):
        return PlainTextResponse("it is no JPEG\n", 404)
    return Response(
        raw, media_type="image/jpeg", headers={"Cache-Control": f"private, max-age={_KEPT_SECONDS}"}
    )
