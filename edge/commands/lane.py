"""Move one lane of a station, to find its angles and times, or make all lanes safe."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from edge.core.command_line import above_zero
from edge.core.errors import EXIT_OK, StuckError, UsageError

if TYPE_CHECKING:
    from edge.config.lanes import Lane
    from edge.config.station import ActuationConfig
    from edge.core.terminal.live_line import LiveLine
    from edge.core.yaml_file import YamlFile
    from edge.lanes import ActuatorSettings, keep_alive
    from edge.lanes.jog import Jog
    from edge.runtime.keyboard import Keyboard
    from edge.runtime.worker import Endings

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.05
"""The seconds between two updates of the status line while no key is pressed."""
_PATIENCE_SECONDS = 5.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action",
        choices=["test", "move", "safe"],
        help="test: move LANE as in operation, by keyboard, while the station does not run. move: "
        "have the running station move LANE once, in the mode maintenance or manual (`pilah-edge "
        "mode`). safe: put every lane into its safe state, for example after a station was killed, "
        "because the pins of a Raspberry Pi then stay as they were",
    )
    parser.add_argument("station", type=Path, metavar="STATION.yaml", help="station file")
    parser.add_argument(
        "lane", nargs="?", metavar="LANE", help="the name of the lane in the station file"
    )
    parser.add_argument(
        "--seconds",
        type=above_zero,
        metavar="S",
        help="with move: for how long its actuator is active, up to its max_on_seconds; without "
        "it, for its hold_seconds",
    )


def run(arguments: argparse.Namespace) -> int:
    from edge.config.reading import read_actuation_config
    from edge.core.terminal.speech import without_waiting

    if arguments.seconds is not None and arguments.action != "move":
        raise UsageError(f"lane {arguments.action} takes no --seconds: only lane move does")
    if arguments.lane is None and arguments.action == "move":
        raise UsageError("lane move needs a LANE")
    if arguments.action == "move":
        return _move(arguments)
    file, actuation = read_actuation_config(arguments.station)
    if arguments.action == "safe":
        if arguments.lane is not None:
            raise UsageError("lane safe takes no LANE: it makes all lanes safe")
        with without_waiting():
            return _safe(actuation)
    if arguments.lane is None:
        raise UsageError(f"lane test needs a LANE: one of {', '.join(actuation.lanes)}")
    with without_waiting():
        return _test(arguments.lane, file, actuation)


def _move(arguments: argparse.Namespace) -> int:
    """Has the running station move the lane.

    Raises:
        ControlRefusedError: it may not move now.
        ControlUnreachableError: the station does not run, or does not answer.
    """
    from edge.commands.control.asking import asked, user_name
    from edge.control.messages import ControlCommand, ControlRequest
    from edge.core.terminal.speech import write_out

    request = ControlRequest(
        ControlCommand.MOVE_LANE, user_name(), lane=arguments.lane, seconds=arguments.seconds
    )
    name, _ = asked(arguments.station, request)
    write_out(f"{name} moves the lane {arguments.lane}\n")
    return EXIT_OK


def _safe(actuation: ActuationConfig) -> int:
    """Puts every lane into its safe state, and the keep-alive pin at rest.

    Raises:
        PinError: a device cannot be made safe, though all others were; the error of the first one.
    """
    from edge.core.errors import PinError
    from edge.pins.pins import open_pins
    from edge.runtime.service import stop_signals

    failures = []
    with stop_signals(), ExitStack() as parts:
        pins = parts.enter_context(open_pins())
        devices: dict[str, ActuatorSettings | keep_alive.Settings] = {
            name: lane.actuator
            for name, lane in actuation.lanes.items()
            if lane.actuator is not None
        }
        if actuation.keep_alive is not None:
            devices["keep_alive"] = actuation.keep_alive
        for name, device in devices.items():
            try:
                parts.callback(device.open(pins).close)
            except PinError as error:  # the others must not stay as they were
                _log.error(f"{name}: not made safe")
                failures.append(error)
    if failures:
        raise failures[0]
    return EXIT_OK


def _test(name: str, file: YamlFile, actuation: ActuationConfig) -> int:
    from edge.core.terminal.live_line import LiveLine
    from edge.core.terminal.speech import write_out
    from edge.lanes.jog import Jog
    from edge.pins.pins import open_pins
    from edge.runtime.clock import SYSTEM_CLOCK
    from edge.runtime.keyboard import Keyboard
    from edge.runtime.service import stop_signals

    actuator = _actuator(name, actuation.lanes, file.path)
    _check_that_it_stands(name, file.path)
    line = LiveLine()

    def write(text: str) -> None:
        line.clear()
        write_out(f"{text}\n")

    with ExitStack() as parts:
        parts.callback(line.clear)
        endings = parts.enter_context(stop_signals())
        pins = parts.enter_context(open_pins())
        _log.info(f"pins: {pins.title}" + ("" if pins.real else ": nothing moves"))
        written = file.value(("lanes", name, "actuator"))
        alive = None
        if actuation.keep_alive is not None:
            alive = actuation.keep_alive.open(pins)
            parts.callback(alive.close)
        jog = Jog(
            name,
            actuator,
            written,
            pins,
            clock=SYSTEM_CLOCK,
            write=write,
            keep_alive=alive,
        )
        parts.callback(jog.close)
        _log.info(jog.help)
        with Keyboard(sys.stdin) as keys:
            _follow(jog, keys, endings, line)
    return EXIT_OK


def _check_that_it_stands(lane: str, station: Path) -> None:
    """Checks that the station does not run: its servo boards and PWM channels would obey both.

    Raises:
        NeighbourError: it runs.
    """
    from edge.core.errors import NeighbourError
    from edge.neighbours.running import running_neighbours

    for one in running_neighbours():
        if Path(one.file).resolve() == station.resolve():
            raise NeighbourError(
                f"the station {one.title} runs, and moves the lane {lane} itself: stop it first, "
                "or move the lane with `pilah-edge lane move` in the mode maintenance"
            )


def _follow(jog: Jog, keys: Keyboard, endings: Endings, line: LiveLine) -> None:
    """Moves the lane as the keys say, until a key, a signal or an error ends it."""
    from edge.runtime.worker import Worker

    worker = Worker("lanes", jog.lanes.run, endings)
    worker.start()
    try:
        # Keys are read only then, because going to rest would undo what the first keys did.
        while endings.empty() and not jog.lanes.begun.wait(_LOOK_SECONDS):
            pass
        while endings.empty():
            jog.allow()
            line.show(jog.status)
            key = keys.get(_LOOK_SECONDS)
            if key is not None and not jog.press(key):
                break
        endings.get()  # the end of the thread, or the reason for its end
    finally:
        jog.lanes.stop()
        worker.join(_PATIENCE_SECONDS)
    if worker.failure is not None:
        raise worker.failure
    if worker.is_alive():
        raise StuckError(f"lanes: did not end within {_PATIENCE_SECONDS:g} seconds")


def _actuator(name: str, lanes: Mapping[str, Lane], station: Path) -> ActuatorSettings:
    """The settings of the actuator that moves the lane `name`.

    Raises:
        UsageError: there is no such lane, or it has no actuator.
    """
    from edge.core.suggestions import did_you_mean

    if name not in lanes:
        raise UsageError(f"{station}: there is no lane {name!r}{did_you_mean(name, lanes)}")
    actuator = lanes[name].actuator
    if actuator is None:
        moving = [other for other, lane in lanes.items() if lane.actuator is not None]
        raise UsageError(
            f"{station}: the lane {name!r} has no actuator, so nothing moves there. Lanes "
            f"with one: {', '.join(moving) or 'none'}"
        )
    return actuator
