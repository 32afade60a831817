"""Find every mistake in a station file, each with its line and what to do about it.

Warnings name settings that are allowed but probably not meant; they do not change the exit code.
Of several files, each is checked, and then whether their stations can run on one machine: exits
with 1 where they would take something from one another, such as a pin, a camera or a name.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edge.core.command_line import print_json
from edge.core.errors import EXIT_NO, EXIT_OK, BundleError, ConfigError

if TYPE_CHECKING:
    from edge.config.reading import StationPlan


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "station",
        type=Path,
        nargs="+",
        metavar="STATION.yaml",
        help="station file; of several, also what they would take from one another on one machine",
    )
    parser.add_argument(
        "--bundle",
        type=Path,
        metavar="BUNDLE",
        help="check with this bundle in place of the one that the file names",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(arguments: argparse.Namespace) -> int:
    plans = []
    for station in arguments.station:
        try:
            plan = _checked(station, arguments.bundle)
        except ConfigError as error:
            if arguments.json:
                print_json(
                    {
                        "station_file": str(station),
                        "right": False,
                        "mistakes": _placed(error.problems),
                        "warnings": [],
                    }
                )
            raise
        plans.append(plan)
        if arguments.json:
            print_json(_facts(plan))
        else:
            _print(plan)
    return _beside_one_another(plans, as_json=arguments.json) if len(plans) > 1 else EXIT_OK


def _beside_one_another(plans: Sequence[StationPlan], *, as_json: bool) -> int:
    """Says what the stations would take from one another on one machine."""
    from edge.neighbours.claims import collisions, neighbour_of

    stations = [neighbour_of(plan.config, plan.file) for plan in plans]
    found = [
        (own, one)
        for number, own in enumerate(stations)
        for other in stations[:number]
        for one in collisions(own.claims, other)
    ]
    if as_json:
        print_json(
            {
                "beside_one_another": not found,
                "collisions": [
                    {
                        "what": one.mine.what,
                        "stations": [one.neighbour.station, own.station],
                        "station_files": [one.neighbour.file, own.file],
                        "keys": [one.other.where, one.mine.where],
                    }
                    for own, one in found
                ],
            }
        )
        return EXIT_NO if found else EXIT_OK
    for own, one in found:
        print(f"collision  {own.title}: {one.words}")
    if not found:
        print(f"together   {', '.join(one.station for one in stations)}: nothing collides")
    return EXIT_NO if found else EXIT_OK


def _checked(station: Path, bundle: Path | None) -> StationPlan:
    """Reads a station file, and checks it with its bundle, which must reproduce its golden picture.

    Args:
        station: the station file.
        bundle: a bundle to use in place of the one that the file names; None: the file's own.

    Raises:
        ConfigError: the file has mistakes.
        BundleError: `bundle` is broken.
    """
    from edge.config.reading import read_station
    from edge.core.model.classifier import Classifier
    from edge.core.model.golden import check_golden_start
    from edge.core.yaml_messages import FileProblem

    plan = read_station(station, bundle=bundle)
    try:
        check_golden_start(Classifier(plan.bundle))
    except BundleError as error:
        raise plan.file.error([FileProblem(("bundle",), str(error))]) from error
    return plan


def _print(plan: StationPlan) -> None:
    config, bundle = plan.config, plan.bundle
    print(f"{plan.file.path}: no mistakes")
    for warning in plan.warnings:
        print(f"warning    {plan.file.path}:{warning}")
    print(f"station    {config.station}")
    print(f"bundle     {bundle.title}  (digest {bundle.digest[:12]}), {bundle.origin}")
    print(f"camera     {config.camera.kind}, trigger {config.trigger.kind}")
    for name, lane in config.lanes.items():
        labels = [*lane.labels, *(["every reject"] if name == config.default_lane else [])]
        device = f", {lane.actuator.kind}" if lane.actuator else ""
        print(f"lane       {name}: {', '.join(labels) or 'nothing'}{device}")


def _placed(told: Sequence[str]) -> list[dict[str, object]]:
    """Each text `LINE: message` as its line number, None if there is none, and its message."""
    parts = [text.partition(": ") for text in told]
    return [
        {"line": int(line), "message": message}
        if line.isdecimal()
        else {"line": None, "message": text.strip()}
        for text, (line, _, message) in zip(told, parts, strict=True)
    ]


def _facts(plan: StationPlan) -> dict[str, object]:
    config = plan.config
    return {
        "station_file": str(plan.file.path),
        "right": True,
        "mistakes": [],
        "warnings": _placed(plan.warnings),
        "station": config.station,
        "bundle": plan.bundle.title,
        "bundle_digest": plan.bundle.digest,
        "signature": plan.bundle.origin,
        "camera": config.camera.kind,
        "trigger": config.trigger.kind,
        "lanes": {
            name: {
                "labels": lane.labels,
                "rejects": name == config.default_lane,
                "actuator": lane.actuator.kind if lane.actuator else None,
            }
            for name, lane in config.lanes.items()
        },
    }
