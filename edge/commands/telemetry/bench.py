"""Measure how long a frame takes on this machine to become a verdict.

The flags are named as those of TensorFlow's benchmark_model, with - or _.
"""

from __future__ import annotations

import argparse
import logging
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.commands.capture import gpio_number
from edge.core.command_line import count, print_json
from edge.core.errors import EXIT_NO, EXIT_OK, UsageError

if TYPE_CHECKING:
    from edge.benchmark.frame_to_verdict import View
    from edge.benchmark.rehearsal import Rehearsal
    from edge.benchmark.series import Measured, Series
    from edge.core.model.bundle import Bundle
    from edge.core.model.interpreter import Kernels

_log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "bundles",
        type=Path,
        nargs="+",
        metavar="BUNDLE",
        help="bundle folder or zip file; several are measured one after the other",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument(
        "--html",
        type=Path,
        metavar="FILE",
        help="a page with histograms, and with accuracy against time for several bundles",
    )
    parser.add_argument(
        "--station",
        type=Path,
        metavar="STATION.yaml",
        help="measure with the region and the trigger of this station file",
    )
    seen = parser.add_mutually_exclusive_group()
    seen.add_argument(
        "--image",
        type=Path,
        metavar="FILE",
        help="picture of the belt to measure with; an item is drawn on it",
    )
    seen.add_argument(
        "--frame",
        type=_size,
        metavar="WIDTHxHEIGHT",
        help="pixels of a drawn belt to measure with (640x480, or those of the station)",
    )
    how = parser.add_mutually_exclusive_group()
    _add(how, "num-threads", count, 1, "threads to compute with")
    how.add_argument(
        "--sweep",
        action="store_true",
        help="measure with each number of threads from 1 to the number of cores",
    )
    parser.add_argument(
        "--minutes",
        type=count,
        metavar="N",
        help="measure for so many minutes without a pause, with the heat after each; the times "
        "are then those of the last minute, and --num-runs and the seconds do not count",
    )
    parser.add_argument(
        "--compare",
        type=Path,
        metavar="OLD.json",
        help="an earlier output of --json, to compare the medians with",
    )
    parser.add_argument(
        "--fail-over",
        type=_seconds,
        metavar="PERCENT",
        help="exit with 1 where a median takes so much longer than in OLD.json",
    )
    _add(
        parser,
        "num-verdicts",
        _number,
        300,
        "verdicts of a whole station, 30 a second at most, to measure how late a pin is; 0: none",
    )
    parser.add_argument(
        "--pin",
        type=gpio_number,
        metavar="BCM",
        help="GPIO that is switched with each of them, with nothing connected that may not move "
        "(default: a mock pin)",
    )
    _add(parser, "num-runs", count, 50, "runs to measure")
    _add(parser, "warmup-runs", count, 10, "runs before those that are measured")
    _add(parser, "min-secs", _seconds, 1.0, "shortest time to measure, in seconds")
    _add(parser, "max-secs", _seconds, 150.0, "longest time to measure, in seconds")
    _add(parser, "use-xnnpack", _truth, True, "compute with XNNPACK if possible: true or false")


