"""Deliveries at the door: expected against counted, scan, correct, undo, close, print."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from urllib.parse import quote, urlencode
from uuid import UUID

from starlette.responses import HTMLResponse, Response

from edge.core.errors import DeliveryFileError, DeliveryRefusedError, UsageError
from edge.core.files import read_regular
from edge.core.terminal.sentence import Sentence
from edge.events import Stamps
from edge.receiving.code import checked_code, read_code
from edge.receiving.desk import Desk
from edge.receiving.events import UNDOABLE, DeliveryEvent, Figure, cause_of
from edge.receiving.reports.difference import containers_missing, rows
from edge.receiving.reports.difference_csv import difference_csv
from edge.receiving.reports.difference_page import difference_page
from edge.receiving.scan import Scan, title
from edge.receiving.state import COUNTABLE, DeliveryState, Phase, undone_ids
from edge.receiving.store import Deliveries
from edge.web.notices import PageNotice
from edge.web.visit import Visit
from edge.web.words.counting import answer_notice, aside_words, event_words, phase_words
from edge.web.words.refusals import refusal_notice

_MOST_PIECES = 100_000
_ID_LENGTH = 36
"""Characters of an event's id."""
_EVENTS = 6
"""Events that are shown with a button to undo each, the newest."""
_LARGEST_PHOTOGRAPH = 400_000
"""Bytes of a photograph in a report; those of items that were cut out have some 20,000."""
_DELIVERIES = 200
"""Deliveries that are listed, the newest."""


def show(visit: Visit) -> Response:
    """The delivery that the address names, or the one that is being counted, or the list."""
    gettext = visit.language.gettext
    name = visit.query.get("name")
    notice = visit.site.notices.read(visit.query.get("said", ""))
    try:
        with _reading(visit) as deliveries:
            state = deliveries.current() if name is None else deliveries.state(name)
            if state is None:
                return _listed(visit, deliveries, notice)
            events = deliveries.events(state.delivery)
    except DeliveryFileError as error:
        if visit.site.plan.deliveries.exists():
            raise
        return visit.page("deliveries.html", listed=[], notice=notice, reason=str(error))
    gone = undone_ids(events)
    live = [event for event in events if isinstance(event, UNDOABLE) and event.id not in gone]
    return visit.page(
        "delivery.html",
        state=state,
        rows=rows(state),
        phase=phase_words(state, gettext),
        countable=state.phase in COUNTABLE,
        closed=state.phase is Phase.CLOSED,
        containers_missing=() if state.hidden else containers_missing(state),
        asides=[(one, aside_words(one.reason, gettext)) for one in state.asides],
        latest=[(event, event_words(event, state, gettext)) for event in live[: -_EVENTS - 1 : -1]],
        line_title={line.number: title(line) for line in state.lines},
        line_label={line.number: line.label for line in state.lines},
        notice=notice,
    )


def _listed(visit: Visit, deliveries: Deliveries, notice: PageNotice | None) -> Response:
    names = deliveries.names()[: -_DELIVERIES - 1 : -1]
    states = [state for name in names if (state := deliveries.state(name)) is not None]
    return visit.page(
        "deliveries.html",
        listed=[(one, phase_words(one, visit.language.gettext)) for one in states],
        notice=notice,
    )


def listed(visit: Visit) -> Response:
    """All deliveries, the newest first."""
    notice = visit.site.notices.read(visit.query.get("said", ""))
    if not visit.site.plan.deliveries.exists():
        return visit.page("deliveries.html", listed=[], notice=notice)
    with _reading(visit) as deliveries:
        return _listed(visit, deliveries, notice)


def open_it(visit: Visit) -> Response:
    """Begins to count a delivery, or goes on with it."""
    name = visit.form.get("name", "")

    def opened(desk: Desk) -> None:
        desk.open(name)

    return _done(visit, name, opened)


