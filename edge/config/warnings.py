"""Warnings about settings that are valid but probably not meant; they stop nothing."""

from __future__ import annotations

from collections.abc import Iterator

from edge.config.checks import pins_in
from edge.config.lanes import Lane
from edge.config.station import StationConfig
from edge.core.suggestions import similar_path
from edge.core.yaml_messages import FileProblem, Location
from edge.pins.header import BUSES, PULLED_UP

_REAL = ("usb", "picamera", "stream")
"""Cameras before which things pass as they come."""
_ANNOUNCING = ("beam", "button", "socket")
"""Triggers that say when an item comes, in seconds."""
_MOST_PULSES = 2000
"""Pulses of an encoder that are surely counted, in a second."""
_FARTHEST_OFF = 10.0
"""Millimetres from one pulse of an encoder to the next that are worth a word."""


def station_warnings(config: StationConfig) -> Iterator[FileProblem]:
    """A warning for each setting of a valid station file that is probably not meant."""
    for name, lane in config.lanes.items():
        where: Location = ("lanes", name)
        yield from _about_its_delay(config, lane, where)
        yield from _about_its_place(config, lane, where)
        if lane.actuator is not None:
            yield from _about_its_motor(lane, (*where, "actuator"))
            yield from _about_its_arm(config, lane, (*where, "actuator", "hold_seconds"))
            yield from _about_its_hold(config, lane, (*where, "actuator", "hold_seconds"))
    moves = any(lane.actuator is not None for lane in config.lanes.values())
    if config.keep_alive is not None and not moves:
        yield FileProblem(
            ("keep_alive",),
            "no lane has an actuator: there is no supply to cut off, and the level of this pin "
            "never changes. Remove the section, or give a lane an actuator",
        )
    yield from _about_pins(config)
    yield from _about_the_emergency_stop(config)
    yield from _about_items_that_follow(config)
    yield from _about_the_encoder(config)
    yield from _about_items_in_parts(config)
    yield from _about_a_camera_that_is_moved(config)
    yield from _about_the_ledger(config)


def _about_the_ledger(config: StationConfig) -> Iterator[FileProblem]:
    ledger, spill = config.ledger.path, config.ledger.spill
    try:
        disk = ledger.parent.stat().st_dev
    except OSError as error:
        yield FileProblem(
            ("ledger", "path"),
            f"the folder {ledger.parent} cannot be used now ({error.strerror}"
            f"{similar_path(ledger.parent)}): the station sorts anyway, and the rows wait until "
            "the folder can be used",
        )
        return
    if spill is not None and spill.name:  # `none` has none
        try:
            same = spill.parent.stat().st_dev == disk
        except OSError as error:
            yield FileProblem(
                ("ledger", "spill"), f"the folder {spill.parent} cannot be used: {error.strerror}"
            )
            return
        if same:
            yield FileProblem(
                ("ledger", "spill"),
                f"{spill} is on the same disk as the ledger and fails together with it: choose "
                "another disk, or remove this line, and rows wait in memory",
            )


def _about_its_delay(config: StationConfig, lane: Lane, where: Location) -> Iterator[FileProblem]:
    delay, deadline = config.delay_seconds(lane), config.decision.deadline_seconds
    if delay is None or deadline is None or delay >= deadline:
        return
    key = "delay_seconds" if lane.distance_metres is None else "distance_metres"
    comes = "" if lane.distance_metres is None else f", which takes {delay:g} s"
    yield FileProblem(
        (*where, key),
        f"{lane.delay_seconds or lane.distance_metres:g}{comes}, is below "
        f"decision.deadline_seconds ({deadline:g}): items reach this lane before the deadline, so "
        "verdicts are made earlier, from fewer frames. Lower deadline_seconds, or move the lane "
        "farther from the camera",
    )


