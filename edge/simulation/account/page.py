"""The report of a simulated run as one HTML page: figures, tables, charts and pictures of items."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from edge.core.images.contact_sheet import (
    Headline,
    Mark,
    SheetSection,
    write_contact_sheet,
)
from edge.core.images.html_text import escaped
from edge.core.model.metrics import Share
from edge.simulation.account.gallery import Gallery
from edge.simulation.account.lane_figures import LaneFigures
from edge.simulation.account.report import Report
from edge.simulation.account.spread import Spread

_MARKS = {
    Mark.OK: "in the right lane, shown:",
    Mark.WRONG: "in a wrong lane, shown:",
    Mark.REJECT: "in no lane, shown:",
}
"""The numbers behind these are of the pictures on the page, which are not those of all items."""
_BINS = 40
_MOST_STOPS = 100


def write_page(path: Path, report: Report, gallery: Gallery) -> None:
    """Writes the page, which needs no other file and no script.

    Raises:
        StorageError: it cannot be written.
    """
    setting = report.setting
    faults = f" Faults: {', '.join(setting.faults)}." if setting.faults else ""
    left_out = f" Left out: {', '.join(setting.left_out)}." if setting.left_out else ""
    rate = report.items_per_second
    write_contact_sheet(
        path,
        title=f"{setting.station}: a simulated {setting.world}",
        headline=_headline(report),
        summary=[
            f"{report.account.items:,} {setting.items} items in {report.virtual_seconds:,.0f} s by "
            "their own clock" + ("" if rate is None else f", {rate:.2f} a second") + ". "
            f"{setting.bundle}. Seed {setting.seed}.{faults}{left_out}",
            "The station's own code ran on a clock on which computing takes no time, unless a "
            "fault says otherwise; the pins were mock pins. What this cannot tell: how fast your "
            "machine is, how your light is, and how your items fall.",
        ],
        sections=[
            SheetSection("Lanes", (), content=_STYLE + _lanes_table(report)),
            SheetSection("What each item was accepted as", (), content=_confusion(report)),
            SheetSection("Times", (), content=_times(report)),
            *_states(report),
            *_pictures(report, gallery),
        ],
        limit_per_section=96,
        meanings=_MARKS,
    )


def _headline(report: Report) -> Headline:
    account = report.account
    wrong = report.purity.total - report.purity.count
    verdicts = report.verdicts
    rejects = {reason.replace("_", " "): count for reason, count in account.rejects.items()}
    details = [
        *([f"In a wrong lane: {wrong:,}, which the pictures show first."] if wrong else []),
        f"Purity of what was accepted and moved: {report.purity_of_accepted}.",
        f"Recovery: {report.recovery}, of what belongs into a lane.",
        f"Verdicts: {verdicts['one']:,} items got one, {verdicts['none']:,} none, "
        f"{verdicts['several']:,} several; {verdicts['without_item']:,} verdicts for no item.",
        f"Rejected: {_counts(rejects)}. Late: {report.late:,}.",
    ]
    if report.stopped:
        details.insert(0, "It was stopped before the last item had passed.")
    mark = Mark.REJECT if report.purity.value is None else Mark.WRONG if wrong else Mark.OK
    return Headline(mark, f"Purity: {report.purity}, of what is in the lanes.", details)


def _lanes_table(report: Report) -> str:
    return _table(
        ("Lane", "For", "Items", "Purity", "Recovery", "What is in it"),
        [
            [
                escaped(name),
                escaped(", ".join(lane.labels) or "nothing: rejects"),
                _number(sum(lane.found.values())),
                _share(lane.purity),
                _share(lane.recovery),
                escaped(_counts(lane.found)),
            ]
            for name, lane in report.lanes.items()
        ],
    )


def _share(share: Share) -> str:
    """A share as a bar with its 95 % interval, from 0 to 1, and in words."""
    if share.value is None or share.interval is None:
        return '<span class="none">–</span>'
    low, high = (100 * end for end in share.interval)
    return (
        f'<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect width="100" height="10" class="back"/>'
        f'<rect width="{100 * share.value:.2f}" height="10" class="value"/>'
        f'<rect x="{low:.2f}" y="3.5" width="{max(0.6, high - low):.2f}" height="3" class="range"/>'
        f"</svg><small>{escaped(str(share))}</small>"
    )


def _confusion(report: Report) -> str:
    matrix = report.confusion()
    columns = list(next(iter(matrix.values()), {}))
    rows = []
    for label, row in matrix.items():
        total = sum(row.values())
        cells = [f"<b>{escaped(label)}</b>"]
        for column in columns:
            count = row[column]
            kind = "right" if column == label else "wrong" if column in matrix else "other"
            share = 0.0 if not total else count / total
            shade = f' class="{kind}" style="--share:{100 * share**0.5:.0f}%"' if count else ""
            cells.append(f"<span{shade}>{count:,}</span>" if count else "")
        rows.append(cells)
    head = ("It is", *columns)
    return _table(head, rows, kind="matrix")


def _states(report: Report) -> Iterator[SheetSection]:
    """The stops of the station and its OEE, if they are known."""
    found, states = report.effectiveness, report.states
    if found is None or states is None:
        return
    rows = [
        [
            f"<b>{escaped(stop.reason)}</b><small>{escaped(stop.scope)}</small>",
            _milli((stop.begin - states.begin) / 1e6),
            _milli(stop.length / 1e6),
            escaped(", ".join(stop.states)),
        ]
        for stop in states.stops[:_MOST_STOPS]
    ]
    table = _table(("Stop", "From, s", "Seconds", "States"), rows) if rows else ""
    note = report.state_lines()[0].removeprefix("OEE").strip()
    yield SheetSection("Stops and OEE", (), note=f"OEE {note}", content=table or "<p></p>")


def _times(report: Report) -> str:
    rows = [
        [
            f"<b>{escaped(name)}</b><small>{escaped(meaning)}</small>",
            *(_milli(spread.percentile(percent)) for percent in (50, 95, 99, 100)),
            escaped(unit),
        ]
        for name, spread, unit, meaning in report.times()
        if len(spread)
    ]
    note = (
        f"<p class=note>This machine took {report.machine['seconds']:,.1f} s for it: "
        f"{report.machine_words}. These are no part of the times above.</p>"
    )
    table = _table(("", "p50", "p95", "p99", "max", ""), rows)
    return f'<div class="beside">{table}{_histogram(report.account.landing_ms)}</div>{note}'


def _histogram(landing: Spread) -> str:
    """How many actuators moved how early or late for their items."""
    bins = landing.bins(_BINS)
    if not bins:
        return ""
    most = max(count for _, _, count in bins)
    wide = 320 / len(bins)
    bars = "".join(
        f'<rect x="{index * wide:.1f}" y="{120 - 110 * count / most:.1f}" '
        f'width="{max(1.0, wide - 1):.1f}" height="{110 * count / most:.1f}" class="value">'
        f"<title>{low:g} to {high:g} ms: {count:,}</title></rect>"
        for index, (low, high, count) in enumerate(bins)
        if count
    )
    first, last = bins[0][0], bins[-1][1]
    zero = ""
    if first <= 0 <= last:
        at = 320 * (0 - first) / (last - first)
        zero = f'<line x1="{at:.1f}" x2="{at:.1f}" y1="0" y2="120" class="zero"/>'
    return (
        '<figure><svg class="chart" viewBox="0 0 320 140" role="img" '
        'aria-label="Landing error">'
        f'{bars}{zero}<line x1="0" x2="320" y1="120" y2="120" class="axis"/>'
        f'<text x="0" y="136">{first:g} ms</text>'
        f'<text x="320" y="136" text-anchor="end">{last:g} ms</text></svg>'
        f"<figcaption>Landing error of {len(landing):,} items: how long after the right moment the "
        "actuator moved; below 0 it was early.</figcaption></figure>"
    )


def _pictures(report: Report, gallery: Gallery) -> Iterator[SheetSection]:
    sections = [
        SheetSection(
            f"Lane {name}" if name in report.account.places else name.capitalize(),
            gallery.of(name),
            note=_note(lane),
            count=sum(lane.found.values()),
        )
        for name, lane in report.lanes.items()
    ]
    # What went wrong comes first: it is what one looks for.
    sections.sort(key=lambda section: all(tile.mark is Mark.OK for tile in section.tiles))
    yield from sections


def _note(lane: LaneFigures) -> str:
    if not lane.labels:
        return "what was rejected, or missed its lane"
    return f"for {', '.join(lane.labels)}: purity {lane.purity}; recovery {lane.recovery}"


def _table(head: tuple[str, ...], rows: list[list[str]], *, kind: str = "figures") -> str:
    """A table whose cells are HTML, and whose head is text."""
    titles = "".join(f'<th scope="col">{escaped(title)}</th>' for title in head)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return (
        f'<div class="wide"><table class="{kind}"><thead><tr>{titles}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _number(value: int) -> str:
    return f'<span class="number">{value:,}</span>'


def _milli(value: float | None) -> str:
    return "" if value is None else f'<span class="number">{value:,.2f}</span>'


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items())) or "none"


_STYLE = """<style>
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin-top: .6rem; font-variant-numeric: tabular-nums; }
th, td { padding: .4rem .8rem .4rem 0; border-bottom: 1px solid var(--line); text-align: start;
  vertical-align: top; }