def scan(visit: Visit) -> Response:
    """Counts what was scanned, or a line that a person chose."""
    gettext, form = visit.language.gettext, visit.form

    def counted(desk: Desk) -> PageNotice:
        scan_id = _scan_id(form.get("scan", ""))
        if scan_id is not None and (before := _answered(desk, scan_id)) is not None:
            first, after = before  # its answer was lost on the way, and the browser asks again
            return PageNotice("done", event_words(first, after, gettext))
        line = _whole(form.get("line", ""), Sentence("the line")) if form.get("line") else None
        text = form.get("code", "")
        answer, after = desk.scan(
            form.get("name") or None,
            Scan(
                code=read_code(checked_code(text) if text.strip() or line is None else ""),
                times=_whole(form.get("pieces") or "1", Sentence("the pieces")),
                line=line,
                scan_id=scan_id,
            ),
            damaged=bool(form.get("damaged")),
            stopped=form.get("event") or None,
        )
        return answer_notice(answer, after, gettext)

    return _done(visit, form.get("name", ""), counted)


def _scan_id(text: str) -> str | None:
    """The id that the browser gave a scan, so that it is counted once; None: it gave none.

    Raises:
        UsageError: it is no UUID.
    """
    try:
        return str(UUID(text)) if text else None
    except ValueError:
        raise UsageError(f"the id of a scan must be a UUID. Received: {text[:40]!r}") from None


def _answered(desk: Desk, scan_id: str) -> tuple[DeliveryEvent, DeliveryState] | None:
    """The event that answers that scan, and what its delivery has come to; None: there is none."""
    if not desk.deliveries.has_answer(scan_id):
        return None
    for name in reversed(desk.deliveries.names()):
        for event in reversed(desk.deliveries.events(name)):
            if cause_of(event) == scan_id:
                return event, desk.known(name)
    return None


def correct(visit: Visit) -> Response:
    """Says what a figure of a line is."""
    gettext, form = visit.language.gettext, visit.form

    def corrected(desk: Desk) -> PageNotice:
        why = form.get("why", "").strip()
        if not why or not why.isprintable() or len(why) > 500:
            raise UsageError(
                Sentence("say why, in one line of text. Received: {given}", given=repr(why[:100]))
            )
        figure: Figure = "damaged" if form.get("figure") == "damaged" else "counted"
        now = _whole(form.get("now", ""), Sentence("the figure"), least=0)
        line = _whole(form.get("line", ""), Sentence("the line"))
        desk.correct(form.get("name") or None, str(line), figure, now, why)
        return PageNotice("done", gettext("Corrected."))

    return _done(visit, form.get("name", ""), corrected)


def undo(visit: Visit) -> Response:
    """Undoes an event of the count."""
    gettext = visit.language.gettext

    def undone(desk: Desk) -> PageNotice:
        named = visit.form.get("event", "")
        if len(named) != _ID_LENGTH:  # the desk would take a part of one, or the last event
            raise UsageError(f"say what is to be undone. Received: {named[:40]!r}")
        event, state = desk.undo(visit.form.get("name") or None, named)
        return PageNotice("done", gettext("Undone: %s") % event_words(event, state, gettext))

    return _done(visit, visit.form.get("name", ""), undone)


def close(visit: Visit) -> Response:
    """Ends the count, where it is as announced, or where a person says that it is as counted."""
    gettext, form = visit.language.gettext, visit.form

    def closed(desk: Desk) -> PageNotice:
        state, rest = desk.close(
            form.get("name") or None,
            as_counted=bool(form.get("as_counted")),
            back_order=bool(form.get("back_order")),
        )
        if state.phase is not Phase.CLOSED:
            text = gettext("Not closed: it differs. Count again, or close it as counted.")
            return PageNotice("refused", text)
        text = gettext("Closed.")
        if rest is not None:
            text += " " + gettext("What is missing is expected as %s.") % rest.delivery
        return PageNotice("done", text)

    return _done(visit, form.get("name", ""), closed)


