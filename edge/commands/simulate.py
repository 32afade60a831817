"""Run a station in a simulated world, before there is any hardware, and report how it sorts.

The station file is that of a real station: its own trigger, model, decision, lanes and ledger run,
on a clock that jumps. Its camera shows a belt with drawn items, or with photographs as items, and
its pins are mock pins. Its ledger and its camera are not touched.
"""

from __future__ import annotations

import argparse
import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from edge.core.command_line import above_zero, count, print_json
from edge.core.errors import EXIT_NO, EXIT_OK, SimulationMissingError, UsageError

if TYPE_CHECKING:
    from edge.config.reading import StationPlan
    from edge.simulation.account.report import Report
    from edge.simulation.options import SimulationOptions

_log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("station", type=Path, metavar="STATION.yaml", help="station file")
    parser.add_argument(
        "--items",
        type=Path,
        metavar="PHOTOS",
        help="photographs whose items pass: a folder per class or a .csv manifest (path,label); "
        "without it, items are drawn",
    )
    parser.add_argument(
        "--rate",
        type=above_zero,
        metavar="R",
        help="items a second (default: as the station file's own belt has it)",
    )
    parser.add_argument(
        "--count", type=count, metavar="N", help="how many items pass (default: 200)"
    )
    parser.add_argument(
        "--seed", type=_seed, metavar="S", help="seed of everything that is random (default: 0)"
    )
    parser.add_argument(
        "--scores",
        type=Path,
        metavar="FILE",
        help="recorded scores in place of items, of `pilah-edge evaluate --scores`: nothing is "
        "drawn and no model runs, so that a million items take minutes",
    )
    parser.add_argument(
        "--faults",
        default="",
        metavar="LIST",
        help="what is to go wrong, such as light:factor=0.5,drop-outs; `help` lists the faults",
    )
    parser.add_argument(
        "--find-rate",
        type=_share,
        metavar="PURITY",
        help="find the highest rate at which the 95 %% interval of the purity of what is in the "
        "lanes stays above this, 0 to 1",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument(
        "--html", type=Path, metavar="PATH", help="write a page with figures and pictures"
    )


def run(arguments: argparse.Namespace) -> int:
    try:
        from edge.simulation.simulate import simulate
    except ModuleNotFoundError as error:
        if not str(error.name).startswith("edge.simulation"):
            raise
        from edge.core.terminal.hints import install_command

        raise SimulationMissingError(
            "the simulated belt is not installed here, because pilah's wheel leaves it out: "
            f"{install_command('edge', editable=True)}"
        ) from error
    from edge.config.reading import read_station
    from edge.core.dataset import read_picture_set
    from edge.core.files import check_place
    from edge.simulation.account.gallery import Gallery
    from edge.simulation.account.page import write_page
    from edge.simulation.faults.table import fault_lines, read_faults
    from edge.simulation.options import SimulationOptions
    from edge.simulation.photograph_place import class_warning, shape_warning
    from edge.simulation.running import lane_places

    if arguments.faults == "help":
        print("\n".join(fault_lines()))
        return EXIT_OK
    if arguments.html is not None:
        check_place(arguments.html)
    plan = read_station(arguments.station)
    for warning in plan.warnings:
        _log.warning(f"warning    {arguments.station}:{warning}")
    if plan.config.lanes[plan.config.default_lane].labels:
        _log.warning(
            f"warning    {arguments.station}: the default lane {plan.config.default_lane} has "
            "labels: what is rejected falls there, too, and counts against the purity of what is "
            "in the lanes, which --find-rate goes by. That of what was accepted is told beside it"
        )
    options = SimulationOptions(
        items=arguments.items,
        rate=arguments.rate,
        count=arguments.count,
        seed=arguments.seed,
        scores=arguments.scores,
        faults=tuple(read_faults(arguments.faults)),
    )
    if arguments.items is not None:
        photographs = read_picture_set(arguments.items)
        for told in (shape_warning(plan, photographs), class_warning(plan, photographs)):
            if told is not None:
                _log.warning(f"warning    {told}")
    if arguments.find_rate is not None:
        return _find_rate(plan, options, arguments)
    gallery = None if arguments.html is None else Gallery(lane_places(plan.config))
    report = simulate(plan, options, settled=gallery)
    _tell_of_the_rate(report, options)
    if gallery is not None:
        write_page(arguments.html, report, gallery)
        _log.info(f"{arguments.html}: the page of this run")
    if arguments.json:
        print_json(report.to_json())
    else:
        print("\n".join(report.lines()))
    return EXIT_NO if report.stopped else EXIT_OK


def _tell_of_the_rate(report: Report, options: SimulationOptions) -> None:
    """Warns where the items that were asked for could not come so fast."""
    from edge.simulation.rate_search import is_carried

    came, asked = report.items_per_second, options.rate
    if asked is None or came is None or options.faults:
        return
    if is_carried(asked, came, items=report.account.items):
        return
    _log.warning(
        f"--rate {asked:g}: {came:.2f} items a second came: no more can, as they would overlap, or "
        "have to wait for the one before. The performance in the OEE is against the rate that was "
        "asked for"
    )


def _find_rate(plan: StationPlan, options: SimulationOptions, asked: argparse.Namespace) -> int:
    from edge.simulation.options import usual_rate
    from edge.simulation.rate_search import check_count, fewest_items, find_rate
    from edge.simulation.simulate import simulate

    if asked.html is not None:
        raise UsageError("--html is for one run: give it with --rate and the rate that was found")
    purity: float = asked.find_rate
    if options.count is None:
        options = replace(options, count=max(200, 2 * fewest_items(purity)))
    assert options.count is not None
    check_count(options.count, purity)
    _log.info(f"rate       {options.count} items at each rate")

    def run(rate: float) -> Report:
        report = simulate(plan, replace(options, rate=rate))
        if report.stopped:
            raise KeyboardInterrupt
        _log.info(f"rate       {rate:.2f} a second: purity {report.purity}")
        return report

    found = find_rate(purity, start=usual_rate(plan, options), run=run)
    if asked.json:
        print_json(found.to_json())
    else:
        print("\n".join(found.lines()))
    return EXIT_OK if found.best is not None else EXIT_NO


def _share(text: str) -> float:
    value = float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"must be between 0 and 1. Received: {text}")
    return value


def _seed(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"must be 0 or more. Received: {text}")
    return value