def run(arguments: argparse.Namespace) -> int:
    from edge.benchmark.comparison import changes, differences, not_compared, read_series
    from edge.benchmark.page import write_bench_page
    from edge.core.files import check_place
    from edge.telemetry.hardware import this_heat

    if arguments.fail_over is not None and arguments.compare is None:
        raise UsageError("--fail-over needs --compare OLD.json: longer than what?")
    if arguments.pin is not None and not arguments.num_verdicts:
        raise UsageError("--pin is switched with verdicts of a station: --num-verdicts 0 has none")
    if arguments.html is not None:
        check_place(arguments.html)
    earlier = None if arguments.compare is None else read_series(arguments.compare)
    series = _measure(arguments, earlier)
    series.after = this_heat()
    found = series.to_json()
    compared = [] if earlier is None else list(changes(earlier, found))
    if arguments.json:
        print_json(found)
    else:
        _print(series)
    for other in [] if earlier is None else differences(earlier, found):
        _log.warning(f"warning    {other}")
    for change in compared:
        _log.info(f"compared   {change}")
    if arguments.html is not None:
        write_bench_page(arguments.html, series, compared)
        _log.info(f"page       {arguments.html}")
    if series.slowed:
        _log.warning(
            f"warning    this machine was slowed meanwhile ({', '.join(series.slowed)}): see to "
            "its power supply and its cooling, and measure again"
        )
    limit = float("inf") if arguments.fail_over is None else arguments.fail_over
    slower = [change for change in compared if change.limited and change.percent > limit]
    for change in slower:
        _log.error(f"slower     {change}: more than {limit:g} % longer")
    missing = [] if earlier is None else not_compared(earlier, found)
    for what in missing:
        if arguments.fail_over is None:
            _log.warning(f"warning    {what}")
        else:
            _log.error(f"missing    {what}: measure it too, or compare with a file without it")
    return EXIT_NO if slower or (missing and arguments.fail_over is not None) else EXIT_OK


def _measure(arguments: argparse.Namespace, earlier: Mapping[str, Any] | None) -> Series:
    """Measures each bundle with each number of threads."""
    import os

    from edge.benchmark.comparison import check_comparable
    from edge.benchmark.rehearsal import rehearse
    from edge.benchmark.series import Series
    from edge.core.model.bundle import read_bundle
    from edge.core.terminal.wording import number_of
    from edge.telemetry.hardware import this_hardware, this_heat

    view = _view(arguments)
    bundles = [read_bundle(path) for path in arguments.bundles]  # all, before any is measured
    before = this_heat()
    kind = view.trigger.kind
    series = Series(this_hardware(), view.pixels, before=before, after=before, trigger=kind)
    cores = len(os.sched_getaffinity(0))
    sweep = range(1, cores + 1) if arguments.sweep else [arguments.num_threads]
    if arguments.num_threads > cores:
        _log.warning(
            f"warning    --num-threads {arguments.num_threads}: this process has "
            f"{number_of(cores, 'cores')}, and more threads than cores wait for each other: give "
            f"{cores} at most, or --sweep, which measures each number"
        )
    if earlier is not None:
        keys = {(bundle.title, threads) for bundle in bundles for threads in sweep}
        check_comparable(earlier, pixels=view.pixels, keys=keys)
    for bundle in bundles:
        series.measured += [_measured(bundle, view, threads, arguments) for threads in sweep]
        if arguments.num_verdicts:
            _log.info(f"a whole station gives {arguments.num_verdicts} verdicts")
            verdicts, pin = arguments.num_verdicts, arguments.pin
            series.rehearsals.append(rehearse(bundle, view.belt, verdicts=verdicts, pin=pin))
    return series


def _view(arguments: argparse.Namespace) -> View:
    """What is looked at while it is measured.

    Raises:
        UsageError: --frame and the region of --station name two sizes.
    """
    from edge.benchmark.views import drawn_view, pictured_view, station_view

    if arguments.station is not None:
        if arguments.frame is not None:
            raise UsageError("--frame: the size is that of the region of --station: give one")
        return station_view(arguments.station, arguments.image)
    if arguments.image is not None:
        return pictured_view(arguments.image)
    view = drawn_view(arguments.frame)
    _log.info(f"measuring with a drawn belt of {view.pixels} pixels")
    return view


def _measured(bundle: Bundle, view: View, threads: int, arguments: argparse.Namespace) -> Measured:
    from edge.benchmark.frame_to_verdict import measure
    from edge.benchmark.region_cost import region_cost
    from edge.benchmark.series import Measured, accuracy_of, soak
    from edge.core.model.classifier import Classifier

    kernels: Kernels = "default" if arguments.use_xnnpack else "plain"
    classifier = Classifier(bundle, threads=threads, kernels=kernels)
    minutes = []
    for whole, minute in soak(classifier, view, minutes=arguments.minutes or 0):
        benchmark = whole
        minutes.append(minute)
        _log.info(f"minute {len(minutes):<3} p50 {minute.p50_ms:.3f} ms")
    if not minutes:
        benchmark = measure(
            classifier,
            view,
            runs=arguments.num_runs,
            warmup_runs=arguments.warmup_runs,
            min_seconds=arguments.min_secs,
            max_seconds=arguments.max_secs,
        )
    accuracy = accuracy_of(bundle.manifest.figures)
    return Measured(benchmark, accuracy, minutes, region_cost(classifier.spec, view))