def _about_its_place(config: StationConfig, lane: Lane, where: Location) -> Iterator[FileProblem]:
    for key in ("distance_metres", "delay_seconds"):
        given = key in lane.model_fields_set
        if given and lane.actuator is not None and config.delay_seconds(lane) is None:
            yield FileProblem(
                (*where, key),
                "has no value, as if it were not there: the actuator moves as soon as an item has "
                "its verdict, wherever the item is. Write a value, or remove the line",
            )


def _about_pins(config: StationConfig) -> Iterator[FileProblem]:
    """What is to be said of pins, wherever in the file they stand."""
    content = config.model_dump(exclude_unset=True, serialize_as_any=True)
    for section in ("lanes", "bin", "keep_alive"):
        yield from _about_driven_pins(content.get(section), (section,))
    for where, name in pins_in(content, ()):
        if name.startswith("pin ") and (pin := int(name.removeprefix("pin "))) in BUSES:
            yield _about_a_bus(pin, where)


def _about_driven_pins(value: object, where: Location) -> Iterator[FileProblem]:
    """What pins that the station drives do before it runs; those of switches are read."""
    if not isinstance(value, dict):
        return
    for key, part in value.items():
        if key in ("home", "end"):
            continue
        if key == "pin" and isinstance(part, int) and where != ("keep_alive",):
            coil = True if value.get("kind") == "solenoid" else None  # what it is without the key
            active_high = value.get("active_high", coil)
            yield from _about_its_level(part, active_high, (*where, key))
        elif key == "enable_pin" and isinstance(part, int):
            yield from _about_its_level(
                part, value.get("enable_active_high", False), (*where, key), has_resistor=True
            )
        else:
            yield from _about_driven_pins(part, (*where, key))


def _about_its_level(
    pin: int, active_high: bool | None, where: Location, *, has_resistor: bool = False
) -> Iterator[FileProblem]:
    if pin in PULLED_UP and active_high is not False:
        moves = "a relay or coil may be on" if active_high else "a servo may twitch"
        yield FileProblem(
            where,
            f"GPIO {pin} is pulled high from power-on until the station runs, so that {moves} "
            "meanwhile: take one of GPIO 16 to 27, which are pulled low",
        )
    if pin not in PULLED_UP and active_high is False and not has_resistor:
        yield FileProblem(
            where,
            f"GPIO {pin} is pulled low from power-on until the station runs, so that what is "
            "switched on at a low level (active_high: false) may be on meanwhile: take GPIO 4, 5 "
            "or 6, which are pulled high, or add a pull-up",
        )


def _about_the_emergency_stop(config: StationConfig) -> Iterator[FileProblem]:
    stop = None if config.stops is None else config.stops.emergency_stop
    if stop is None or stop.pull == "none" or (stop.active_high and stop.pull == "up"):
        return
    yield FileProblem(
        ("stops", "emergency_stop"),
        "a wire that is cut is not seen: use a contact that opens when the button is pressed, "
        "between the pin and ground, with `active_high: true, pull: up`",
    )


def _about_items_that_follow(config: StationConfig) -> Iterator[FileProblem]:
    planned = [
        name
        for name, lane in config.lanes.items()
        if lane.actuator is not None and config.delay_seconds(lane) is not None
    ]
    if planned and config.decision.min_gap_seconds is None and config.camera.kind in _REAL:
        yield FileProblem(
            ("decision",),
            "min_gap_seconds is not set: an actuator may move two items that follow each other "
            "closely, of which one is for another lane. Set it to the time in which an item passes "
            "an actuator, and both of two that are closer are rejected",
        )


def _about_items_in_parts(config: StationConfig) -> Iterator[FileProblem]:
    trigger = config.trigger
    if trigger.kind != "motion" or "min_gap" in trigger.model_fields_set:
        return
    if config.camera.kind in _REAL:
        yield FileProblem(
            ("trigger",),
            "min_gap is not set: an item that looks like several, such as a clear bottle or a shoe "
            "with a light sole, gets several verdicts. Where items come one by one, write "
            "`min_gap: 0.3`, as `pilah-edge init` does; where they come closer to each other than "
            "that share of the region, write less, or 0. `pilah-edge trigger STATION.yaml` "
            "proposes values",
        )


