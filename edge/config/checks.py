"""Checks between the sections of a station file, and between them and the bundle."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from edge.config.station import ActuationConfig, StationConfig, VisionConfig
from edge.core.errors import UnreadableImageError
from edge.core.model.bundle import Bundle
from edge.core.suggestions import did_you_mean
from edge.core.yaml_file import YamlFile
from edge.core.yaml_messages import FileProblem, Location
from edge.flow import EMPTY
from edge.lanes import ActuatorSettings
from edge.lanes.bins import BinSettings
from edge.lanes.motion.profile import LONGEST_TRAVEL
from edge.pins.i2c import PINS_OF_BUS


def pins_used_twice(content: dict[Any, Any]) -> Iterator[FileProblem]:
    """A problem for each pin or channel that an earlier device, or an I2C bus, uses too."""
    first: dict[str, Location] = {}
    buses = {f"pin {pin}": bus for bus, pins in buses_in(content, ()) for pin in pins}
    for location, name in pins_in(content, ()):
        if name in buses:
            where = ".".join(map(str, buses[name]))
            message = f"{name} is a wire of the I2C bus that {where} uses: take another pin"
            yield FileProblem(location, message)
        elif name in first:
            other, kind = ".".join(map(str, first[name])), name.partition(" ")[0]
            message = f"{name} is used by {other} already: give each device a {kind} of its own"
            yield FileProblem(location, message)
        else:
            first[name] = location


def pins_in(value: Any, location: Location) -> Iterator[tuple[Location, str]]:
    """The location of each pin and each channel of the PWM hardware, with its kind and name."""
    if isinstance(value, list):
        for index, part in enumerate(value):
            yield from pins_in(part, (*location, index))
    elif isinstance(value, dict):
        for key, part in value.items():
            name = str(key)
            if name == "pin" or name.endswith("_pin"):
                if isinstance(part, int):
                    yield (*location, name), f"pin {part}"
            elif name == "hardware_pwm":
                if isinstance(part, str):
                    yield (*location, name), f"channel {part}"
            elif name == "channel" and isinstance(part, int):
                bus, address = value.get("bus", 1), value.get("address", 0x40)
                text = address if isinstance(address, str) else f"{address:#04x}"
                yield (*location, name), f"channel {part} of the board {text} on bus {bus}"
            else:
                yield from pins_in(part, (*location, name))


def buses_in(value: Any, location: Location) -> Iterator[tuple[Location, tuple[int, ...]]]:
    """The location of each servo board, and the pins that its bus takes."""
    if isinstance(value, dict):
        for key, part in value.items():
            here = (*location, str(key))
            if key == "board" and isinstance(part, dict):
                bus = part.get("bus", 1)
                yield here, PINS_OF_BUS.get(bus, ()) if isinstance(bus, int) else ()
            else:
                yield from buses_in(part, here)


def distance_problems(content: dict[Any, Any]) -> Iterator[FileProblem]:
    """A problem for each lane with a distance, if the file does not give the belt's speed."""
    lanes = content.get("lanes")
    if content.get("belt") is not None or not isinstance(lanes, dict):
        return
    for name, lane in lanes.items():
        if isinstance(lane, dict) and lane.get("distance_metres") is not None:
            yield FileProblem(
                ("lanes", str(name), "distance_metres"),
                "needs the belt's speed: add a section `belt: {metres_per_second: ...}`, or give "
                "delay_seconds instead",
            )


def bin_problems(config: ActuationConfig) -> Iterator[FileProblem]:
    """A problem for each lane of a bin that its mover cannot serve."""
    first: dict[float, str] = {}
    for name, lane in config.lanes.items():
        device, where = lane.actuator, ("lanes", name, "actuator")
        position = None if device is None else getattr(device, "position", None)
        if device is None or not isinstance(position, float):
            continue
        if config.bin is None:
            yield FileProblem(
                (*where, "kind"),
                "needs the section `bin`, which says what turns: `bin: {kind: flap, pin: ...}` or "
                "`bin: {kind: carousel, ...}`",
            )
            continue
        if refusal := config.bin.refusal(position):
            yield FileProblem((*where, "position"), f"{position:g} {refusal}")
            continue
        home = getattr(config.bin, "home", None)
        if home is not None and position > home.within_steps:
            yield FileProblem(
                (*where, "position"),
                f"{position:g} is beyond bin.home.within_steps ({home.within_steps:,}): from there "
                "the home switch would not be found after a crash. Raise within_steps",
            )
        if position in first:
            yield FileProblem(
                (*where, "position"),
                f"{position:g} is that of the lane {first[position]} already: put the labels of "
                "both into one lane",
            )
        first.setdefault(position, name)
        yield from _too_short_for_its_way(config, config.bin, device, position, where)
        if lane.delay_seconds is not None or lane.distance_metres is not None:
            yield FileProblem(
                ("lanes", name),
                "has a bin and a delay or a distance: in a bin one item lies still until it is "
                "sorted. Remove that key",
            )
    if config.bin is not None and not first:
        yield FileProblem(
            ("bin",), "no lane is at a position of it: `actuator: {kind: bin, position: ...}`"
        )


def _too_short_for_its_way(
    config: ActuationConfig,
    mover: BinSettings,
    device: ActuatorSettings,
    position: float,
    where: Location,
) -> Iterator[FileProblem]:
    others = [getattr(lane.actuator, "position", None) for lane in config.lanes.values()]
    starts = [one for one in (*others, mover.rest_position or 0.0) if isinstance(one, float)]
    longest = max(mover.travel_seconds(start, position) for start in starts)
    if longest > LONGEST_TRAVEL and mover.kind == "carousel":
        yield FileProblem(
            (*where, "position"),
            f"{position:g} may take the mover {longest:.3g} s to get to: {LONGEST_TRAVEL:g} s at "
            "most. Raise max_steps_per_second or steps_per_second_squared of the bin",
        )
    if device.hold_seconds < longest:
        yield FileProblem(
            (*where, "hold_seconds"),
            f"{device.hold_seconds:g} is shorter than the {longest:.3g} s that the mover may need "
            "to get there: add the time in which an item falls",
        )