def reopen(visit: Visit) -> Response:
    """Counts a closed delivery again, as a new receipt."""
    name, why = visit.form.get("name", ""), visit.form.get("why", "").strip()
    if not why or not why.isprintable() or len(why) > 500:
        return _said(visit, name, PageNotice("refused", visit.language.gettext("Say why.")))
    new: list[str] = []
    return _done(
        visit, name, lambda desk: new.append(desk.reopen(name, why).delivery), then=lambda: new[0]
    )


def report(visit: Visit) -> Response:
    """The differences as a page for print."""
    with _reading(visit) as deliveries:
        state = _known(deliveries, visit.query.get("name", ""))
    page = difference_page(
        state,
        station=visit.site.plan.station,
        photograph=lambda path: _photograph(visit, path),
        language=visit.language,
        aside_words=partial(aside_words, gettext=visit.language.gettext),
    )
    style = re.search("<style>(.*?)</style>", page, re.DOTALL)
    digest = hashlib.sha256((style[1] if style else "").encode()).digest()
    allowed = f"'sha256-{base64.b64encode(digest).decode()}'"
    policy = f"default-src 'none'; img-src data:; style-src {allowed}; frame-ancestors 'none'"
    return HTMLResponse(page, headers={"Content-Security-Policy": policy})


def report_as_csv(visit: Visit) -> Response:
    """The differences for a spreadsheet."""
    with _reading(visit) as deliveries:
        state = _known(deliveries, visit.query.get("name", ""))
    file = re.sub(r"[^A-Za-z0-9._-]", "_", state.delivery)
    return Response(
        difference_csv(state),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{file}.csv"'},
    )


def _photograph(visit: Visit, path: str) -> bytes | None:
    """The JPEG of an item. Paths that a person wrote elsewhere are not followed from here."""
    folder = visit.site.plan.photographs
    file = folder / path
    if ".." in file.parts or not file.is_relative_to(folder):
        return None
    try:
        raw = read_regular(file, largest=_LARGEST_PHOTOGRAPH)
    except OSError:
        return None
    return raw if raw.startswith(b"\xff\xd8\xff") else None


def _known(deliveries: Deliveries, name: str) -> DeliveryState:
    state = deliveries.state(name)
    if state is None:
        raise UsageError(f"there is no delivery {name!r}")
    return state


@contextmanager
def _reading(visit: Visit) -> Iterator[Deliveries]:
    with Deliveries(visit.site.plan.deliveries, read_only=True) as deliveries:
        yield deliveries


def _done(
    visit: Visit,
    name: str,
    do: Callable[[Desk], PageNotice | None],
    *,
    then: Callable[[], str] | None = None,
) -> Response:
    """Does something at the desk, in the name of who asks, and shows the delivery after it."""
    plan = visit.site.plan
    try:
        with Deliveries(plan.deliveries, keep=plan.keep) as deliveries:
            notice = do(Desk(deliveries, Stamps(plan.station, visit.site.wall), visit.who))
    except (DeliveryRefusedError, UsageError) as error:
        return _said(visit, name, refusal_notice(error, visit.language.gettext))
    return _said(visit, name if then is None else then(), notice)


def _said(visit: Visit, name: str, notice: PageNotice | None) -> Response:
    query = {"name": name} if name else {}
    if notice is not None:
        query["said"] = visit.site.notices.keep(notice)
    return visit.go(f"/delivery?{urlencode(query, quote_via=quote)}")


def _whole(text: str, what: Sentence, *, least: int = 1) -> int:
    """A whole number that a person typed.

    Raises:
        UsageError: it is none, or too small or large.
    """
    found = text.strip()
    if not (found.isascii() and found.isdecimal() and len(found) < 10):
        raise UsageError(
            Sentence(
                "{what} must be a whole number. Received: {given}", what=what, given=repr(text[:20])
            )
        )
    if not least <= int(found) <= _MOST_PIECES:
        raise UsageError(
            Sentence(
                "{what} must be {least} to {most}. Received: {given}",
                what=what,
                least=str(least),
                most=str(_MOST_PIECES),
                given=found,
            )
        )
    return int(found)
