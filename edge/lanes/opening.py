"""Opens the lanes of a station with their pins, as its station file describes them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING

from edge.flow import Actuated
from edge.lanes import ActuatorSettings, keep_alive
from edge.lanes.lanes import Lanes
from edge.pins.pins import Pins
from edge.runtime.clock import Clock

if TYPE_CHECKING:
    from edge.lanes.encoder import BeltWithEncoder

_log = logging.getLogger(__name__)


def open_lanes(
    devices: Mapping[str, ActuatorSettings],
    keep_alive_pin: keep_alive.Settings | None,
    *,
    pins: Callable[[], Pins],
    parts: ExitStack,
    clock: Clock,
    report: Callable[[Actuated], None],
    belt: BeltWithEncoder | None = None,
) -> Lanes:
    """Opens the lanes, with every actuator in its safe state.

    Args:
        devices: the settings of the actuators, by the name of their lane; lanes without an actuator
            are left out. If there is none, no pin is opened, and the keep-alive pin neither.
        keep_alive_pin: the settings of the keep-alive pin; None if there is none.
        pins: opens the machine's GPIO pins.
        parts: closes what was opened here, also if opening the rest fails.
        clock, report: see `Lanes`.
        belt: the belt's speed and its encoder; None: it has none.

    Raises:
        PinError: a pin cannot be used.
    """
    actuators, alive = {}, None
    if devices:
        opened = parts.enter_context(pins())
        _log.info(f"pins       {opened.title}")
        if keep_alive_pin is not None:
            alive = keep_alive_pin.open(opened)
            parts.callback(alive.close)
        # Opened first is closed last: what a bus may hold up comes after coils are without current.
        for name, device in sorted(devices.items(), key=lambda item: not item[1].on_bus):
            actuators[name] = device.open(opened)
            parts.callback(actuators[name].close)
    else:
        _log.info("pins       none: no lane has an actuator")
    timings = {name: device.timing for name, device in devices.items()}
    travel = None
    if belt is not None and devices and not opened.has_pulses:
        _log.info("belt       mock pins give no pulses: its encoder is left out, its speed counts")
    elif belt is not None:
        from edge.lanes.belt_travel import BeltTravel  # which few stations need

        travel = BeltTravel(belt.encoder.pulses_per_metre, metres_per_second=belt.metres_per_second)
    lanes = Lanes(actuators, timings, clock=clock, keep_alive=alive, travel=travel, report=report)
    if belt is not None and travel is not None and devices:
        encoder = belt.encoder.open(opened, travel, clock=clock, moved=lanes.belt_moved)
        parts.callback(encoder.close)
    return lanes
