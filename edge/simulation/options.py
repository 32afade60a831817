"""What a simulated run is asked for, and the world that a station file gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from edge.config.reading import StationPlan
from edge.config.station import StationConfig
from edge.core.dataset import PictureSet, read_picture_set
from edge.core.dataset.scores_file import read_scores
from edge.core.errors import UsageError
from edge.core.verdict import Prediction
from edge.simulation.belt import LABELS
from edge.simulation.belt import camera as belt_camera
from edge.simulation.belt.wire import BeltOrder
from edge.simulation.faults.belt import BELTS
from edge.simulation.faults.fault import ENCODER, HOME, PARTS, Fault
from edge.simulation.faults.table import FAULTS, Faults
from edge.simulation.photograph_place import CAMERA_SIZE, ITEM, WHOLE, placed_in_region
from edge.simulation.world.belt import BeltWorld
from edge.simulation.world.bin import BinWorld
from edge.simulation.world.scored import ScoredTraffic, ScoredWorld
from edge.sorting.model import open_model

ITEMS = 200
"""How many items pass, unless it is said."""
_VIEW_METRES = 0.40
"""The width of the view where a station file does not tell it: a bottle of 25 cm fits in."""
_VIEWS_PER_SECOND = 0.3
"""The speed of a belt whose speed a station file does not tell, as of `camera: {kind: belt}`."""
_FRAMES_PER_SECOND = 25.0
"""What a camera gives where its settings do not tell."""
_APART, _NEAR = 2.2, 1.2
"""The views from item to item: one at a time for a model that looks at the whole region, and nearer
for one that looks at each item's box."""
_BIN_RATE = 0.5
"""Items a second that come into a bin, unless it is said; fewer if it is not emptied so soon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationOptions:
    """What a run is asked for."""

    items: Path | None = None
    """Photographs, in a folder of one folder per class or a manifest; None: items are drawn."""
    rate: float | None = None
    """Items a second; None: as the station file's own belt has it, or else as the view allows."""
    count: int | None = None
    """How many items pass; None: as many as the station file's own belt has, or else ITEMS."""
    seed: int | None = None
    """The seed of everything that is random; None: that of the station file's own belt, or 0."""
    scores: Path | None = None
    """The recorded scores of pictures, which pass in place of items; None: a model runs."""
    faults: tuple[Fault, ...] = ()
    """What is to go wrong."""


def world_for(plan: StationPlan, options: SimulationOptions) -> tuple[BeltWorld | BinWorld, Faults]:
    """(the world that suits a station, with the items of a run; the run's faults).

    A station over a belt gets a belt: it says how fast the belt is, or how far its lanes are from
    the camera. If its camera is the simulated belt, it gets that one; otherwise one that runs at
    the speed in its section `belt`, in pictures of its camera's size and rate. Another station gets
    a bin, in which one item at a time lies still; if every frame is an item for it, each picture
    shows another one.

    Raises:
        UsageError: the options do not fit the station, such as a rate at which items overlap.
        PictureSetError: the photographs cannot be used.
    """
    config = plan.config
    own = config.camera if isinstance(config.camera, belt_camera.Settings) else None
    given = own.model_dump(exclude={"truth", "paced"}) if own else _substitute(plan)
    speed = given["views_per_second"]
    given["items"] = options.count or given.get("items") or ITEMS
    if options.seed is not None:
        given["seed"] = options.seed
    if options.items is not None:
        _check_classes(plan, read_picture_set(options.items))  # names the folder, no key of a file
        given |= {"photographs": options.items.absolute(), "labels": None, "part": None}
    elif own is None:
        given["labels"] = _drawable(plan)
    on_a_belt = own is not None or is_over_a_belt(config)
    if on_a_belt and options.rate is not None:
        given["spacing_views"] = speed / options.rate
    settings = _settings(given, options)
    faults = Faults(options.faults, seed=settings.seed)
    plain = settings.order()
    if own is None:
        plain = placed_in_region(plain, plan, travels=on_a_belt)
    if any(fault.needs_marks for fault in options.faults):
        plain = plain.model_copy(update={"marks": True})
    order = faults.belt(plain)
    if on_a_belt:
        metres = config.belt.metres_per_second / speed if config.belt else None
        return BeltWorld(order, region=config.region, view_metres=metres), faults
    if named := ", ".join(fault.name for fault in options.faults if fault.kinds == BELTS):
        raise UsageError(
            f"--faults: {named}: only for a station over a belt, as `pilah-edge init --kind belt` "
            "writes it: with a section `belt`, or with lanes that have a delay or a distance. "
            "This one has neither, and so its items lie still until they are sorted"
        )
    return _bin(config, order, options.rate), faults


