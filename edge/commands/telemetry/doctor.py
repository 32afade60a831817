"""Examine a station: file, bundle, runtime, camera, pins, scanner, records, disks, clock and heat.

It prints a line for each part: ok, warning or bad, with what to do. It exits with 1 if a part is
bad. Nothing moves, and nothing is written.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from edge.core.command_line import print_json
from edge.core.errors import (
    EXIT_NO,
    EXIT_OK,
    BundleError,
    CameraError,
    CodesMissingError,
    ConfigError,
    RegionError,
    RuntimeMissingError,
    ScannerError,
)
from edge.core.redaction import redacted
from edge.telemetry.finding import Finding, Health, bad, ok, warning

if TYPE_CHECKING:
    from edge.config.reading import StationPlan
    from edge.config.station import ActuationConfig, StationConfig, VisionConfig

Part = TypeVar("Part")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("station", type=Path, metavar="STATION.yaml", help="station file")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(arguments: argparse.Namespace) -> int:
    findings = []
    for finding in examine(arguments.station):
        findings.append(finding)
        if not arguments.json:
            print(redacted(str(finding)), flush=True)
    right = all(finding.state != Health.BAD for finding in findings)
    if arguments.json:
        print_json(
            {
                "station_file": str(arguments.station),
                "right": right,
                "findings": [
                    {"part": f.part, "state": f.state, "said": str(f.said), "advice": str(f.advice)}
                    for f in findings
                ],
            }
        )
    return EXIT_OK if right else EXIT_NO


def examine(station: Path) -> Iterator[Finding]:
    """A finding for each part of the station that the file `station` describes.

    If the file has mistakes, the parts whose sections can be read are still examined.
    """
    from edge.commands.telemetry.records import about_the_records
    from edge.commands.telemetry.wiring import about_the_pins
    from edge.config.reading import (
        read_actuation_config,
        read_config,
        read_station,
        read_vision_config,
    )
    from edge.runtime.clock_state import clock_is_synchronised
    from edge.telemetry.host import clock_finding, heat_findings

    plan: StationPlan | None = None
    config: StationConfig | None
    vision: VisionConfig | None
    actuation: ActuationConfig | None
    try:
        plan = read_station(station)
        config = vision = actuation = plan.config
    except ConfigError as error:
        yield bad("station", str(error))
        config = _unless_wrong(lambda: read_config(station))
        vision = config or _unless_wrong(lambda: read_vision_config(station))
        actuation = config or _unless_wrong(lambda: read_actuation_config(station)[1])
    if plan is not None:
        yield ok("station", plan.config.station)
        for text in plan.warnings:
            yield warning("station", f"{station}:{text}")
        yield from _about_the_model(plan)
    if vision is not None:
        yield from _about_the_camera(vision)
    if actuation is not None:
        yield from about_the_pins(actuation, vision)
    if config is not None:
        yield from _about_the_codes(config)
        yield from about_the_records(config)
    if plan is not None:
        yield from _about_the_neighbours(plan)
    yield clock_finding(synchronised=clock_is_synchronised())
    yield from heat_findings()


def _unless_wrong(read: Callable[[], Part]) -> Part | None:
    try:
        return read()
    except ConfigError:  # its mistakes have been reported
        return None


def _about_the_model(plan: StationPlan) -> Iterator[Finding]:
    from edge.core.model.classifier import Classifier
    from edge.core.model.golden import check_golden_exactly, check_golden_start

    bundle = plan.bundle
    yield ok("bundle", f"{bundle.title}  (digest {bundle.digest[:12]}), all files intact")
    yield ok("signature", _signature(plan))
    yield _about_the_installation(plan)
    try:
        classifier = Classifier(bundle)
        yield ok("runtime", classifier.interpreter.title)
        check_golden_exactly(bundle)
        check_golden_start(classifier)
    except (BundleError, RuntimeMissingError) as error:
        yield bad("golden" if isinstance(error, BundleError) else "runtime", str(error))
        return
    yield ok("golden", f"{len(bundle.golden)} pictures reproduced exactly")


def _about_the_camera(vision: VisionConfig) -> Iterator[Finding]:
    from edge.commands.telemetry.exposure import about_the_exposure
    from edge.vision.camera.picture_checks import even_colour
    from edge.vision.camera.settled import settled_frame
    from edge.vision.region import cut

    if vision.camera.kind == "belt":  # opening it would begin its record of the truth anew
        yield ok("camera", "belt: simulated, so there is nothing to look at")
        return
    try:
        found = settled_frame(vision.camera, tell=lambda level, text: None)
        seen = cut(found.frame, vision.region).image
    except CameraError as error:
        yield bad("camera", str(error))  # which says what to look at
        return
    except RegionError as error:
        yield bad("camera", str(error), "`pilah-edge roi` draws it")
        return
    height, width = found.frame.image.shape[:2]
    said = f"{vision.camera.kind}, {width}x{height} pixels"
    fault = found.frame.fault
    faults = ", ".join(
        f"{number} {kind}" for kind, number in sorted(found.faults.items()) if not kind.harmless
    )
    if fault is not None:
        advice = "check its lens cap, light, cable and supply; switch it off and on"
        yield bad("camera", f"{said}: it {fault.words or 'gives one picture only'}", advice)
    elif faults:
        advice = "check its cable, supply and network"
        yield warning("camera", f"{said}, but some pictures have faults ({faults})", advice)
    elif (colour := even_colour(seen)) is not None:
        advice = (
            "see its picture with `pilah-edge roi`, and check the lens cap, the light and the focus"
        )
        yield warning("camera", f"{said}, evenly {colour}: it shows nothing", advice)
    elif not found.steady:
        advice = "set a fixed exposure, or look at the light"
        yield warning("camera", f"{said}, its brightness does not settle", advice)
    else:
        yield ok("camera", said)
    exposure = about_the_exposure(vision.camera, found.frame.exposure)
    if exposure is not None:
        yield exposure


def _about_the_codes(config: StationConfig) -> Iterator[Finding]:
    from edge.receiving.codes.packages import require_packages
    from edge.receiving.scanner.access import try_scanner

    if config.codes is not None:
        try:
            require_packages()
        except CodesMissingError as error:
            yield bad("codes", str(error))
        else:
            yield ok("codes", f"{', '.join(config.codes.formats)} are read on items")
    if config.scanner is not None:
        try:
            yield ok("scanner", try_scanner(config.scanner))
        except ScannerError as error:
            yield bad("scanner", str(error))


def _about_the_neighbours(plan: StationPlan) -> Iterator[Finding]:
    from edge.neighbours.claims import ClaimKind, collisions, neighbour_of
    from edge.neighbours.running import running_neighbours
    from edge.pins.pins import has_real_pins

    own = neighbour_of(plan.config, plan.file)
    for other in running_neighbours():
        if other.is_same_as(own):
            continue
        found = collisions(own.claims, other)
        for one in found:
            if one.keeps_from_running(real_pins=has_real_pins()):
                yield bad("neighbours", one.words, "give each station its own")
            elif one.mine.kind is ClaimKind.PORT:
                yield warning("neighbours", one.words, "let each listen at a port of its own")
        if not found:
            yield ok("neighbours", f"{other.title} runs, too, and nothing collides")


def _signature(plan: StationPlan) -> str:
    if plan.keys:
        return f"{plan.bundle.origin}, which is pinned"
    return f"{plan.bundle.origin}; no key is pinned, so a bundle from anyone is loaded"


def _about_the_installation(plan: StationPlan) -> Finding:
    from edge.core.errors import BundleLinkError
    from edge.rollout.installed import RECORD_LOST, InstalledVersions

    versions = InstalledVersions(plan.config.bundle)
    try:
        title = versions.active
    except BundleLinkError:
        title = None
    if title is None:
        return ok("installed", "not by `pilah-edge install`: there is no version to go back to")
    # The reader of the station file has checked that the files are those that were verified.
    verification = versions.verification(title)
    if verification is None:
        return bad(
            "installed",
            f"{title}, and {RECORD_LOST}",
            "give it to `pilah-edge install` again, or go back with `pilah-edge rollback`",
        )
    return ok("installed", f"verified here {verification.time}, with {verification.runtime}")
