from __future__ import annotations

from typing import Any

import pytest
import yaml

from edge.lanes import servo, solenoid, stepper
from edge.lanes.bins import carousel, flap, lane
from edge.lanes.jog import Jog
from edge.pins.pins import Pins
from tests.clocks import ToldClock
from tests.logged import listen


class Bench:
    """A lane on mock pins, on a clock of the test's own, and what it said and wrote."""

    def __init__(self, pins: Pins, kind: str, **options: Any) -> None:
        self.pins, self.now = pins, 100.0
        self.said: list[str] = []
        self.written: list[str] = []
        settings: Any
        if kind == "servo":
            options = {"pin": 18, "rest_angle": 0, "active_angle": 60} | options
            settings = servo.Settings(kind="servo", hold_seconds=0.3, **options)
        elif kind == "stepper":
            settings = stepper.Settings.model_validate(
                {"kind": "stepper", "hold_seconds": 0.3, "enable_pin": 26} | options
            )
        elif kind == "bin":
            settings = lane.Settings(kind="bin", position=40, hold_seconds=0.3)
            settings.shares(options.pop("mover"))
        else:
            settings = solenoid.Settings(kind="solenoid", pin=18, hold_seconds=0.3, **options)
        listen(self.said.append)
        self.jog = Jog(
            "warm",
            settings,
            {"kind": kind, "pin": 18, **options, "hold_seconds": 0.3},
            pins,
            clock=ToldClock(lambda: self.now),
            write=self.written.append,
        )

    def press(self, *keys: str) -> bool:
        return all(self.jog.press(key) for key in keys)

    def wait(self, seconds: float) -> None:
        """Lets the lanes do what is due on the way, in steps of a millisecond."""
        for _ in range(round(seconds * 1000)):
            self.jog.lanes.step()
            self.now += 0.001
        self.jog.lanes.step()

    @property
    def states(self) -> list[float]:
        return [state.state for state in self.pins.factory.pin(18).states]

    @property
    def angle(self) -> float:
        """As the pulses on the pin say."""
        return (self.states[-1] * 20 - 1.5) * 180


def test_space_actuates_as_in_operation(pins: Pins) -> None:
    bench = Bench(pins, "servo")
    bench.press(" ")
    bench.wait(0.299)
    assert bench.angle == pytest.approx(60)
    bench.wait(0.002)
    assert bench.angle == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("keys", "angle"),
    [
        (["right"], 1),
        (["left", "left"], -2),
        (["]", "shift right", "["], 5),
        (["shift left"], -5),
        (["]"] * 19, 90),
        (["["] * 19, -90),
    ],
)
def test_the_arm_turns_by_keys_no_further_than_it_can(
    pins: Pins, keys: list[str], angle: float
) -> None:
    bench = Bench(pins, "servo")
    bench.press(*keys)
    assert bench.angle == pytest.approx(angle)
    assert f"angle {angle:g} " in bench.jog.status
    assert all("min_angle (-90) and max_angle (90)" in text for text in bench.said)
    assert bool(bench.said) == (abs(angle) == 90)


def test_an_angle_found_by_hand_is_the_one_it_moves_to(pins: Pins) -> None:
    bench = Bench(pins, "servo")
    bench.press("]", "a", "[", "[", "r", " ")
    bench.wait(0.1)
    assert bench.angle == pytest.approx(5)
    bench.wait(0.3)
    assert bench.angle == pytest.approx(-5)


def test_what_was_found_is_written_for_the_station_file(pins: Pins) -> None:
    bench = Bench(pins, "servo", turn_seconds=0.4)
    bench.press("]", "r", "up", "s")
    (text,) = bench.written
    assert yaml.safe_load(text) == {
        "lanes": {
            "warm": {
                "actuator": {
                    "kind": "servo",
                    "pin": 18,
                    "rest_angle": 5,
                    "active_angle": 60,
                    "turn_seconds": 0.4,
                    "hold_seconds": 0.35,
                }
            }
        }
    }
    assert "rest_angle: 5\n" in text


def test_the_hold_time_is_changed_from_the_next_actuation(pins: Pins) -> None:
    bench = Bench(pins, "servo")
    bench.press("up", "up", " ")
    bench.wait(0.399)
    assert bench.angle == pytest.approx(60)
    bench.wait(0.002)
    assert bench.angle == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("keys", "hold", "said"),
    [
        (["up"], 0.35, False),
        (["down"], 0.25, False),
        (["down"] * 4, 0.1, False),
        (["down"] * 5, 0.09, False),
        (["down"] * 50, 0.01, False),
        (["down"] * 5 + ["up"] * 2, 0.15, False),
        (["up"] * 4, 0.5, False),
        (["up"] * 5, 0.5, True),
    ],
)
def test_a_hold_time_goes_in_steps_up_to_the_longest_on_time(
    pins: Pins, keys: list[str], hold: float, said: bool
) -> None:
    bench = Bench(pins, "solenoid", max_on_seconds=0.5)
    bench.press(*keys)
    assert bench.jog.hold_seconds == pytest.approx(hold)
    assert bool(bench.said) == said


def test_a_train_is_ten_actuations_with_a_rest_between_each_two(pins: Pins) -> None:
    bench = Bench(pins, "servo", turn_seconds=0.2)
    assert "at most 120 items a minute" in bench.jog.status
    bench.press("t")
    assert bench.jog.status.endswith("...")
    bench.wait(4.81)
    assert sum(state > 0.09 for state in bench.states) == 10
    assert not bench.jog.status.endswith("...")


