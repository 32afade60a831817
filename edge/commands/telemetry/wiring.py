"""What `doctor` finds out of the pins and of their levels before the station runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edge.core.errors import PinError
from edge.telemetry.finding import Finding, bad, ok, warning

if TYPE_CHECKING:
    from edge.config.station import ActuationConfig


def about_the_pins(actuation: ActuationConfig) -> Iterator[Finding]:
    """What is to be said of the pins that lanes use; none of them is taken, and nothing moves."""
    from edge.pins.pins import open_pins

    moving = [name for name, lane in actuation.lanes.items() if lane.actuator is not None]
    if not moving:
        yield ok("pins", "none: no lane has an actuator")
        return
    try:
        with open_pins() as pins:
            title, real = pins.title, pins.real
    except PinError as error:
        yield bad("pins", str(error))
        return
    said = f"{title}, for {', '.join(moving)}"
    yield ok("pins", said) if real else warning("pins", said, "nothing moves on this machine")
    if real:
        yield from about_the_boot(levels_at_rest(actuation))
        yield from _about_the_boards(actuation)
        yield from about_the_pwm(actuation)


def levels_at_rest(actuation: ActuationConfig) -> dict[int, bool]:
    """Whether each output pin of the station is high at rest, by BCM number."""
    levels: dict[int, bool] = {}
    for lane in actuation.lanes.values():
        if lane.actuator is not None:
            levels.update(lane.actuator.levels_at_rest)
    if actuation.keep_alive is not None:
        levels[actuation.keep_alive.pin] = False
    return levels


def about_the_boot(
    levels: Mapping[int, bool], places: Sequence[Path] | None = None
) -> Iterator[Finding]:
    """What holds the output pins before the station runs: the firmware's lines, and resistors.

    Args:
        levels: whether each pin is high at rest, by BCM number.
        places: where the firmware's file may be; None: where Raspberry Pi OS has it.
    """
    from edge.pins.boot_config import PLACES, boot_pins, contrary_pins, included, missing_lines

    if not levels:
        return
    file = next((place for place in places or PLACES if place.is_file()), None)
    try:
        text = "" if file is None else file.read_text("utf-8", "replace")
    except OSError as error:
        yield warning("boot", f"{file} cannot be read: {error.strerror}")
        return
    found, doubts = boot_pins(text), []
    for pin, one in found.items():
        if pin in levels and one.below:
            doubts.append(f"line {one.line}, about GPIO {pin}, is below {one.below}")
    doubts += [f"line {number} includes {name}" for number, name in included(text).items()]
    for pin, one in contrary_pins(levels, found).items():
        level = "high" if one.high else "low"
        yield bad(
            "boot",
            f"GPIO {pin} is set {level} at boot, by line {one.line} of {file}, which is its active "
            "level",
            "correct that line, or active_high in the station file",
        )
    where = file or PLACES[0]
    if lines := missing_lines(levels, found):
        yield warning(
            "boot",
            "nobody holds these pins from the firmware's start until the station runs",
            f"add to {where}: {' and '.join(f'`{line}`' for line in lines)}",
        )
    elif doubts:
        yield warning(
            "boot",
            f"whether {where} holds the pins from the firmware's start on depends on what is not "
            f"known here: {'; '.join(doubts)}",
            "see whether that counts on this board and what it says, or put the `gpio=` lines at "
            "the end, below [all]",
        )
    else:
        yield ok("boot", f"{where} holds the pins from the firmware's start on")
    yield ok("resistors", _question(levels))


def _question(levels: Mapping[int, bool]) -> str:
    """What no program can find out."""
    asked = []
    for high, to in ((False, "ground"), (True, "3.3 V")):
        pins = sorted(pin for pin, level in levels.items() if level is high)
        if pins:
            asked.append(f"from GPIO {', '.join(map(str, pins))} to {to}")
    return (
        "no program can see them: before the firmware runs, and after a crash of the Pi, only a "
        f"resistor of 10 kΩ {' and '.join(asked)} holds these pins. Are they there? (wiring.md)"
    )


def _about_the_boards(actuation: ActuationConfig) -> Iterator[Finding]:
    from edge.pins.i2c import I2cDevice

    asked = set()
    for lane in actuation.lanes.values():
        holder = getattr(lane.actuator, "mover", lane.actuator)
        board = getattr(holder, "board", None)
        if board is None or (board.bus, board.address) in asked:
            continue
        asked.add((board.bus, board.address))
        try:
            device = I2cDevice(board.bus, board.address)
            try:
                device.read(0)  # its mode: nothing changes by that
            finally:
                device.close()
        except PinError as error:
            yield bad("board", str(error))
        else:
            yield ok("board", f"{board.kind} answers at {board.address:#04x} on bus {board.bus}")


def about_the_pwm(actuation: ActuationConfig) -> Iterator[Finding]:
    """Whether the machine has the channels of its PWM hardware that arms are on."""
    from edge.lanes.pulses.hardware import check_channel

    arms = (getattr(lane.actuator, "mover", lane.actuator) for lane in actuation.lanes.values())
    channels = (getattr(arm, "hardware_pwm", None) for arm in arms)
    for channel in dict.fromkeys(found for found in channels if found is not None):
        try:
            check_channel(channel)
        except PinError as error:
            yield bad("pwm", str(error))
        else:
            yield ok("pwm", f"{channel} is there")
