"""`pilah-edge ledger states`: the time in each state, the stops, and how well a station ran."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from edge.commands.ledger.named import NamedLedger, add_ledger, named_by
from edge.core.command_line import print_json
from edge.core.errors import EXIT_OK, UsageError
from edge.core.terminal.speech import write_out

if TYPE_CHECKING:
    from edge.ledger.reports.oee import AuditedPurity, Effectiveness
    from edge.ledger.reports.reading import StateReport


def add_parsers(doing: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The command line of `states`."""
    parser = doing.add_parser("states", help="the time in each state, stops, and OEE")
    add_ledger(parser)
    parser.add_argument(
        "--from", dest="begin", metavar="TIME", help="from this day or time on, UTC"
    )
    parser.add_argument(
        "--to", dest="end", metavar="TIME", help="until the end of this day, or before a time"
    )
    parser.add_argument(
        "--rate",
        type=float,
        metavar="N",
        help="items a minute at the best, for the performance (default: ideal_items_per_minute of "
        "the station file; without that, it is not known)",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(arguments: argparse.Namespace) -> int:
    """Shows the report of the ledger `arguments.ledger`."""
    from edge.ledger.export.reading import utc_bound
    from edge.ledger.reports.reading import state_report

    if arguments.rate is not None and not 0 < arguments.rate <= 1e6:
        raise UsageError(
            f"ledger states: --rate must be above 0 items a minute. Received: {arguments.rate:g}"
        )
    named = named_by(arguments.ledger)
    now, dead_until = _present(named)
    report = state_report(
        named.path,
        "" if arguments.begin is None else utc_bound(arguments.begin),
        "~" if arguments.end is None else utc_bound(arguments.end, end=True),
        now=now,
        dead_until=dead_until,
        ideal_rate=named.ideal_rate if arguments.rate is None else arguments.rate / 60,
    )
    if arguments.json:
        print_json(as_json(report))
    else:
        write_out("".join(f"{line}\n" for line in lines(report)))
    return EXIT_OK


def _present(named: NamedLedger) -> tuple[str | None, str | None]:
    """The present time where the station is known to run, and where it is known not to."""
    from edge.core.errors import StatusRefusedError
    from edge.events import utc_text
    from edge.runtime.clock import SYSTEM_CLOCK
    from edge.telemetry.status import read_status

    if named.station is None:
        return None, None
    try:
        found = read_status(named.station, named.path)
    except StatusRefusedError:  # it is another user's: the ledger tells how far it came
        return None, None
    present = utc_text(SYSTEM_CLOCK.wall())
    return (None, present) if found is None or found.is_stale else (present, None)


def as_json(report: StateReport) -> dict[str, Any]:
    """The report, as programs read it; times in seconds."""
    from edge.ledger.reports.reading import utc

    found = report.effectiveness
    quality = found.quality
    return {
        "from": utc(report.begin),
        "to": utc(report.end),
        "states": [
            {"state": state, "mode": mode, "seconds": seconds}
            for (state, mode), seconds in report.seconds.items()
        ],
        "stops": [
            {
                "begin": utc(stop.begin), "end": utc(stop.end), "seconds": stop.length / 1e6,
                "reason": stop.reason, "scope": stop.scope, "states": list(stop.states),
                "incident_id": stop.incident_id,
            }
            for stop in report.stops
        ],
        "pareto": [
            {"reason": line.reason, "stops": line.stops, "seconds": line.length / 1e6}
            for line in report.pareto
        ],
        "oee": {
            "oee": found.oee,
            "oee_interval": found.oee_interval,
            "availability": found.availability,
            "planned_seconds": found.planned_seconds,
            "executing_seconds": found.executing_seconds,
            "unknown_seconds": found.unknown_seconds,
            "share_known": found.share_known,
            "performance": found.performance,
            "ideal_items_per_minute": (
                None if found.ideal_rate is None else 60 * found.ideal_rate
            ),
            "items": found.items,
            "quality": quality.share,
            "quality_interval": quality.interval,
            "audited": quality.audited,
            "right": quality.right,
            "corrected": report.corrected,
        },
    }  # fmt: skip


def lines(report: StateReport) -> Iterator[str]:
    """The report, as people read it."""
    from edge.core.terminal.wording import number_of
    from edge.ledger.reports.reading import utc

    if not report.spans:
        yield "no state is known of this time"
        return
    yield f"from       {utc(report.begin)[:19]}Z to {utc(report.end)[:19]}Z"
    whole = sum(report.seconds.values())
    for (state, mode), seconds in report.seconds.items():
        other = "" if mode == "Production" else f" ({mode})"
        yield f"{state + other:<24} {_time(seconds):>12}  {seconds / whole:6.1%}"
    yield f"stops      {len(report.stops)}"
    stood = sum(line.length for line in report.pareto)
    for line in report.pareto:
        yield (
            f"  {line.reason:<22} {_time(line.length / 1e6):>12}  {line.length / stood:6.1%}  "
            f"{number_of(line.stops, 'times')}"
        )
    yield from _about_the_oee(report.effectiveness, report.corrected)


def _about_the_oee(found: Effectiveness, corrected: int) -> Iterator[str]:
    availability = found.availability
    if availability is not None:
        yield (
            f"availability  {availability:.1%}: sorted {_time(found.executing_seconds)} of "
            f"{_time(found.planned_seconds)}"
        )
    else:
        yield "availability  not known: there was no time in which it was to sort"
    if found.unknown_seconds:
        worst = "" if availability is None else (
            f". If it was to sort then, the availability is {availability * found.share_known:.1%}"
        )  # fmt: skip
        yield (
            f"              {_time(found.unknown_seconds)} are not in it: the station was killed "
            f"or lost its power, and nobody knows what it did{worst}"
        )
    if found.performance is None:
        yield (
            "performance   not known: say with ideal_items_per_minute in the station file, or with "
            f"--rate, how many items a minute it can sort ({found.items:,} items)"
        )
    else:
        best = 60 * (found.ideal_rate or 0)
        above = ". It sorts more than that: the figure is too low" if found.performance > 1 else ""
        yield (
            f"performance   {found.performance:.1%}: {found.items:,} items, at up to {best:g} a "
            f"minute{above}"
        )
    yield f"quality       {_quality_words(found.quality, corrected)}"
    if found.oee is None or found.oee_interval is None:
        yield "OEE           not known, because a factor is not"
    else:
        low, high = found.oee_interval
        worst = (
            f"; at worst {found.oee * found.share_known:.1%}, with the unknown time"
            if found.unknown_seconds
            else ""
        )
        yield f"OEE           {found.oee:.1%} (95 %: {low:.1%} to {high:.1%}){worst}"


def _quality_words(quality: AuditedPurity, corrected: int) -> str:
    if quality.share is None or quality.interval is None:
        also = (
            f", and what was corrected ({corrected:,}) tells of wrong ones only"
            if corrected
            else ""
        )
        return f"not known: nothing was audited{also}"
    low, high = quality.interval
    return (
        f"{quality.share:.1%} (95 %: {low:.1%} to {high:.1%}): of {quality.audited:,} audited "
        f"items {quality.right:,} lay where they belong"
    )


def _time(seconds: float) -> str:
    """A length of time, such as 2:05:07.3."""
    minutes, rest = divmod(round(seconds, 1), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02}:{rest:04.1f}"
