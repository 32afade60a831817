"""The page of a benchmark: times with their histograms, heat, and accuracy against time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from edge.benchmark.comparison import Change
from edge.benchmark.frame_to_verdict import FIGURES, STAGES
from edge.benchmark.rehearsal import WAYS, Rehearsal
from edge.benchmark.series import Measured, Series
from edge.core.images.contact_sheet import SheetSection, write_contact_sheet
from edge.core.images.html_text import escaped

_BINS = 40
_WIDE, _HIGH = 480, 220
_ROOM = 44
"""Pixels for the labels of an axis."""


def write_bench_page(path: Path, series: Series, compared: Sequence[Change] = ()) -> None:
    """Writes the page, which needs no other file and no script.

    Raises:
        StorageError: it cannot be written.
    """
    slowed = series.slowed
    sections = [SheetSection("Times", (), content=_STYLE + _table(series.measured))]
    if len({each.benchmark.bundle for each in series.measured if each.accuracy is not None}) > 1:
        sections.append(
            SheetSection("Accuracy against time", (), content=_frontier(series.measured))
        )
    for each in series.measured:
        content = _histogram(each) + (_minutes(each) if each.minutes else "")
        if each.region is not None:
            content += f"<p class=note>Region: {escaped(str(each.region))}.</p>"
        sections.append(SheetSection(_name(each), (), content=content))
    for rehearsal in series.rehearsals:
        title = f"A whole station with {rehearsal.bundle}"
        sections.append(SheetSection(title, (), content=_rehearsal(rehearsal)))
    if compared:
        rows = "".join(f"<tr><td>{escaped(str(change))}</td></tr>" for change in compared)
        sections.append(SheetSection("Compared", (), content=f"<table>{rows}</table>"))
    write_contact_sheet(
        path,
        title="How long a frame takes to become a verdict",
        summary=[
            f"{series.machine}. Frames of {series.pixels} pixels.",
            f"Heat: {_heat(series.before.celsius)} before, {_heat(series.after.celsius)} after."
            + (f" The machine was slowed: {', '.join(slowed)}." if slowed else ""),
        ],
        sections=sections,
    )


def _table(measured: Sequence[Measured]) -> str:
    head = "".join(
        f'<th scope="col">{escaped(word)}</th>'
        for word in ("bundle", "threads", "stage", *FIGURES, "over inference", "MB")
    )
    rows = []
    for each in measured:
        found = each.benchmark
        for number, stage in enumerate(STAGES):
            first = number == 0
            cells = [
                escaped(found.bundle) if first else "",
                str(found.threads) if first else "",
                stage,
                *(f"{getattr(found.stages[stage], name):.3f}" for name in FIGURES),
                f"{found.total_over_invoke:.3f}" if stage == "total" else "",
                f"{found.rss_mb:.0f}" if stage == "total" else "",
            ]
            rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    return (
        f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody>'
        "</table></div><p class=note>Milliseconds. <b>invoke</b> is the inference alone, "
        "<b>total</b> goes from the frame to the verdict.</p>"
    )


def _histogram(each: Measured) -> str:
    """How often the way from the frame to the verdict took how long, up to its 99th percentile."""
    totals = np.asarray(each.benchmark.totals)
    end = each.benchmark.stages["total"].p99
    shown = totals[totals <= end]
    if not len(shown) or end <= shown.min():
        return "<p class=note>All runs took the same time.</p>"
    counts, edges = np.histogram(shown, bins=_BINS)
    width = _WIDE / _BINS
    bars = "".join(
        f'<rect x="{number * width:.1f}" y="{120 - 110 * count / counts.max():.1f}" '
        f'width="{width - 1:.1f}" height="{110 * count / counts.max():.1f}">'
        f"<title>{low:.2f} to {high:.2f} ms: {count:,}</title></rect>"
        for number, (count, low, high) in enumerate(zip(counts, edges[:-1], edges[1:], strict=True))
        if count
    )
    return (
        f'<figure><svg viewBox="0 0 {_WIDE} 140" role="img" '
        f'aria-label="Times of {escaped(_name(each))}">'
        f'{bars}<line x1="0" x2="{_WIDE}" y1="120" y2="120"/>'
        f'<text x="0" y="136">{edges[0]:.2f} ms</text>'
        f'<text x="{_WIDE}" y="136" text-anchor="end">{edges[-1]:.2f} ms</text></svg>'
        f"<figcaption>{len(shown):,} of {len(totals):,} runs; the slowest hundredth, up to "
        f"{each.benchmark.stages['total'].max:.2f} ms, is not shown.</figcaption></figure>"
    )


def _minutes(each: Measured) -> str:
    rows = "".join(
        f"<tr><td>{number}</td><td>{minute.p50_ms:.3f}</td><td>{minute.p99_ms:.3f}</td>"
        f"<td>{_heat(minute.heat.celsius)}</td>"
        f"<td>{escaped(', '.join(minute.heat.slowed))}</td></tr>"
        for number, minute in enumerate(each.minutes, start=1)
    )
    return (
        "<table><thead><tr><th>minute</th><th>p50, ms</th><th>p99, ms</th><th>heat</th>"
        f"<th>slowed by</th></tr></thead><tbody>{rows}</tbody></table>"
    )


def _rehearsal(found: Rehearsal) -> str:
    """What a whole station did: how old its frames were, and how late its pin."""
    head = "".join(f'<th scope="col">{name}</th>' for name in ("", *FIGURES))
    rows = "".join(
        f"<tr><td>{name.replace('_', ' ')}</td>"
        + "".join(f"<td>{getattr(found.ways[name], figure):.3f}</td>" for figure in FIGURES)
        + "</tr>"
        for name in WAYS
    )
    return (
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table><p class=note>"
        f"Milliseconds, of {found.verdicts:,} verdicts of a whole station at 30 frames a second, "
        f"{escaped(found.pins)}. {found.dropped:,} frames were dropped for newer ones, and "
        f"{found.missed:,} times the pin was not written in time.</p>"
    )


def _frontier(measured: Sequence[Measured]) -> str:
    """Each bundle's accuracy with its interval against its median time with the number of threads
    that is best for it; the best bundles are joined."""
    fastest: dict[str, Measured] = {}
    for each in measured:
        known = fastest.get(each.benchmark.bundle)
        if each.accuracy is not None and (known is None or _time(each) < _time(known)):
            fastest[each.benchmark.bundle] = each
    points = [(_time(each), each.accuracy or {}, _name(each)) for each in fastest.values()]
    most = max(time for time, _, _ in points) * 1.1
    lowest = min(float(found["accuracy_interval"][0]) for _, found, _ in points)
    highest = max(float(found["accuracy_interval"][1]) for _, found, _ in points)
    room = max(0.01, highest - lowest)

    def x(time: float) -> float:
        return _ROOM + (_WIDE - _ROOM - 10) * time / most

    def y(share: float) -> float:
        return 10 + (_HIGH - _ROOM) * (highest - share) / room

    marks = "".join(
        f'<line class="range" x1="{x(time):.1f}" x2="{x(time):.1f}" '
        f'y1="{y(found["accuracy_interval"][0]):.1f}" y2="{y(found["accuracy_interval"][1]):.1f}"/>'
        f'<circle cx="{x(time):.1f}" cy="{y(found["accuracy"]):.1f}" r="5"/>'
        f'<text x="{x(time) + 9:.1f}" y="{y(found["accuracy"]) + 4:.1f}">{number}</text>'
        for number, (time, found, _) in enumerate(points, start=1)
    )
    best = _best((time, float(found["accuracy"])) for time, found, _ in points)
    line = " ".join(f"{x(time):.1f},{y(share):.1f}" for time, share in best)
    names = "".join(
        f"<li>{escaped(name)}: {found['accuracy']:.1%} of {found['images']:,} test pictures, "
        f"{time:.2f} ms</li>"
        for time, found, name in points
    )
    return (
        f'<figure><svg viewBox="0 0 {_WIDE} {_HIGH}" role="img" aria-label="Accuracy against time">'
        f'<polyline points="{line}"/>{marks}'
        f'<line x1="{_ROOM}" x2="{_WIDE}" y1="{_HIGH - 30}" y2="{_HIGH - 30}"/>'
        f'<text x="0" y="16">{highest:.0%}</text><text x="0" y="{_HIGH - 36}">{lowest:.0%}</text>'
        f'<text x="{_ROOM}" y="{_HIGH - 12}">0 ms</text>'
        f'<text x="{_WIDE}" y="{_HIGH - 12}" text-anchor="end">{most:.1f} ms</text></svg>'
        f"</figure><ol>{names}</ol>"
        "<p class=note>The accuracy is that of the int8 model on its own test pictures, with its "
        "95 % interval, as its bundle says: bundles of other pictures cannot be compared. The line "
        "joins the bundles that no other one beats in both.</p>"
    )


def _time(each: Measured) -> float:
    return each.benchmark.stages["total"].p50


def _best(points: Iterable[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Those of (time, accuracy) that no faster one reaches."""
    highest = -1.0
    for time, share in sorted(points, key=lambda point: (point[0], -point[1])):
        if share > highest:
            highest = share
            yield time, share


def _name(each: Measured) -> str:
    threads = each.benchmark.threads
    return f"{each.benchmark.bundle}, {threads} thread{'s' * (threads != 1)}"


def _heat(celsius: float | None) -> str:
    return "not known" if celsius is None else f"{celsius:.1f} degrees Celsius"


_STYLE = """<style>
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: .6rem 0; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem 1rem .3rem 0; border-bottom: 1px solid var(--line); text-align: start; }
th { color: var(--soft); font-size: .85rem; }
figure { max-width: 640px; margin: .6rem 0 0; } figure svg { width: 100%; }
figure rect, figure circle { fill: var(--ok); }
figure line { stroke: var(--line); } figure .range { stroke: var(--ink); }
figure polyline { fill: none; stroke: var(--ok); stroke-width: 1.5; stroke-dasharray: 4 3; }
figure text { fill: var(--soft); font-size: 12px; }
figcaption { color: var(--soft); font-size: .9rem; }
@media print { figure svg { print-color-adjust: exact; } }
</style>"""
