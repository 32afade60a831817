"""Moves one lane's actuator by key presses, to find its angles and times."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import yaml

from edge.lanes import ActuatorSettings
from edge.lanes.bins.lane import BinLane
from edge.lanes.bins.lane import Settings as BinLaneSettings
from edge.lanes.coil import Coil
from edge.lanes.keep_alive import KeepAlive
from edge.lanes.lanes import Lanes
from edge.lanes.servo import Servo
from edge.lanes.servo import Settings as ServoSettings
from edge.lanes.stepper import Stepper
from edge.pins.pins import Pins
from edge.runtime.clock import Clock

_log = logging.getLogger(__name__)

TRAIN = 10
"""The number of actuations that the key `t` plans."""

_TURNS = {"left": -1, "right": 1, "[": -5, "]": 5, "shift left": -5, "shift right": 5}
"""The degrees by which each key turns a servo or a flap; a stepper or a carousel turns ten times as
many steps."""
_WELL_SECONDS = 3.0
_SHORTEST_HOLD, _LONGEST_HOLD = 0.01, 60.0


class Jog:
    """An actuator that moves as in operation, at the operator's key presses.

    `lanes.run` is the body of the thread that moves it on schedule and limits its on-time; `press`
    may be called from any other thread.

    Attributes:
        lanes: the schedule of this one lane.
        hold_seconds: how long the actuator is active for one item.
    """

    def __init__(
        self,
        name: str,
        settings: ActuatorSettings,
        written: dict[str, Any],
        pins: Pins,
        *,
        clock: Clock,
        write: Callable[[str], None],
        keep_alive: KeepAlive | None = None,
    ) -> None:
        """Opens the actuator of the lane `name`.

        Args:
            name: the lane's name.
            settings: the actuator's settings.
            written: the actuator's section as it is written in the station file.
            pins: the machine's pins.
            clock: the time by which the actuator moves.
            write: called with lines of YAML for the station file.
            keep_alive: the keep-alive pin, without which the actuator may have no supply. The
                caller closes it.

        Raises:
            PinError: its pin cannot be used.
        """
        self._name, self._settings, self._written = name, settings, written
        self._clock, self._write = clock, write
        self.hold_seconds = settings.hold_seconds
        self._device = settings.open(pins)
        self._keep_alive = keep_alive
        self.lanes = Lanes(
            {name: self._device}, {name: settings.timing}, clock=clock, keep_alive=keep_alive
        )

    def close(self) -> None:
        """Leaves the actuator in its safe state; may be called twice."""
        self._device.close()

    def allow(self) -> None:
        """Lets the keep-alive pin change for a moment more: the thread that reads keys works."""
        if self._keep_alive is not None:
            self._keep_alive.allow(self._clock.now() + _WELL_SECONDS)

    @property
    def help(self) -> str:
        """One line that explains the keys."""
        turns = ""
        if isinstance(self._device, Servo):
            turns = "left/right turn by 1 degree, [ ] by 5, r/a take the angle as rest/active, "
        elif isinstance(self._device, Stepper):
            turns = "left/right turn by 10 steps, [ ] by 50, r/a take them as rest/active, "
        elif isinstance(self._device, BinLane):
            unit = "1 degree, [ ] by 5" if self._step == 1 else "10 steps, [ ] by 50"
            turns = f"left/right turn by {unit}, a takes that as this lane's position, "
        return (
            f"keys: space actuates once, t {TRAIN} times, up/down change the hold time, "
            f"{turns}s prints it for the station file, q ends"
        )

    @property
    def status(self) -> str:
        """The state of the actuator, on one line."""
        device, words = self._device, [f"{self._name}:"]
        if isinstance(device, Servo):
            words.append(
                f"angle {device.angle:g}  (rest {device.rest_angle:g}, active "
                f"{device.active_angle:g})"
            )
        elif isinstance(device, Stepper):
            words.append(
                f"step {device.steps}  (rest {device.rest_steps}, active {device.active_steps})"
            )
        elif isinstance(device, BinLane):
            words.append(f"at {_plain(device.at)}  (its position {_plain(device.position)})")
        elif isinstance(device, Coil):
            words.append("ON " if device.active else "off")
        per_minute = 60 / self._cycle_seconds
        words.append(f" hold {self.hold_seconds:g} s, at most {per_minute:.0f} items a minute")
        if left_out := self.lanes.missed.total():
            words.append(f" {left_out} left out: too soon, the actuator must cool")
        return " ".join(words) + ("" if self.lanes.idle else "  ...")

    def press(self, key: str) -> bool:
        """Carries out a key; returns False if the operator wants to end.

        The end of the input ends it when all planned actuations are done; `q` ends it at once.

        Raises:
            PinError: a pin could not be written.
        """
        if key == "q":
            self.lanes.stop()
            return False
        if key == "end":
            self.lanes.finish()
            return False
        now = self._clock.now()
        if key == " ":
            self.lanes.actuate(self._name, now)
        elif key == "t":
            for number in range(TRAIN):
                self.lanes.actuate(self._name, now + number * self._cycle_seconds)
        elif key in ("up", "down"):
            self._change_hold(1 if key == "up" else -1)
        elif key == "s":
            self._write(self.yaml)
        elif key in _TURNS or key in ("r", "a"):
            if isinstance(self._device, Servo):
                self._turn(self._device, key)
            elif isinstance(self._device, Stepper):
                _turn_by_steps(self._device, key)
            elif isinstance(self._device, BinLane):
                self._turn_bin(self._device, key)
            else:
                _log.info(f"{self._name}: a {self._settings.kind} has no angle")
        else:
            _log.info(self.help)
        return True

    @property
    def yaml(self) -> str:
        """The section of the lane's actuator for the station file, with the values found."""
        found = {**self._written, "hold_seconds": self.hold_seconds}
        if isinstance(self._device, Servo):
            found["rest_angle"] = _plain(self._device.rest_angle)
            found["active_angle"] = _plain(self._device.active_angle)
        elif isinstance(self._device, Stepper):
            found["rest_steps"] = self._device.rest_steps
            found["active_steps"] = self._device.active_steps
        elif isinstance(self._device, BinLane):
            found["position"] = _plain(self._device.position)
        section = {"lanes": {self._name: {"actuator": found}}}
        return yaml.safe_dump(section, sort_keys=False, allow_unicode=True).rstrip()

    @property
    def _cycle_seconds(self) -> float:
        return self._settings.model_copy(update={"hold_seconds": self.hold_seconds}).cycle_seconds

    def _turn(self, servo: Servo, key: str) -> None:
        if key == "r":
            servo.rest_angle = servo.angle
        elif key == "a":
            servo.active_angle = servo.angle
        else:
            assert isinstance(self._settings, ServoSettings)
            low, high = self._settings.min_angle, self._settings.max_angle
            wanted = servo.angle + _TURNS[key]
            if not low <= wanted <= high:
                _log.info(
                    f"{self._name}: angles are limited to min_angle ({low:g}) and max_angle "
                    f"({high:g}). To widen them, change these keys in the station file, together "
                    "with min_pulse_seconds and max_pulse_seconds"
                )
            servo.turn(min(max(wanted, low), high))

    @property
    def _step(self) -> int:
        """How far one press turns a bin: degrees of a flap, steps of a carousel."""
        assert isinstance(self._settings, BinLaneSettings)
        return 1 if self._settings.mover.kind == "flap" else 10

    def _turn_bin(self, lane: BinLane, key: str) -> None:
        assert isinstance(self._settings, BinLaneSettings)
        if key == "a":
            lane.position = lane.at
        elif key == "r":
            _log.info(f"{self._name}: where a bin waits is `rest_position` of the section `bin`")
        else:
            wanted = lane.at + self._step * _TURNS[key]
            if (refusal := self._settings.mover.refusal(wanted)) is not None:
                _log.info(f"{self._name}: {_plain(wanted)} {refusal}")
            else:
                lane.turn(wanted)

    def _change_hold(self, direction: int) -> None:
        step = 0.01 if self.hold_seconds + direction * 0.005 < 0.1 else 0.05
        longest = self._settings.max_on_seconds or _LONGEST_HOLD
        wanted = round(self.hold_seconds + direction * step, 3)
        if wanted > longest and self._settings.max_on_seconds:
            _log.info(f"{self._name}: hold_seconds is limited to max_on_seconds ({longest:g})")
        self.hold_seconds = min(max(wanted, _SHORTEST_HOLD), longest)
        timing = replace(self._settings.timing, hold_seconds=self.hold_seconds)
        self.lanes.retime(self._name, timing)


def _plain(number: float) -> float:
    """The number rounded to 0.1; an int if it is whole, so that YAML shows no `.0`."""
    return int(number) if number == int(number) else round(number, 1)


def _turn_by_steps(stepper: Stepper, key: str) -> None:
    if key == "r":
        stepper.rest_steps = stepper.steps
    elif key == "a":
        stepper.active_steps = stepper.steps
    else:
        stepper.turn(stepper.steps + 10 * _TURNS[key])
