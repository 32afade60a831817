"""Settings of what moves that leave a machine standing or missing: refused, or warned of."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.config.reading import read_station
from edge.core.errors import ConfigError
from tests.edge.config.test_warnings import USB
from tests.edge.stations import make_station

SERVO = "actuator: {kind: servo, pin: 18, rest_angle: 0, active_angle: 60, hold_seconds: 0.1}"
STEPPER = (
    "actuator: {kind: stepper, step_pin: 20, direction_pin: 21, at_rest: held, active_steps: 90, "
    "max_steps_per_second: 400, steps_per_second_squared: 4000, hold_seconds: 1, home: {%s}}"
)
CAROUSEL = (
    "bin: {kind: carousel, step_pin: 20, direction_pin: 21, at_rest: held, %s "
    "max_steps_per_second: 800, steps_per_second_squared: 2000, home: {pin: 16, %s}}\n"
)
BIN_LANE = "actuator: {kind: bin, position: 700, hold_seconds: 3}"
BOARD = SERVO.replace("pin: 18", "board: {kind: pca9685, channel: 0, address: %s}")
BELT = "belt: {metres_per_second: %s, encoder: {pin: 17, pulses_per_metre: %s}}\n"


def warnings_of(folder: Path, bundle: Path, text: str) -> str:
    return "\n".join(read_station(make_station(folder, text=text, bundle=bundle)).warnings)


@pytest.mark.parametrize(
    ("actuator", "section", "said"),
    [
        (SERVO.replace("60", "0"), "", "8: lanes.warm.actuator: has active_angle equal to rest_"),
        (STEPPER % "pin: 16, within_steps: 89", "", "home.within_steps (89) below its farthest"),
        (STEPPER % "pin: 16, within_steps: 100, steps_per_second: 401", "", "above max_steps_per_"),
        (BIN_LANE, CAROUSEL % ("steps_per_turn: 800,", "within_steps: 799"), "below steps_per_"),
        (BIN_LANE, CAROUSEL % ("", "within_steps: 600"), "700 is beyond bin.home.within_"),
        (BOARD % "40", "", "0x40 to 0x77. Received: 40: `i2cdetect` shows them as hexadecimal: if"),
        (BOARD % "'41'", "", "if that is meant, write 0x41"),
        (BOARD % "4A", "", "if that is meant, write 0x4a"),
    ],
)  # fmt: skip
def test_what_can_never_work_is_refused(
    actuator: str, section: str, said: str, tmp_path: Path, tiny_bundle: Path
) -> None:
    assert SERVO in USB
    with pytest.raises(ConfigError) as refused:
        warnings_of(tmp_path, tiny_bundle, USB.replace(SERVO, actuator) + section)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("actuator", "section"),
    [
        (STEPPER % "pin: 16, within_steps: 90", ""),
        (STEPPER % "pin: 16, within_steps: 100, steps_per_second: 400", ""),
        (BIN_LANE, CAROUSEL % ("steps_per_turn: 800,", "within_steps: 800")),
        (BIN_LANE, CAROUSEL % ("", "within_steps: 700")),
        (BOARD % "0x41", ""),
        (BOARD % "65", ""),
    ],
)
def test_what_just_works_is_not(
    actuator: str, section: str, tmp_path: Path, tiny_bundle: Path
) -> None:
    warnings_of(tmp_path, tiny_bundle, USB.replace(SERVO, actuator) + section)


WELL = USB.replace("hold_seconds: 0.1}\n  cold", "hold_seconds: 0.1, turn_seconds: 0.1}\n  cold")
DELAY = ("    labels: [red]", "    labels: [red]\n    delay_seconds: 3")


@pytest.mark.parametrize(
    ("change", "section", "said"),
    [
        (("", ""), "", None),
        ((", turn_seconds: 0.1", ""), "", "hold_seconds: 0.1 is shorter than turn_seconds (0.5)"),
        ((", turn_seconds: 0.1", ", turn_seconds: 0.11"), "", "is shorter than turn_seconds"),
        (("", ""), BELT % (0.5, 400), None),
        (("", ""), BELT % (5.1, 400), "400 are 2,040 pulses a second at 5.1 m/s, of which at most"),
        (("", ""), BELT % (0.5, 99), "99 tell where an item is to 10 mm only"),
        (DELAY, BELT % (0.5, 400), "lanes.warm.delay_seconds: counts seconds, whatever the belt's"),
        (DELAY, "belt: {metres_per_second: 0.5}\n", None),
        (
            ("{kind: continuous}", "{kind: beam, pin: 22}"), BELT % (0.5, 400),
            "trigger: a beam trigger counts seconds until an item is in the middle of the region",
        ),
    ],
)  # fmt: skip
def test_what_misses_items_without_a_word_is_warned_of(
    change: tuple[str, str], section: str, said: str | None, tmp_path: Path, tiny_bundle: Path
) -> None:
    found = warnings_of(tmp_path, tiny_bundle, WELL.replace(*change, 1) + section)
    about = ("turn_seconds", "pulses_per_metre", "whatever the belt's encoder tells")
    ours = [line for line in found.splitlines() if any(one in line for one in about)]
    assert len(ours) == (said is not None)
    assert said is None or said in ours[0]


@pytest.mark.parametrize(
    ("key", "warned"),
    [("distance_metres:", 1), ("delay_seconds: null", 1), ("distance_metres: 1", 0), ("", 0)],
)
def test_a_key_whose_value_was_forgotten_is_no_reason_to_move_at_once_without_a_word(
    key: str, warned: int, tmp_path: Path, tiny_bundle: Path
) -> None:
    text = USB.replace(DELAY[0], f"{DELAY[0]}\n    {key}", 1)
    found = warnings_of(tmp_path, tiny_bundle, f"{text}belt: {{metres_per_second: 0.5}}\n")
    told = (
        f"lanes.warm.{key.partition(':')[0]}: has no value, as if it were not there: the actuator"
    )
    assert found.count("has no value") == warned
    assert found.count(told) == warned


def test_a_coil_on_a_pin_that_is_high_at_power_on_may_be_on(
    tmp_path: Path, tiny_bundle: Path
) -> None:
    assert (
        "GPIO 4 is pulled high from power-on until the station runs, so that a relay or coil"
        in (warnings_of(tmp_path, tiny_bundle, USB.replace("pin: 23", "pin: 4")))
    )


@pytest.mark.parametrize(
    ("trigger", "warned"),
    [
        ("{kind: continuous}", True),
        ("{kind: beam, pin: 22}", False),
        ("{kind: button, pin: 22}", False),
        ("{kind: socket, path: trigger}", False),
    ],
)
def test_items_come_with_each_frame_where_each_frame_is_one(
    trigger: str, warned: bool, tmp_path: Path, tiny_bundle: Path
) -> None:
    text = WELL.replace("{kind: continuous}", trigger)
    found = warnings_of(tmp_path, tiny_bundle, text)
    assert ("is longer than the 0.0333 s from one item to the next" in found) == warned