def test_a_coil_is_never_on_for_longer_than_it_may_whatever_is_pressed(pins: Pins) -> None:
    bench = Bench(pins, "solenoid", max_on_seconds=0.5)
    on, longest, total = 0.0, 0.0, 0.0
    for _ in range(200):  # a key that repeats
        bench.press(" ")
        bench.wait(0.03)
        on = on + 0.03 if bench.states[-1] else 0.0
        total += 0.03 if bench.states[-1] else 0.0
        longest = max(longest, on)
    assert 0.4 < longest <= 0.5
    assert 2 < total < 3.6  # of 6 seconds


def test_a_coil_has_no_angle(pins: Pins) -> None:
    bench = Bench(pins, "solenoid")
    assert bench.press("left", "r", "x")
    assert bench.said == ["warm: a solenoid has no angle"] * 2 + [bench.jog.help]
    assert "turn" not in bench.jog.help


def test_q_ends_at_once_and_safe(pins: Pins) -> None:
    bench = Bench(pins, "solenoid")
    bench.press(" ")
    bench.wait(0.1)
    assert not bench.press("q")
    bench.jog.lanes.run()
    bench.jog.close()
    assert bench.states == [0, 1, 0]


def test_the_end_of_a_script_lets_it_finish(pins: Pins) -> None:
    bench = Bench(pins, "solenoid")
    bench.press(" ")
    bench.wait(0.1)
    assert "warm: ON" in bench.jog.status
    assert not bench.press("end")
    bench.wait(0.21)
    assert "warm: off" in bench.jog.status
    bench.jog.lanes.run()
    assert bench.states == [0, 1, 0]


def test_an_actuation_that_comes_too_soon_for_a_coil_is_told(pins: Pins) -> None:
    bench = Bench(pins, "solenoid", max_on_seconds=0.3, cool_seconds=0.9)
    bench.press(" ")
    bench.wait(0.5)
    assert "left out" not in bench.jog.status
    bench.press(" ")
    bench.wait(0.1)
    assert "1 left out: too soon, the actuator must cool" in bench.jog.status


@pytest.mark.parametrize(("cool", "per_minute"), [(0.0, 100), (0.3, 100), (0.9, 50)])
def test_a_train_leaves_nothing_out(pins: Pins, cool: float, per_minute: int) -> None:
    bench = Bench(pins, "solenoid", max_on_seconds=0.3, cool_seconds=cool)
    assert f"at most {per_minute} items a minute" in bench.jog.status
    bench.press("t")
    bench.wait(10 * 60 / per_minute)
    assert bench.jog.lanes.missed.total() == 0
    assert bench.states.count(1) == 10


def test_a_stepper_is_turned_by_keys_and_its_steps_are_written(pins: Pins) -> None:
    keys = {
        "step_pin": 20,
        "direction_pin": 21,
        "max_steps_per_second": 1000,
        "steps_per_second_squared": 10_000,
        "active_steps": 100,
    }
    bench = Bench(pins, "stepper", **keys)
    assert "left/right turn by 10 steps" in bench.jog.help
    bench.press("]", "right")
    bench.wait(0.2)
    assert bench.jog.status.startswith("warm: step 10  (rest 0, active 100)")
    bench.press("]")
    bench.wait(0.2)
    bench.press("a", "left")
    bench.wait(0.2)
    bench.press("r", "s")
    found = yaml.safe_load(bench.written[0])["lanes"]["warm"]["actuator"]
    assert (found["rest_steps"], found["active_steps"]) == (50, 60)
    bench.press(" ")
    bench.wait(0.25)
    assert bench.jog.status.startswith("warm: step 60")
    bench.wait(0.4)
    assert bench.jog.status.startswith("warm: step 50")
    bench.jog.close()


@pytest.mark.parametrize(
    ("keys", "angle", "position"),
    [
        (["right", "right"], 2, 40),
        (["]", "left", "a"], 4, 4),
        (["["] * 30, -90, 40),  # as far as the flap may turn
        ([" "], 40, 40),
        (["]", "a", "["], 0, 5),
    ],
)
def test_the_position_of_a_flap_is_found_by_keys(
    pins: Pins, keys: list[str], angle: int, position: int
) -> None:
    bench = Bench(pins, "bin", mover=flap.Settings(kind="flap", pin=18))
    assert "1 degree, [ ] by 5, a takes that as this lane's position" in bench.jog.help
    bench.press(*keys)
    bench.wait(0.1)
    assert bench.angle == pytest.approx(angle, abs=0.01)
    assert f"at {angle}  (its position {position})" in bench.jog.status
    bench.press("s")
    found = yaml.safe_load(bench.written[-1])["lanes"]["warm"]["actuator"]
    assert found["position"] == position


def test_a_flap_that_has_gone_back_is_turned_on_from_there(pins: Pins) -> None:
    bench = Bench(pins, "bin", mover=flap.Settings(kind="flap", pin=18, rest_position=10))
    bench.press(" ")
    bench.wait(0.31)
    bench.press("right")
    bench.wait(0.01)
    assert "at 11  (its position 40)" in bench.jog.status


def test_a_carousel_turns_by_steps_and_says_where_it_cannot_go(pins: Pins) -> None:
    mover = carousel.Settings.model_validate(
        {
            "kind": "carousel", "step_pin": 20, "direction_pin": 21, "steps_per_turn": 60,
            "max_steps_per_second": 800, "steps_per_second_squared": 2000, "at_rest": "held",
            "home": {"pin": 16, "within_steps": 900, "steps_per_second": 400},
        }
    )  # fmt: skip
    bench = Bench(pins, "bin", mover=mover)
    bench.press("]", "right", "r")
    assert "10 steps, [ ] by 50" in bench.jog.help
    assert "at 50 " in bench.jog.status
    assert "60 is not from 0, the home switch, to 59 steps" in " ".join(bench.said)
    assert "`rest_position` of the section `bin`" in " ".join(bench.said)
