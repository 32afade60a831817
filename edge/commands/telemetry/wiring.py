"""What `doctor` finds out of the pins and of their levels before the station runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edge.core.errors import PinError
from edge.telemetry.finding import Finding, bad, ok, warning

if TYPE_CHECKING:
    from edge.config.station import ActuationConfig, VisionConfig


def about_the_pins(
    actuation: ActuationConfig, vision: VisionConfig | None = None
) -> Iterator[Finding]:
    """What is to be said of the pins of a station; none of them is taken, and nothing moves.

    Args:
        actuation: its lanes and contacts; a whole station file, where that can be read.
        vision: its trigger, which may have a pin; None: that cannot be read.
    """
    from edge.pins.pins import open_pins

    moving = [name for name, lane in actuation.lanes.items() if lane.actuator is not None]
    apart = pins_apart(actuation, vision)
    inputs = sorted(pin for pin, why in apart.items() if why is _READ)
    if not moving and not inputs:
        yield ok("pins", "none: no lane has an actuator, and no contact is read")
        return
    try:
        with open_pins() as pins:
            title, real = pins.title, pins.real
    except PinError as error:
        yield bad("pins", str(error))
        return
    read = [f"GPIO {', '.join(map(str, inputs))}, read by the station"] if inputs else []
    said = f"{title}, for {', '.join([*moving, *read])}"
    advice = "nothing moves on this machine" if moving else "nothing is read on this machine"
    yield ok("pins", said) if real else warning("pins", said, advice)
    if real:
        yield from about_the_boot(levels_at_rest(actuation), apart=apart)
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


def pins_apart(actuation: ActuationConfig, vision: VisionConfig | None = None) -> dict[int, str]:
    """Why the firmware must make no output of a pin that the station uses, by BCM number.

    Args:
        actuation, vision: see `about_the_pins`.
    """
    from edge.config.checks import pins_in

    levels, apart = levels_at_rest(actuation), dict[int, str]()
    for part in filter(None, (actuation, vision)):
        content = part.model_dump(exclude_unset=True, serialize_as_any=True)
        found = [(where, name.split()) for where, name in pins_in(content, ())]
        pulsed = {where[:-1] for where, name in found if where[-1] == "hardware_pwm"}
        for where, (kind, number, *_) in found:
            if kind == "pin" and int(number) not in levels:
                apart[int(number)] = _PULSED if where[:-1] in pulsed else _READ
    return apart


_READ = "the station reads it, and a contact that closes would be a short circuit"
_PULSED = "the PWM hardware is to make its pulses (hardware_pwm)"


def about_the_boot(
    levels: Mapping[int, bool],
    places: Sequence[Path] | None = None,
    *,
    apart: Mapping[int, str] | None = None,
) -> Iterator[Finding]:
    """What holds the output pins before the station runs: the firmware's lines, and resistors.

    Args:
        levels: whether each pin is high at rest, by BCM number.
        places: where the firmware's file may be; None: where Raspberry Pi OS has it.
        apart: why other pins must be no outputs, by BCM number.
    """
    from edge.pins.boot_config import PLACES, boot_pins, contrary_pins, included, missing_lines

    if not levels and not apart:
        return
    file = next((place for place in places or PLACES if place.is_file()), None)
    try:
        text = "" if file is None else file.read_text("utf-8", "replace")
    except OSError as error:
        yield warning("boot", f"{file} cannot be read: {error.strerror}")
        return
    found, doubts = boot_pins(text), []
    for pin, why in (apart or {}).items():
        if (one := found.get(pin)) is not None and one.output:
            said = f"GPIO {pin} is an output at boot, by line {one.line} of {file}"
            if one.below:  # a filter, which may leave this board out
                said += f", where {one.below} counts"
            tell = warning if one.below else bad
            yield tell("boot", f"{said}: {why}", "take the pin out of that line")
    if not levels:
        return
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
