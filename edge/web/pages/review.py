"""Pictures looked through: one key each, or a sweep over many of one label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from starlette.responses import Response

from edge.core.errors import LedgerMissingError, UsageError
from edge.ledger.export.reading import items_of_rows
from edge.ledger.upkeep.reviewing import NOT_AN_ITEM, ReviewDecision, review
from edge.web.notices import PageNotice
from edge.web.review_queue import MOST, photographs_are_kept
from edge.web.visit import Visit
from edge.web.words.refusals import refusal_notice

_KEYS = "123456789abcdefghijklmopqrtvwxyz"
"""The keys of labels, in the order of the lanes; n, s and u mean something else."""
SWEEP = 100
"""Items of a sweep at most."""


def show(visit: Visit) -> Response:
    """The next item, or a sweep over those of one label."""
    site, plan = visit.site, visit.site.plan
    try:
        waiting, skipped = site.review.waiting(visit.who, site.wall())
    except LedgerMissingError:
        waiting, skipped = (), 0
    notice = site.notices.read(visit.query.get("said", ""))
    doubtful = Counter(one.label for one in waiting if not one.drawn)
    sweep = visit.query.get("sweep", "")
    if sweep in plan.labels:
        rows = [one.row for one in waiting if one.row is not None and one.label == sweep]
        return visit.page(
            "sweep.html", label=sweep, swept=items_of_rows(plan.ledger, rows[:SWEEP]),
            more=len(rows) > SWEEP, notice=notice,
        )  # fmt: skip
    model = visit.model
    shown, following = (*waiting[:2], None, None)[:2]
    rows = [] if shown is None or shown.row is None else [shown.row]
    return visit.page(
        "review.html",
        shown=shown,
        told=next(iter(items_of_rows(plan.ledger, rows)), None) if rows else None,
        following=following,
        count=len(waiting),
        more=len(waiting) >= MOST,
        skipped=skipped,
        keys=list(zip(_KEYS, plan.labels, strict=False)),
        not_an_item=NOT_AN_ITEM,
        doubtful=[(label, doubtful[label]) for label in plan.labels if doubtful[label] > 1],
        kept=photographs_are_kept(plan),
        draws=plan.kept == "all" or plan.share > 0,
        forecast=None if model is None else model.forecast,
        notice=notice,
    )


def decide(visit: Visit) -> Response:
    """Writes down what an item is."""
    return _decided(visit, [visit.form.get("item", "")])


def sweep(visit: Visit) -> Response:
    """Writes down that all chosen items are of one label."""
    chosen = [name.removeprefix("item-") for name in visit.form if name.startswith("item-")]
    if not chosen:
        return _said(visit, PageNotice("refused", visit.language.gettext("Nothing was chosen.")))
    return _decided(visit, chosen[:SWEEP])


def skip(visit: Visit) -> Response:
    """Leaves an item to somebody else."""
    if (notice := visit.repeated()) is not None:
        return _said(visit, notice)
    visit.site.review.skip(visit.who, visit.form.get("item", "")[:36])
    return visit.go("/review")


def undo(visit: Visit) -> Response:
    """Takes the last decision back: its items are to be looked at again."""
    site = visit.site
    if (notice := visit.repeated()) is not None:
        return _said(visit, notice)
    last = site.review.take_back(visit.who)
    if not last:
        return _said(
            visit, PageNotice("refused", visit.language.gettext("Nothing is to be undone."))
        )
    _write(visit, [one._replace(label=None) for one in last])
    return visit.go("/review")


def _decided(visit: Visit, items: Sequence[str]) -> Response:
    """Writes down that these items are of the label that the form names; what somebody has decided
    since the page was shown stays as it is."""
    queue, label = visit.site.review, visit.form.get("label", "")
    if (notice := visit.repeated()) is not None:
        return _said(visit, notice)
    with queue.deciding:
        decided = queue.decided(visit.site.wall())
        left = [item for item in items if item not in decided]
        if not left:
            text = visit.language.gettext("Somebody has decided on this already: it stays so.")
            return _said(visit, PageNotice("done", text))
        try:
            decisions = [ReviewDecision(item, label, drawn=queue.is_drawn(item)) for item in left]
            _write(visit, decisions)
        except UsageError as error:
            return _said(visit, refusal_notice(error, visit.language.gettext))
    queue.note(visit.who, decisions)
    return visit.go("/review")


def _write(visit: Visit, decisions: list[ReviewDecision]) -> None:
    site = visit.site
    review(
        site.plan.ledger, decisions, site.plan.lanes, who=visit.who, keep=site.plan.keep,
        wall=site.wall,
    )  # fmt: skip


def _said(visit: Visit, notice: PageNotice) -> Response:
    return visit.go(f"/review?said={visit.site.notices.keep(notice)}")
