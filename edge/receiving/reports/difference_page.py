"""The difference report as an HTML page for print; photographs are inside, nothing is fetched.

On paper it is A4 with a line to sign on; colours are not needed to read it.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

from edge.core.images.html_text import escaped
from edge.receiving.delivery import Line
from edge.receiving.events import PutAside
from edge.receiving.reports.difference import (
    Row,
    aside_pieces,
    containers_missing,
    outcome_words,
    rows,
)
from edge.receiving.scan import RULE
from edge.receiving.state import DeliveryState, Phase

Gettext = Callable[[str], str]
Photograph = Callable[[str], bytes | None]
"""The JPEG of the photograph at a path; None if it no longer exists, or cannot be read."""


class ReportLanguage(Protocol):
    """What the report is written in."""

    @property
    def code(self) -> str:
        """As in `<html lang>`: `en`."""

    def gettext(self, message: str, /) -> str:
        """The translation of an English text."""

    def number(self, value: float, /) -> str:
        """A number with its groups of thousands."""


class _English:
    code = "en"

    def gettext(self, message: str, /) -> str:
        return message

    def number(self, value: float, /) -> str:
        return f"{value:,}"


ENGLISH: ReportLanguage = _English()


def difference_page(
    state: DeliveryState,
    *,
    station: str,
    photograph: Photograph,
    language: ReportLanguage = ENGLISH,
    aside_words: Gettext = str,
) -> str:
    """The whole HTML page of a delivery's difference report.

    Args:
        station: the station's name.
        photograph: reads a photograph and makes it small.
        language: what it is written in; what people typed stays as it is.
        aside_words: translates why a piece was put aside.
    """
    _ = language.gettext
    shown = rows(state)
    title = _("Delivery %s") % state.delivery
    kind = _("difference report")
    parts = [
        "<!doctype html>",
        f'<html lang="{language.code}">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">",
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escaped(title)}: {escaped(kind)}</title>",
        f"<style>{_STYLE}</style>",
        "</head>",
        "<body>",
        "<header>",
        f'<h1 dir="auto">{escaped(title)}</h1>',
        f'<p class="outcome">{escaped(outcome_words(state, _))}</p>',
        *_facts(state, station, _),
        "</header>",
        "<main>",
        *_summary(state, shown, language),
        *_lines(state, shown, language),
        *_containers(state, _),
        *_things(state, photograph, language, aside_words),
        "</main>",
        "<footer>",
        f"<p>{escaped(_(RULE))}</p>",
        '<div class="sign">',
        *(f"<span>{escaped(who)}</span>" for who in (_("Date"), _("Received by"), _("Carrier"))),
        "</div>",
        "</footer>",
        "</body>",
        "</html>",
        "",
    ]
    return "\n".join(parts)


def _facts(state: DeliveryState, station: str, _: Gettext) -> Iterator[str]:
    facts = [
        (_("station"), station),
        (_("opened"), _moment(state.opened)),
        (_("closed"), _moment(state.closed)),
        (_("closed by"), state.closed_by),
        (_("announced in"), state.source),
        (_("back-order of"), state.back_order_of),
        (_("reopens"), state.reopens),
    ]
    yield "<dl>"
    yield from (
        f'<div><dt>{escaped(word)}</dt><dd dir="auto">{escaped(said)}</dd></div>'
        for word, said in facts
        if said
    )
    yield "</dl>"


def _summary(state: DeliveryState, shown: Sequence[Row], language: ReportLanguage) -> Iterator[str]:
    _ = language.gettext
    if state.phase is not Phase.CLOSED:
        draft = _("Not closed: these figures may still change.")
        yield f'<p class="draft">{escaped(draft)}</p>'
    counted = (_("counted"), sum(row.count.counted for row in shown), False)
    announced = [
        (_("expected"), sum(row.line.expected for row in shown), False),
        (_("short"), sum(row.short for row in shown), True),
        (_("over"), sum(row.over for row in shown), True),
    ]
    found = [
        (_("damaged"), sum(row.count.damaged for row in shown), True),
        (_("put aside"), aside_pieces(state), True),
        (_("stopped"), len(state.disagreements), True),
    ]
    yield '<ul class="figures">'
    yield from (
        f'<li class="{"some" if figure and is_odd else "none"}">'
        f"<b>{language.number(figure)}</b> {escaped(word)}</li>"
        for word, figure, is_odd in (counted, *([] if state.hidden else announced), *found)
    )
    yield "</ul>"


class _Column(NamedTuple):
    """A column of figures."""

    head: str
    figure: Callable[[Row], int]
    is_odd: bool = False
    """Whether every figure but 0 is a difference; a 0 is left out."""
    is_announced: bool = False
    """Whether it shows what a blind count hides."""


def _columns(_: Gettext) -> Iterator[_Column]:
    yield _Column(_("Expected"), lambda row: row.line.expected, is_announced=True)
    yield _Column(_("Counted"), lambda row: row.count.counted)
    yield _Column(_("Short"), lambda row: row.short, is_odd=True, is_announced=True)
    yield _Column(_("Over"), lambda row: row.over, is_odd=True, is_announced=True)
    yield _Column(_("Damaged"), lambda row: row.count.damaged, is_odd=True)


def _lines(state: DeliveryState, shown: Sequence[Row], language: ReportLanguage) -> Iterator[str]:
    _ = language.gettext
    columns = [one for one in _columns(_) if not (one.is_announced and state.hidden)]
    yield '<div class="wide" tabindex="0"><table>'
    yield "<thead><tr>"
    number = _("Line")
    yield f'<th scope="col" class="number">{escaped(number)}</th>'
    yield from (f'<th scope="col">{escaped(head)}</th>' for head in (_("Article"), "GTIN"))
    yield from (f'<th scope="col" class="number">{escaped(one.head)}</th>' for one in columns)
    yield "</tr></thead><tbody>"
    for row in shown:
        yield f'<tr class="{"differs" if row.differs else "right"}">'
        yield f'<td class="number">{row.line.number}</td>'
        yield f'<td class="article" dir="auto">{_article(row, _)}</td>'
        yield f'<td class="code">{escaped(row.line.gtin or "")}</td>'
        for one in columns:
            said = language.number(one.figure(row))
            if one.is_odd:
                said = f"<b>{said}</b>" if one.figure(row) else ""
            yield f'<td class="number">{said}</td>'
        yield "</tr>"
    yield "</tbody></table></div>"
    if state.hidden:
        said = _("The expected figures are hidden until the delivery is closed.")
        yield f"<p>{escaped(said)}</p>"


def _article(row: Row, _: Gettext) -> str:
    line = row.line
    notes = [
        *([_("lot %s") % line.lot] if line.lot else []),
        *([_("expiry %s") % line.expiry] if line.expiry else []),
        *([_("container %s") % line.container] if line.container else []),
        *(
            [_("serials missing: %s") % ", ".join(row.serials_missing)]
            if row.serials_missing
            else []
        ),
        *([_("not as announced: %s") % ", ".join(row.other_lots(_))] if row.other_lots(_) else []),
    ]
    said = "".join(f"<small>{escaped(note)}</small>" for note in notes)
    return f"<b>{escaped(line.sku)}</b> {escaped(line.description)}{said}"


def _containers(state: DeliveryState, _: Gettext) -> Iterator[str]:
    missing = () if state.hidden else containers_missing(state)
    if missing:
        title = _("Containers that were not scanned")
        yield f"<h2>{escaped(title)}</h2><ul>"
        yield from (f"<li>{escaped(sscc)}</li>" for sscc in missing)
        yield "</ul>"


def _things(
    state: DeliveryState, photograph: Photograph, language: ReportLanguage, aside_words: Gettext
) -> Iterator[str]:
    _ = language.gettext
    lines = {line.number: line for line in state.lines}
    stopped = [
        _Thing(
            _("%(goods)s: the picture shows %(seen)s")
            % {"goods": _name(lines[one.line]), "seen": one.seen},
            one.code, one.time, one.by, one.photograph,
        )
        for one in state.disagreements
    ]  # fmt: skip
    damaged = [
        _Thing(
            _("%(pieces)s of %(goods)s")
            % {"pieces": language.number(one.pieces), "goods": _name(lines[one.line])},
            one.why, one.time, one.by, one.photograph,
        )
        for one in state.damages
    ]  # fmt: skip
    aside = [
        _Thing(
            _aside_title(one, language), aside_words(one.reason),
            one.time, one.by, one.photograph,
        )
        for one in state.asides
    ]  # fmt: skip
    for title, things in (
        (_("Stopped: the picture shows something else"), stopped),
        (_("Damaged"), damaged),
        (_("Put aside"), aside),
    ):
        if things:
            yield f'<h2>{escaped(title)}</h2><ul class="things">'
            yield from (_thing(one, photograph, _) for one in things)
            yield "</ul>"


def _aside_title(one: PutAside, language: ReportLanguage) -> str:
    _, pieces = language.gettext, language.number(one.pieces)
    if one.code:
        return _("%(pieces)s with the code %(code)s") % {"pieces": pieces, "code": one.code}
    return _("%(pieces)s that the station took for %(label)s") % {
        "pieces": pieces, "label": one.label or _("nothing it knows"),
    }  # fmt: skip


class _Thing(NamedTuple):
    """Something that happened to a piece."""

    said: str
    detail: str
    time: str
    by: str
    photograph: str | None


def _thing(thing: _Thing, photograph: Photograph, _: Gettext) -> str:
    picture = ""
    if thing.photograph is not None:
        jpeg = photograph(thing.photograph)
        if jpeg is None:
            gone = _("The photograph no longer exists: %s") % thing.photograph
            picture = f'<p class="gone">{escaped(gone)}</p>'
        else:
            content = base64.b64encode(jpeg).decode()
            picture = f'<img alt="{escaped(thing.said)}" src="data:image/jpeg;base64,{content}">'
    return (
        f'<li>{picture}<div dir="auto"><b>{escaped(thing.said)}</b><br>{escaped(thing.detail)}'
        f"<small>{escaped(_moment(thing.time) or '')}, {escaped(thing.by)}</small></div></li>"
    )


def _name(line: Line) -> str:
    return f"{line.sku} {line.description}".strip()


def _moment(time: str | None) -> str | None:
    return None if time is None else f"{time[:10]} {time[11:16]} UTC"


_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #59626d; --paper: #fff; --card: #f3f5f7;
  --line: #d9dee4; --odd: #d55e00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ebee; --soft: #9ba5b0; --paper: #14171a;
  --card: #1f2429; --line: #343b43; --odd: #ff8a3d; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1100px; padding: 2rem 1.25rem 3rem; color: var(--ink);
  background: var(--paper); font: 15px/1.45 system-ui, "Noto Sans", "DejaVu Sans", sans-serif; }
h1 { margin: 0; font-size: 1.8rem; line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin: 2rem 0 .5rem; font-size: 1.15rem; break-after: avoid; }
.outcome { margin: .2rem 0 1rem; font-size: 1.25rem; font-weight: 650; }
.draft { padding: .6rem .9rem; border: 2px dashed var(--odd); border-radius: 8px; }
dl { display: flex; flex-wrap: wrap; gap: .3rem 1.8rem; margin: 0; }
dt { color: var(--soft); font-size: .85rem; } dd { margin: 0; overflow-wrap: anywhere; }
.figures { display: flex; flex-wrap: wrap; gap: .6rem; margin: 1.4rem 0; padding: 0;
  list-style: none; }
.figures li { min-width: 6.5rem; padding: .5rem .9rem; border: 1px solid var(--line);
  border-radius: 8px; background: var(--card); }
.figures b { display: block; font-size: 1.5rem; line-height: 1.2; }
.figures .some { border: 2px solid var(--odd); }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .45rem .6rem; border-bottom: 1px solid var(--line); text-align: start;
  vertical-align: top; }
th { color: var(--soft); font-size: .85rem; font-weight: 600; white-space: nowrap; }
.wide { overflow-x: auto; }
td.article { min-width: 10rem; overflow-wrap: anywhere; }
.number { text-align: end; }
.number, .code { white-space: nowrap; }
tr.differs { background: var(--card); box-shadow: inset 4px 0 var(--odd); }
tr { break-inside: avoid; }
small { display: block; color: var(--soft); font-size: .85rem; }
.things { display: grid; grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); gap: .8rem;
  margin: 0; padding: 0; list-style: none; }
.things li { display: flex; gap: .8rem; padding: .7rem; border: 1px solid var(--line);
  border-radius: 8px; break-inside: avoid; overflow-wrap: anywhere; }
.things img { width: 120px; height: 120px; flex: none; object-fit: contain; }
.gone { margin: 0; width: 120px; flex: none; color: var(--soft); font-size: .8rem; }
footer { margin-top: 2.5rem; color: var(--soft); break-inside: avoid; }
.sign { display: flex; gap: 2rem; margin-top: 3.5rem; }
.sign span { flex: 1; padding-top: .3rem; border-top: 1px solid var(--ink); }
@page { size: A4; margin: 15mm; }
@media print { :root { --ink: #000; --soft: #444; --paper: #fff; --card: #f3f5f7; --line: #bbb;
  --odd: #d55e00; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  thead { display: table-header-group; }
  .things { grid-template-columns: repeat(2, 1fr); }
  tr.differs, .figures li { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""
