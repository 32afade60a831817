"""Say whether a station's model is what it should be: runtime, golden pictures, signature.

Exits 1 when something is wrong, and names it.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import EXIT_NO, EXIT_OK, BundleError, ConfigError, RuntimeMissingError

if TYPE_CHECKING:
    from edge.config import StationPlan


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("station", type=Path, metavar="STATION.yaml", help="station file")


def run(arguments: argparse.Namespace) -> int:
    from edge.config import read_station

    try:
        plan = read_station(arguments.station)
    except ConfigError as error:
        print(f"WRONG      {error}")
        return EXIT_NO
    bundle = plan.bundle
    print(f"station    {plan.config.station}")
    print(f"bundle     {bundle.title}  (digest {bundle.digest[:12]}), every file as it should be")
    print(f"signature  {_signature(plan)}")
    print(f"installed  {_installed(plan)}")
    return EXIT_OK if _model_is_right(plan) else EXIT_NO


def _model_is_right(plan: StationPlan) -> bool:
    from edge.model.classifier import Classifier
    from edge.model.golden import check_golden_exactly, check_golden_start

    try:
        classifier = Classifier(plan.bundle)
        print(f"runtime    {classifier.interpreter.title}")
        check_golden_exactly(plan.bundle)
        check_golden_start(classifier)
    except (BundleError, RuntimeMissingError) as error:
        print(f"WRONG      {error}")
        return False
    print(f"golden     {len(plan.bundle.golden)} pictures reproduced exactly")
    return True


def _signature(plan: StationPlan) -> str:
    if plan.keys:
        return f"{plan.bundle.origin}, which is pinned"
    return f"{plan.bundle.origin}; no key is pinned, so bundles of anybody are loaded"


def _installed(plan: StationPlan) -> str:
    from edge.errors import BundleLinkError
    from edge.rollout import Versions

    versions = Versions(plan.config.bundle)
    try:
        title = versions.active
    except BundleLinkError:
        title = None
    if title is None:
        return "not by `pilah-edge install`: there is no version to go back to"
    verification = versions.verification(title)
    if verification is None or verification.digest != plan.bundle.digest:
        return f"{title}, and no record that it was verified here"
    return f"verified here {verification.time}, with {verification.runtime}"
