"""A bin: lanes that share one mover, one item at a time."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from edge.config.reading import read_actuation_config, read_config
from edge.core.errors import ConfigError, HomeSwitchError
from edge.flow import Actuated, ItemKey
from edge.lanes import ActuatorSettings
from edge.lanes.lanes import Lanes
from edge.pins.pins import Pins, open_pins
from tests.edge.lanes.motion.motor import Motor, MotorClock, as_if_real

FLAP = "bin: {kind: flap, pin: 18, turn_seconds: 0.4}\n"
CAROUSEL = (
    "bin: {kind: carousel, step_pin: 20, direction_pin: 21, enable_pin: 26, steps_per_turn: 800,\n"
    "  max_steps_per_second: 1000, steps_per_second_squared: 5000,\n"
    "  home: {pin: 16, within_steps: 900, steps_per_second: 400}}\n"
)


def lanes_at(*positions: float, hold: float = 1.0) -> str:
    """The section `lanes`, with a lane for each position: a, b, c and so on."""
    lines = (
        f"  {name}: {{actuator: {{kind: bin, position: {position:g}, hold_seconds: {hold}}}}}\n"
        for name, position in zip("abcd", positions, strict=False)
    )
    return "lanes:\n" + "".join(lines)


def devices(folder: Path, text: str) -> Mapping[str, ActuatorSettings]:
    """The actuators of a station file with these sections."""
    file = folder / "station.yaml"
    file.write_text(text)
    lanes = read_actuation_config(file)[1].lanes
    return {name: lane.actuator for name, lane in lanes.items() if lane.actuator}


@pytest.fixture
def pins(tmp_path: Path) -> Iterator[Pins]:
    with open_pins(tmp_path / "no board") as pins:
        yield pins


def angles(pins: Pins) -> list[float]:
    """Where the flap was, as the pulses on its pin say; None: it had none."""
    return [round((state.state * 20 - 1.5) * 180) for state in pins.factory.pin(18).states[1:]]


def opened(pins: Pins, found: Mapping[str, ActuatorSettings], **options: Any) -> Lanes:
    return Lanes(
        {name: device.open(pins) for name, device in found.items()},
        {name: device.timing for name, device in found.items()},
        **options,
    )


def test_a_flap_tips_each_item_into_its_lane_one_after_the_other(
    pins: Pins, tmp_path: Path
) -> None:
    motor, ended = Motor(pins), list[Actuated]()
    clock = MotorClock(motor)
    lanes = opened(
        pins,
        devices(tmp_path, FLAP + lanes_at(-60, 60)),
        clock=clock,
        report=ended.append,
    )
    for number, lane in enumerate("abba"):  # all at once
        lanes.actuate(lane, 5.0, ItemKey(number, 5.0, ""))
    lanes.finish()
    clock.enter()
    lanes.run()
    clock.leave()
    assert [(one.lane, one.done, one.missed) for one in ended] == [
        ("a", pytest.approx(5.0), None),
        ("b", pytest.approx(6.0), None),
        ("b", pytest.approx(7.0), None),
        ("a", pytest.approx(8.0), None),
    ]
    moves = [
        angle
        for angle, before in zip(angles(pins)[1:], angles(pins), strict=False)
        if angle != before
    ]
    assert moves == [-60, 0, 60, 0, 60, 0, -60, 0]


def test_a_carousel_looks_for_its_home_and_takes_the_shorter_way_round(
    pins: Pins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, stood = as_if_real(pins, monkeypatch), list[tuple[str, int]]()
    motor = Motor(real, at=300)
    clock = MotorClock(motor)
    found = devices(tmp_path, CAROUSEL + lanes_at(0, 200, 400, 600, hold=2.0))
    lanes = opened(real, found, clock=clock)
    chance, order = random.Random(3), list[str]()
    for number in range(20):
        order.append(chance.choice("abcd"))
        lanes.actuate(order[-1], 10 + number * 2.5, ItemKey(number, 0, ""))
    lanes.finish()
    clock.enter()
    before = 0
    run_step = lanes.step

    def step() -> None:
        run_step()
        nonlocal before
        if clock.now() >= before * 2.5 + 10 + 1.9 and before < 20:
            stood.append((order[before], motor.at % 800))
            before += 1

    monkeypatch.setattr(lanes, "step", step)
    lanes.run()
    clock.leave()
    where = {"a": 0, "b": 200, "c": 400, "d": 600}
    assert len(stood) == 20
    for lane, at in stood:
        assert (at - where[lane] + 400) % 800 - 400 == pytest.approx(0, abs=1)
    longest = 400 / 1000 + 1000 / 5000
    assert found["a"].mover.travel_seconds(0, 400) == pytest.approx(longest)  # type: ignore[attr-defined]
    assert found["a"].mover.travel_seconds(0, 600) == pytest.approx(0.4)  # type: ignore[attr-defined]
    assert not motor.powered


def test_a_carousel_that_does_not_find_its_home_ends_the_lanes(
    pins: Pins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = as_if_real(pins, monkeypatch)
    clock = MotorClock(Motor(real, at=5000))
    lanes = opened(real, devices(tmp_path, CAROUSEL + lanes_at(0, 400)), clock=clock)
    clock.enter()
    with pytest.raises(HomeSwitchError, match="home switch on GPIO 16 was not reached within 900"):
        lanes.run()
    clock.leave()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (lanes_at(0), "lanes.a.actuator.kind: needs the section `bin`, which says what turns"),
        (FLAP + "lanes: {a: {}}\n", "bin: no lane is at a position of it"),
        (FLAP + lanes_at(-91), "position: -91 is outside of min_angle to max_angle of the bin"),
        (FLAP + lanes_at(30, 30), "position: 30 is that of the lane a already"),
        (FLAP + lanes_at(30, hold=0.3), "hold_seconds: 0.3 is shorter than the 0.4 s that the"),
        (CAROUSEL + lanes_at(0, 800, hold=2), "position: 800 is not from 0, the home switch, to"),
        (CAROUSEL + lanes_at(0.5, hold=2), "position: 0.5 is no whole number of steps"),
        (CAROUSEL.partition("  home:")[0] + "}\n", "needs `home: {pin: ..., within_steps: ...}`"),
        (
            "bin: {kind: flap, pin: 18, pulses: while_active}\n",
            "has pulses: while_active, which is for an arm that nothing rests on",
        ),
        (FLAP.replace("flap", "turntable"), "no such kind: 'turntable'. Did you mean carousel?"),
        (FLAP.replace("}", ", rest_position: 95}"), "has a rest_position (95) that is outside"),
        (FLAP.replace("18", "BOARD12"), "bin.pin: must be a BCM number, 0 to 27. Received: 'BOAR"),
        (FLAP + lanes_at(30).replace("}}", "}, delay_seconds: 2}"), "has a bin and a delay or"),
    ],
)  # fmt: skip
def test_what_a_bin_cannot_do_is_told(text: str, said: str, tmp_path: Path) -> None:
    if "lanes:" not in text:
        text += lanes_at(0)
    with pytest.raises(ConfigError) as caught:
        devices(tmp_path, text)
    assert any(said in problem for problem in caught.value.problems), caught.value.problems


def test_a_pin_of_the_mover_is_used_by_nothing_else(tmp_path: Path) -> None:
    text = FLAP + lanes_at(30) + "  b: {actuator: {kind: solenoid, pin: 18, hold_seconds: 0.1}}\n"
    with pytest.raises(ConfigError, match=r"pin 18 is used by bin\.pin already|b\.actuator\.pin"):
        devices(tmp_path, text)


def test_the_example_of_a_bin_is_right() -> None:
    config = read_config(Path("deploy/examples/carousel-bin.yaml"))
    assert config.bin is not None
    assert config.bin.kind == "carousel"