def _print(series: Series) -> None:
    """The series as a table for people."""
    from edge.benchmark.frame_to_verdict import FIGURES, STAGES
    from edge.core.terminal.wording import number_of

    print(f"machine    {series.machine}")
    for each in series.measured:
        found = each.benchmark
        print(f"bundle     {found.bundle}")
        print(f"runtime    {found.title}, threads {found.threads}")
        print(f"runs       {found.runs}, on {series.pixels} pixels")
        print(f"{'':<10} " + " ".join(f"{name:>9}" for name in FIGURES))
        for stage in STAGES:
            times = found.stages[stage]
            print(
                f"{stage:<10} " + " ".join(f"{getattr(times, name):>6.3f} ms" for name in FIGURES)
            )
        print(f"total over invoke {found.total_over_invoke:.3f}")
        print(f"resident memory   {found.rss_mb:.0f} MB")
        if each.region is not None:
            print(f"region     {each.region}")
        if each.minutes:
            first, last = each.minutes[0].p50_ms, each.minutes[-1].p50_ms
            print(
                f"after {number_of(len(each.minutes), 'minutes')}  {last / first - 1:+.1%} (median "
                "of the last)"
            )
    for rehearsal in series.rehearsals:
        _print_rehearsal(rehearsal)
    before, after = series.before, series.after
    if before.celsius is not None and after.celsius is not None:
        print(f"heat       {before.celsius:.1f} degrees Celsius before, {after.celsius:.1f} after")
    if before.flags is not None and after.flags is not None:
        print(f"throttled  {before.flags:#x} before, {after.flags:#x} after")


def _print_rehearsal(found: Rehearsal) -> None:
    from edge.benchmark.frame_to_verdict import FIGURES
    from edge.benchmark.rehearsal import WAYS

    print(f"station    {found.bundle}, threads 1, {found.pins}")
    print(f"verdicts   {found.verdicts}, at 30 frames a second")
    print(f"{'':<18} " + " ".join(f"{name:>9}" for name in FIGURES))
    for name in WAYS:
        times = found.ways[name]
        figures = " ".join(f"{getattr(times, figure):>6.3f} ms" for figure in FIGURES)
        print(f"{name.replace('_', ' '):<18} {figures}")
    print(f"{'':<11}frames dropped {found.dropped}, pin not written in time {found.missed}")


def _add(
    parser: argparse._ActionsContainer,
    name: str,
    kind: Callable[[str], float],
    default: float,
    text: str,
) -> None:
    shown = str(default).lower() if isinstance(default, bool) else f"{default:g}"
    parser.add_argument(
        f"--{name}",
        f"--{name.replace('-', '_')}",
        type=kind,
        default=default,
        metavar=kind.__name__.strip("_").upper(),
        help=f"{text} ({shown})",
    )


def _number(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"must be 0 or more. Received: {text}")
    return number


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text)
    if found is None or not all(8 <= int(side) <= 8192 for side in found.groups()):
        raise argparse.ArgumentTypeError(
            f"must be WIDTHxHEIGHT in pixels, such as 640x480, from 8 to 8192. Received: {text}"
        )
    return int(found[1]), int(found[2])


def _seconds(text: str) -> float:
    seconds = float(text)
    if not seconds >= 0:
        raise argparse.ArgumentTypeError(f"must be 0 or more. Received: {text}")
    return seconds


def _truth(text: str) -> bool:
    if text.lower() not in ("true", "false", "1", "0"):
        raise argparse.ArgumentTypeError(f"must be true or false. Received: {text}")
    return text.lower() in ("true", "1")