th { color: var(--soft); font-size: .85rem; font-weight: 600; white-space: nowrap; }
td small { display: block; color: var(--soft); }
.number { display: block; text-align: end; white-space: nowrap; }
.none { color: var(--soft); }
.bar { display: block; width: 220px; height: 14px; border-radius: 3px; }
.bar .back { fill: var(--line); } .bar .value, .chart .value { fill: var(--ok); }
.bar .range { fill: var(--ink); }
.matrix td, .matrix th { min-width: 5rem; padding: .25rem; text-align: center; }
.matrix td:first-child, .matrix th:first-child { text-align: start; padding-right: 1rem; }
.matrix span { display: block; padding: .25rem; border-radius: 5px;
  background: color-mix(in srgb, var(--shade) var(--share), var(--card)); }
.matrix .right { --shade: var(--ok); color: #fff; text-shadow: 0 0 3px #000; }
.matrix .wrong { --shade: var(--wrong); font-weight: 700; }
.matrix .other { --shade: var(--reject); }
.beside { display: flex; flex-wrap: wrap; gap: 1rem 3rem; align-items: flex-start; }
figure { flex: 1; min-width: 280px; max-width: 560px; margin: .6rem 0 0; }
.chart { width: 100%; } .chart text { fill: var(--soft); font-size: 11px; }
.chart .axis { stroke: var(--line); } .chart .zero { stroke: var(--ink); stroke-dasharray: 3 3; }
figcaption { color: var(--soft); font-size: .9rem; }
@media print { .bar, .chart, .matrix span { print-color-adjust: exact; } }
</style>"""