def scored_world_for(
    plan: StationPlan, options: SimulationOptions
) -> tuple[ScoredWorld, Faults, int]:
    """(the world of a file of recorded scores, the run's faults, its seed).

    Raises:
        UsageError: the options do not fit together.
        ScoresFileError: the file cannot be used.
        BundleError: the model is not as its bundle describes it.
    """
    assert options.scores is not None
    if options.items is not None:
        raise UsageError("--items and --scores: of recorded scores nothing is drawn; give one")
    config = plan.config
    own = config.camera if isinstance(config.camera, belt_camera.Settings) else None
    given = own.model_dump() if own else _substitute(plan)
    seed = options.seed if options.seed is not None else given.get("seed", 0)
    speed = given["views_per_second"]
    faults = Faults(options.faults, seed=seed)
    if idle := [fault.name for fault in options.faults if not fault.with_scores]:
        able = ", ".join(name for name, fault in FAULTS.items() if fault.with_scores)
        raise UsageError(
            f"--faults: {', '.join(idle)}: with --scores there are no pictures, no ledger, no "
            f"contacts and no people, so that nothing would come of it; only of {able}"
        )
    recorded: dict[str, list[Prediction]] = {}
    for picture in read_scores(options.scores, plan.bundle.labels):
        recorded.setdefault(picture.label, []).append(picture.prediction)
    traffic = ScoredTraffic(
        count=options.count or given.get("items") or ITEMS,
        rate=options.rate or _rate_of_scores(plan),
        jitter=given["jitter"],
        views_per_second=speed,
        frames_per_second=given["frames_per_second"],
        seed=seed,
    )
    model = replace(open_model(plan), inference_seconds=faults.usual_inference_seconds)
    metres = config.belt.metres_per_second if config.belt else None
    return ScoredWorld(recorded, traffic, model=model, metres_per_second=metres), faults, seed


def check_parts(config: StationConfig, faults: Sequence[Fault]) -> None:
    """Checks that a station has what is to fail.

    Raises:
        UsageError: it has not.
    """
    motors = [config.bin, *(lane.actuator for lane in config.lanes.values())]
    there = {
        ENCODER: config.belt is not None and config.belt.encoder is not None,
        HOME: any(getattr(motor, "home", None) is not None for motor in motors),
    }
    for fault in faults:
        if fault.part and not there[fault.part]:
            raise UsageError(
                f"--faults: {fault.name}: this station has nothing that could fail so. It needs "
                f"{PARTS[fault.part]}"
            )


def usual_rate(plan: StationPlan, options: SimulationOptions) -> float:
    """The rate of a run whose options give none, in items a second."""
    config = plan.config
    if options.rate is not None:
        return options.rate
    if options.scores is not None:
        return _rate_of_scores(plan)
    if not is_over_a_belt(config) and not isinstance(config.camera, belt_camera.Settings):
        return _BIN_RATE
    world, _ = world_for(plan, options)
    with closing(world):
        return world.order.views_per_second / world.order.spacing_views


def _rate_of_scores(plan: StationPlan) -> float:
    """The rate of recorded items whose options give none, in items a second."""
    own = plan.config.camera
    given = own.model_dump() if isinstance(own, belt_camera.Settings) else _substitute(plan)
    return float(given["views_per_second"] / given["spacing_views"])


def _bin(config: StationConfig, order: BeltOrder, rate: float | None) -> BinWorld:
    each_frame = config.trigger.kind == "continuous"
    usual = order.frames_per_second if each_frame else _BIN_RATE
    return BinWorld(
        order,
        region=config.region,
        rate=usual if rate is None else rate,
        holds={
            name: lane.actuator.hold_seconds
            for name, lane in config.lanes.items()
            if lane.actuator is not None
        },
        each_frame=each_frame,
    )


def is_over_a_belt(config: StationConfig) -> bool:
    """Whether a station's items travel, as far as its file tells."""
    delays = (config.delay_seconds(lane) for lane in config.lanes.values())
    return config.belt is not None or any(delay is not None for delay in delays)


def _substitute(plan: StationPlan) -> dict[str, Any]:
    """The keys of a belt camera in place of a station's camera."""
    config = plan.config
    whole_region = plan.bundle.manifest.input.crop == "region"
    width, height = config.camera.size or CAMERA_SIZE
    seconds = config.camera.seconds_per_frame
    return {
        "kind": "belt",
        "width": width,
        "height": height,
        "frames_per_second": 1 / seconds if seconds else _FRAMES_PER_SECOND,
        "views_per_second": (
            config.belt.metres_per_second / _VIEW_METRES if config.belt else _VIEWS_PER_SECOND
        ),
        "exposure_seconds": 0.002,
        "scale": WHOLE if whole_region else ITEM,
        "spacing_views": _APART if whole_region else _NEAR,
        "jitter": 0.1,
    }


def _check_classes(plan: StationPlan, photographs: PictureSet) -> None:
    classes, labels = photographs.labels, plan.bundle.labels
    if not set(classes) & set(labels):
        raise UsageError(
            f"--items {photographs.source}: its classes are {', '.join(classes)}, and "
            f"{plan.bundle.title} knows {', '.join(labels)}: give a folder that has a folder of "
            "each of these"
        )


def _drawable(plan: StationPlan) -> list[str]:
    labels = [label for label in plan.bundle.labels if label in LABELS]
    if not labels:
        raise UsageError(
            f"{plan.bundle.title} knows {', '.join(plan.bundle.labels)}, and only "
            f"{', '.join(LABELS)} can be drawn: give photographs of its classes with --items "
            "FOLDER, which has a folder of each class"
        )
    return labels


def _settings(given: Mapping[str, Any], options: SimulationOptions) -> belt_camera.Settings:
    try:
        return belt_camera.Settings.model_validate(dict(given))
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(
            f"no belt can be made of this: {'.'.join(map(str, first['loc']))} of the belt camera "
            f"would be {first['input']!r}: {first['msg']}"
            + ("; try another --rate" if options.rate is not None else "")
        ) from error