def _about_a_camera_that_is_moved(config: StationConfig) -> Iterator[FileProblem]:
    moves = any(lane.actuator is not None for lane in config.lanes.values())
    if moves and config.reference_picture is None and config.camera.kind in _REAL:
        yield FileProblem(
            ("camera",),
            "there is no reference_picture: a camera that was moved before a start is taken for "
            "right, and one that is moved later is told of and stops nothing. Once it is mounted, "
            "`pilah-edge roi STATION.yaml --reference FILE.png` takes one, and prints the line to "
            "add here",
        )


def _about_its_motor(lane: Lane, where: Location) -> Iterator[FileProblem]:
    motor = lane.actuator is not None and lane.actuator.kind == "stepper"
    if motor and getattr(lane.actuator, "home", None) is None:
        yield FileProblem(
            where,
            "has no home switch: after a crash or a power cut in the middle of a move its rest "
            "position is where it stopped. Add `home`, or look at it before each start",
        )


def _about_its_arm(config: StationConfig, lane: Lane, where: Location) -> Iterator[FileProblem]:
    arm = lane.actuator
    turn = None if arm is None or arm.kind != "servo" else getattr(arm, "turn_seconds", None)
    if arm is None or turn is None or arm.hold_seconds >= turn or config.camera.kind not in _REAL:
        return
    yield FileProblem(
        where,
        f"{arm.hold_seconds:g} is shorter than turn_seconds ({turn:g}), which counts from its "
        "start: the arm may turn back before it is there. Raise hold_seconds, or write how long "
        "the arm needs as turn_seconds",
    )


def _about_the_encoder(config: StationConfig) -> Iterator[FileProblem]:
    """What an encoder of the belt does not do, though somebody may count on it."""
    belt = config.belt
    if belt is None or belt.encoder is None:
        return
    where: Location = ("belt", "encoder", "pulses_per_metre")
    pulses = belt.encoder.pulses_per_metre
    if (most := pulses * belt.metres_per_second) > _MOST_PULSES:
        yield FileProblem(
            where,
            f"{pulses:g} are {most:,.0f} pulses a second at {belt.metres_per_second:g} m/s, of "
            f"which at most {_MOST_PULSES:,} can be counted: take an encoder with fewer",
        )
    if (off := 1000 / pulses) > _FARTHEST_OFF:
        yield FileProblem(
            where,
            f"{pulses:g} tell where an item is to {off:.0f} mm only: take an encoder with 200 or "
            "more, or put it on a smaller roller",
        )
    for name, lane in config.lanes.items():
        if lane.actuator is not None and lane.delay_seconds is not None:
            yield FileProblem(
                ("lanes", name, "delay_seconds"),
                "counts seconds, whatever the belt's encoder tells: where the belt gets slower or "
                "stops, the actuator misses the item. Write distance_metres instead",
            )
    if config.trigger.kind in _ANNOUNCING:
        yield FileProblem(
            ("trigger",),
            f"a {config.trigger.kind} trigger counts seconds until an item is in the middle of the "
            "region, whatever the belt's encoder tells: where the belt gets slower or stops, other "
            "pictures are taken for the item, and its actuator misses it. Use {kind: motion}, or "
            "see that the belt keeps its speed",
        )


def _about_a_bus(pin: int, where: Location) -> FileProblem:
    return FileProblem(
        where, f"GPIO {pin} is also {BUSES[pin]}: take another one unless that is not in use"
    )


def _about_its_hold(config: StationConfig, lane: Lane, where: Location) -> Iterator[FileProblem]:
    spacing = config.seconds_per_item
    hold = None if lane.actuator is None else lane.actuator.hold_seconds
    if spacing is None or hold is None or hold <= spacing:
        return
    yield FileProblem(
        where,
        f"{hold:g} is longer than the {spacing:.3g} s from one item to the next: the next item "
        "finds this actuator still active, whatever lane it is for. Shorten it, or let items come "
        "more slowly",
    )