def receiving_problems(content: dict[Any, Any]) -> Iterator[FileProblem]:
    """A problem if the lane for contradicted items is not there."""
    receiving, lanes = content.get("receiving"), content.get("lanes")
    name = receiving.get("mismatch_lane") if isinstance(receiving, dict) else None
    if isinstance(name, str) and isinstance(lanes, dict) and name not in lanes:
        advice = did_you_mean(name, map(str, lanes))
        yield FileProblem(("receiving", "mismatch_lane"), f"there is no lane {name!r}{advice}")


def stop_problems(content: dict[Any, Any]) -> Iterator[FileProblem]:
    """A problem for each sensor of a lane that is not there, or out of which nothing is sent."""
    stops, lanes = content.get("stops"), content.get("lanes")
    if not isinstance(stops, dict) or not isinstance(lanes, dict):
        return
    for section in ("bins", "exits"):
        sensors = stops.get(section)
        for name in sensors if isinstance(sensors, dict) else ():
            where: Location = ("stops", section, str(name))
            if name not in lanes:
                advice = did_you_mean(str(name), map(str, lanes))
                yield FileProblem(where, f"there is no lane {name!r}{advice}")
            elif section == "exits" and not (lanes[name] or {}).get("actuator"):
                yield FileProblem(
                    where,
                    f"the lane {name} has no actuator, and items fall through into it: no move "
                    "tells that one is to come out. Remove this sensor",
                )


def reference_problems(config: VisionConfig) -> Iterator[FileProblem]:
    """A problem where the reference picture cannot be used."""
    try:
        _ = config.reference
    except UnreadableImageError as error:
        yield FileProblem(("reference_picture",), str(error))


def region_problems(file: YamlFile) -> Iterator[FileProblem]:
    """A problem if the region does not fit into the picture that the camera is asked for."""
    vision, _ = file.check(VisionConfig, whole=StationConfig)
    size = None if vision is None else vision.camera.size
    if vision is None or vision.region is None or size is None:
        return
    right, bottom = (
        vision.region.left + vision.region.width,
        vision.region.top + vision.region.height,
    )
    if right > size[0] or bottom > size[1]:
        yield FileProblem(
            ("region",),
            f"reaches to {right}, {bottom} (left + width, top + height), but the camera's picture "
            f"is {size[0]}x{size[1]}: correct the region, or width and height of the camera",
        )


def box_problems(config: StationConfig, bundle: Bundle) -> Iterator[FileProblem]:
    """A problem if the bundle needs the box of each item and the trigger gives none."""
    if bundle.manifest.input.crop == "item" and not config.trigger.has_box:
        yield FileProblem(
            ("trigger",),
            f"{bundle.title} was trained on items cut out of the picture (crop: item), and a "
            f"{config.trigger.kind} trigger does not tell where an item is: use {{kind: motion}}",
        )


def label_problems(
    file: YamlFile, bundle: Bundle | None, shapes: list[Location]
) -> Iterator[FileProblem]:
    """A problem for each mismatch between the lanes, the thresholds and the bundle's labels.

    Args:
        shapes: the locations at which the file's form is wrong. Checks that depend on these values
            are left out.
    """
    content = file.content
    found = content.get("lanes")
    described = found if isinstance(found, dict) else {}
    default = content.get("default_lane")
    if isinstance(default, str) and described and default not in described:
        advice = did_you_mean(default, map(str, described))
        yield FileProblem(("default_lane",), f"there is no lane {default!r}{advice}")
    first: dict[str, str] = {}
    for location, label in _labels_of_lanes(described):
        lane = str(location[1])
        if label in first:
            yield FileProblem(
                location, f"the label {label!r} is in the lane {first[label]} already: remove one"
            )
        elif bundle is not None and label not in bundle.labels:
            yield FileProblem(location, _unknown_label(label, bundle))
        first.setdefault(label, lane)
    if bundle is None:
        return
    accept = file.value(("decision", "accept"))
    for label in accept if isinstance(accept, dict) else {}:
        if isinstance(label, str) and label not in bundle.labels:
            yield FileProblem(("decision", "accept", label), _unknown_label(label, bundle))
    if bundle.manifest.unknown is None and file.value(("decision", "unknown")) is not None:
        yield FileProblem(
            ("decision", "unknown"),
            f"{bundle.title} has no novelty score: remove this line, or train again",
        )
    misspelt = any(s[:1] == ("lanes",) and "actuator" not in s for s in shapes)
    homeless = [label for label in bundle.labels if label not in first and label != EMPTY]
    if described and homeless and not misspelt:
        yield FileProblem(
            ("lanes",),
            f"no lane for {', '.join(map(repr, homeless))}: put each label of {bundle.title} into "
            "the labels of one lane",
        )


def _labels_of_lanes(described: dict[Any, Any]) -> Iterator[tuple[Location, str]]:
    for name, lane in described.items():
        labels = lane.get("labels") if isinstance(lane, dict) else None
        for index, label in enumerate(labels if isinstance(labels, list) else ()):
            if isinstance(label, str):
                yield ("lanes", name, "labels", index), label


def _unknown_label(label: str, bundle: Bundle) -> str:
    return f"{bundle.title} has no label {label!r}{did_you_mean(label, bundle.labels)}"
