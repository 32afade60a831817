"""Find every mistake in a station file, each with its line and what to do about it."""

from __future__ import annotations

import argparse
from pathlib import Path

from edge.errors import EXIT_OK, BundleError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("station", type=Path, metavar="STATION.yaml", help="station file")


def run(arguments: argparse.Namespace) -> int:
    from edge.config import read_station
    from edge.model.classifier import Classifier
    from edge.model.golden import check_golden_start
    from edge.yaml_file import Problem

    plan = read_station(arguments.station)
    try:
        check_golden_start(Classifier(plan.bundle))
    except BundleError as error:
        raise plan.file.error([Problem(("bundle",), str(error))]) from error
    config = plan.config
    print(f"{arguments.station}: no mistakes")
    print(f"station    {config.station}")
    print(
        f"bundle     {plan.bundle.title}  (digest {plan.bundle.digest[:12]}), {plan.bundle.origin}"
    )
    print(f"camera     {config.camera.kind}, trigger {config.trigger.kind}")
    for name, lane in config.lanes.items():
        labels = [*lane.labels, *(["every reject"] if name == config.default_lane else [])]
        device = f", {lane.actuator.kind}" if lane.actuator else ""
        print(f"lane       {name}: {', '.join(labels) or 'nothing'}{device}")
    return EXIT_OK
