"""Move one lane of a station by keyboard, to find its angles and times."""

from __future__ import annotations

import argparse
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import EXIT_OK, StuckError, UsageError

if TYPE_CHECKING:
    from edge.config import Lane
    from edge.keyboard import Keyboard
    from edge.lanes.jog import Jog
    from edge.live_line import LiveLine
    from edge.worker import Events

_LOOK_SECONDS = 0.05
"""How often the line is written anew while no key is pressed."""
_PATIENCE_SECONDS = 5.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["test"], help="test: move it, as in operation")
    parser.add_argument("station", type=Path, metavar="STATION.yaml", help="station file")
    parser.add_argument("lane", metavar="LANE", help="the lane's name in it")


def run(arguments: argparse.Namespace) -> int:
    from edge.config import read_lanes
    from edge.keyboard import Keyboard
    from edge.lanes.jog import Jog
    from edge.lanes.pins import open_pins
    from edge.live_line import LiveLine
    from edge.service import stop_signals

    file, lanes = read_lanes(arguments.station)
    lane = _lane(arguments.lane, lanes, arguments.station)
    actuator = lane.actuator
    if actuator is None:
        with_one = [name for name, other in lanes.items() if other.actuator is not None]
        raise UsageError(
            f"{arguments.station}: the lane {arguments.lane!r} has no actuator: nothing moves "
            f"there. Lanes with one: {', '.join(with_one) or 'none'}"
        )
    line = LiveLine()

    def write(text: str) -> None:
        line.clear()
        print(text, flush=True)

    with ExitStack() as parts:
        parts.callback(line.clear)
        events = parts.enter_context(stop_signals())
        pins = parts.enter_context(open_pins())
        line.say(f"pins: {pins.title}" + ("" if pins.real else ": nothing moves"))
        jog = Jog(
            arguments.lane,
            actuator,
            file.value(("lanes", arguments.lane, "actuator")),
            pins,
            clock=time.monotonic,
            say=line.say,
            write=write,
        )
        parts.callback(jog.close)
        line.say(jog.help)
        with Keyboard() as keys:
            _follow(jog, keys, events, line)
    return EXIT_OK


def _follow(jog: Jog, keys: Keyboard, events: Events, line: LiveLine) -> None:
    """Does what the keys say until one of them, a signal or an error ends it."""
    from edge.worker import Worker

    worker = Worker("lanes", jog.lanes.run, events)
    worker.start()
    try:
        while events.empty():
            line.show(jog.status)
            key = keys.get(_LOOK_SECONDS)
            if key is not None and not jog.press(key):
                break
        events.get()  # the thread's own end, or what makes it end
    finally:
        jog.lanes.stop()
        worker.join(_PATIENCE_SECONDS)
    if worker.failure is not None:
        raise worker.failure
    if worker.is_alive():
        raise StuckError(f"lanes: did not end within {_PATIENCE_SECONDS:g} seconds")


def _lane(name: str, lanes: dict[str, Lane], station: Path) -> Lane:
    from edge.yaml_file import did_you_mean

    if name not in lanes:
        raise UsageError(f"{station}: there is no lane {name!r}{did_you_mean(name, lanes)}")
    return lanes[name]
