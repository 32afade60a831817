"""Warnings about settings that are valid but probably not meant; they stop nothing."""

from __future__ import annotations

from collections.abc import Iterator

from edge.config.lanes import Lane
from edge.config.station import StationConfig
from edge.core.suggestions import similar_path
from edge.core.yaml_messages import FileProblem, Location
from edge.pins.header import BUSES, PULLED_UP


def station_warnings(config: StationConfig) -> Iterator[FileProblem]:
    """A warning for each setting of a valid station file that is probably not meant."""
    for name, lane in config.lanes.items():
        where: Location = ("lanes", name)
        yield from _about_its_delay(config, lane, where)
        if lane.actuator is not None:
            yield from _about_its_pin(lane, (*where, "actuator"))
            yield from _about_its_motor(lane, (*where, "actuator"))
            yield from _about_its_hold(config, lane, (*where, "actuator", "hold_seconds"))
    if config.keep_alive is not None:
        pin = config.keep_alive.pin
        if pin in BUSES:
            yield _about_a_bus(pin, ("keep_alive", "pin"))
        if not any(lane.actuator is not None for lane in config.lanes.values()):
            yield FileProblem(
                ("keep_alive",),
                "no lane has an actuator: there is no supply to cut off, and the level of this pin "
                "never changes. Remove the section, or give a lane an actuator",
            )
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


def _about_its_pin(lane: Lane, where: Location) -> Iterator[FileProblem]:
    pin = getattr(lane.actuator, "pin", None)
    if not isinstance(pin, int):
        return
    active_high = getattr(lane.actuator, "active_high", None)
    reasons = []
    if pin in PULLED_UP and active_high is not False:
        moves = "a relay or coil may be on" if active_high else "a servo may twitch"
        reasons.append(
            f"is pulled high from power-on until the station runs, so that {moves} meanwhile: take "
            "one of GPIO 16 to 27, which are pulled low"
        )
    if pin not in PULLED_UP and active_high is False:
        reasons.append(
            "is pulled low from power-on until the station runs, so that what is switched on at a "
            "low level (active_high: false) may be on meanwhile: take GPIO 4, 5 or 6, which are "
            "pulled high, or add a pull-up"
        )
    for reason in reasons:
        yield FileProblem((*where, "pin"), f"GPIO {pin} {reason}")
    if pin in BUSES:
        yield _about_a_bus(pin, (*where, "pin"))


def _about_its_motor(lane: Lane, where: Location) -> Iterator[FileProblem]:
    motor = lane.actuator is not None and lane.actuator.kind == "stepper"
    if motor and getattr(lane.actuator, "home", None) is None:
        yield FileProblem(
            where,
            "has no home switch: after a crash or a power cut in the middle of a move its rest "
            "position is where it stopped. Add `home`, or look at it before each start",
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
