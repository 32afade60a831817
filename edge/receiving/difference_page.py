"""The difference report as an HTML page for print; photographs are inside, nothing is fetched.

On paper it is A4 with a line to sign on; colours are not needed to read it.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence

from edge.core.images.html_text import escaped
from edge.receiving.delivery import Line
from edge.receiving.difference import (
    Row,
    aside_pieces,
    containers_missing,
    outcome_words,
    rows,
)
from edge.receiving.scan import RULE
from edge.receiving.state import DeliveryState, Phase

Photograph = Callable[[str], bytes | None]
"""The JPEG of the photograph at a path; None if it no longer exists, or cannot be read."""


def difference_page(state: DeliveryState, *, station: str, photograph: Photograph) -> str:
    """The whole HTML page of a delivery's difference report.

    Args:
        station: the station's name.
        photograph: reads a photograph and makes it small.
    """
    shown = rows(state)
    title = f"Delivery {state.delivery}"
    parts = [
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">",
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escaped(title)}: difference report</title>",
        f"<style>{_STYLE}</style>",
        "</head>",
        "<body>",
        "<header>",
        f'<h1 dir="auto">{escaped(title)}</h1>',
        f'<p class="outcome">{escaped(outcome_words(state))}</p>',
        *_facts(state, station),
        "</header>",
        "<main>",
        *_summary(state, shown),
        *_lines(state, shown),
        *_containers(state),
        *_things(state, photograph),
        "</main>",
        "<footer>",
        f"<p>{escaped(RULE)}</p>",
        '<div class="sign"><span>Date</span><span>Received by</span><span>Carrier</span></div>',
        "</footer>",
        "</body>",
        "</html>",
        "",
    ]
    return "\n".join(parts)


def _facts(state: DeliveryState, station: str) -> Iterator[str]:
    facts = [
        ("station", station),
        ("opened", _moment(state.opened)),
        ("closed", _moment(state.closed)),
        ("closed by", state.closed_by),
        ("announced in", state.source),
        ("back-order of", state.back_order_of),
        ("reopens", state.reopens),
    ]
    yield "<dl>"
    yield from (
        f'<div><dt>{word}</dt><dd dir="auto">{escaped(said)}</dd></div>'
        for word, said in facts
        if said
    )
    yield "</dl>"


def _summary(state: DeliveryState, shown: Sequence[Row]) -> Iterator[str]:
    if state.phase is not Phase.CLOSED:
        yield '<p class="draft">Not closed: these figures may still change.</p>'
    figures = [
        ("counted", sum(row.count.counted for row in shown)),
        *(
            []
            if state.hidden
            else [
                ("expected", sum(row.line.expected for row in shown)),
                ("short", sum(row.short for row in shown)),
                ("over", sum(row.over for row in shown)),
            ]
        ),
        ("damaged", sum(row.count.damaged for row in shown)),
        ("put aside", aside_pieces(state)),
        ("stopped", len(state.disagreements)),
    ]
    yield '<ul class="figures">'
    yield from (
        f'<li class="{"some" if figure and word not in ("counted", "expected") else "none"}">'
        f"<b>{figure:,}</b> {word}</li>"
        for word, figure in figures
    )
    yield "</ul>"


def _lines(state: DeliveryState, shown: Sequence[Row]) -> Iterator[str]:
    heads = ["Line", "Article", "GTIN", "Expected", "Counted", "Short", "Over", "Damaged"]
    hidden = ("Expected", "Short", "Over") if state.hidden else ()
    yield "<table>"
    yield "<thead><tr>"
    for head in heads:
        if head not in hidden:
            number = "" if head in ("Article", "GTIN") else ' class="number"'
            yield f'<th scope="col"{number}>{head}</th>'
    yield "</tr></thead><tbody>"
    for row in shown:
        count = row.count
        figures = {
            "Expected": row.line.expected,
            "Counted": count.counted,
            "Short": row.short,
            "Over": row.over,
            "Damaged": count.damaged,
        }
        yield f'<tr class="{"differs" if row.differs else "right"}">'
        yield f'<td class="number">{row.line.number}</td>'
        yield f'<td dir="auto">{_article(row)}</td>'
        yield f'<td class="code">{escaped(row.line.gtin or "")}</td>'
        for name, figure in figures.items():
            if name not in hidden:
                said = f"{figure:,}" if figure or name in ("Expected", "Counted") else ""
                strong = f"<b>{said}</b>" if said and name in _ODD else said
                yield f'<td class="number">{strong}</td>'
        yield "</tr>"
    yield "</tbody></table>"
    if state.hidden:
        yield "<p>The expected figures are hidden until the delivery is closed.</p>"


_ODD = ("Short", "Over", "Damaged")


def _article(row: Row) -> str:
    line = row.line
    notes = [
        *([f"lot {line.lot}"] if line.lot else []),
        *([f"expiry {line.expiry}"] if line.expiry else []),
        *([f"container {line.container}"] if line.container else []),
        *([f"serials missing: {', '.join(row.serials_missing)}"] if row.serials_missing else []),
        *([f"not as announced: {', '.join(row.other_lots)}"] if row.other_lots else []),
    ]
    said = "".join(f"<small>{escaped(note)}</small>" for note in notes)
    return f"<b>{escaped(line.sku)}</b> {escaped(line.description)}{said}"


def _containers(state: DeliveryState) -> Iterator[str]:
    missing = () if state.hidden else containers_missing(state)
    if missing:
        yield "<h2>Containers that were not scanned</h2><ul>"
        yield from (f"<li>{escaped(sscc)}</li>" for sscc in missing)
        yield "</ul>"


def _things(state: DeliveryState, photograph: Photograph) -> Iterator[str]:
    lines = {line.number: line for line in state.lines}
    yield from _section(
        "Stopped: the picture shows something else",
        [
            _thing(
                f"{_name(lines[one.line])}: the picture shows {one.seen}",
                one.code,
                one.time,
                one.by,
                one.photograph,
                photograph,
            )
            for one in state.disagreements
        ],
    )
    yield from _section(
        "Damaged",
        [
            _thing(
                f"{one.pieces} of {_name(lines[one.line])}",
                one.why,
                one.time,
                one.by,
                one.photograph,
                photograph,
            )
            for one in state.damages
        ],
    )
    yield from _section(
        "Put aside",
        [
            _thing(
                f"{one.pieces} with the code {one.code}"
                if one.code
                else f"{one.pieces} that the station took for {one.label or 'nothing it knows'}",
                one.reason,
                one.time,
                one.by,
                one.photograph,
                photograph,
            )
            for one in state.asides
        ],
    )


def _section(title: str, things: Sequence[str]) -> Iterator[str]:
    if things:
        yield f'<h2>{escaped(title)}</h2><ul class="things">'
        yield from things
        yield "</ul>"


def _thing(
    said: str, detail: str, time: str, by: str, path: str | None, photograph: Photograph
) -> str:
    picture = ""
    if path is not None:
        jpeg = photograph(path)
        picture = (
            f'<p class="gone">The photograph no longer exists: {escaped(path)}</p>'
            if jpeg is None
            else f'<img alt="{escaped(said)}" '
            f'src="data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}">'
        )
    return (
        f'<li>{picture}<div dir="auto"><b>{escaped(said)}</b><br>{escaped(detail)}'
        f"<small>{escaped(_moment(time) or '')}, {escaped(by)}</small></div></li>"
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
td { overflow-wrap: anywhere; }
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
