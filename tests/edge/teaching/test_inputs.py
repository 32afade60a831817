from __future__ import annotations

from pathlib import Path

from edge.config.reading import read_config, read_station
from edge.control.messages import ControlCommand, ControlRequest
from edge.sorting.openers import Openers
from edge.station import Station
from edge.teaching.answers import StationAnswers
from edge.teaching.inputs import StationInput, inputs_of
from tests.edge.station_runs import NewRun
from tests.edge.stations import STATION, make_station

MOTOR = (
    "{kind: stepper, step_pin: 20, direction_pin: 21, at_rest: held, max_steps_per_second: 800, "
    "steps_per_second_squared: 2000, rest_steps: 0, active_steps: 100, hold_seconds: 1, "
    "home: {pin: 16, within_steps: 1000}, end: {pin: 17, active_high: true}}"
)
EVERY_INPUT = (
    STATION.replace(
        "{kind: servo, pin: 18, rest_angle: 0, active_angle: 60, hold_seconds: 0.1}", MOTOR
    ).replace("{kind: continuous}", "{kind: beam, pin: 25}")
    + "belt: {metres_per_second: 0.2, encoder: {pin: 22, pulses_per_metre: 400}}\n"
    "stops:\n"
    "  emergency_stop: {pin: 26, active_high: true}\n"
    "  bins: {cold: {pin: 12}}\n"
    "  exits: {cold: {pin: 13, after_seconds: 0.5}}\n"
)
FOUND = {
    StationInput("home", "warm", 16, active_high=False),
    StationInput("end", "warm", 17, active_high=True),
    StationInput("beam", "", 25, active_high=False),
    StationInput("encoder", "", 22, active_high=False),
    StationInput("emergency_stop", "", 26, active_high=True),
    StationInput("bin", "cold", 12, active_high=False),
    StationInput("exit", "cold", 13, active_high=False),
}


def test_every_pin_that_a_station_reads_is_found(tmp_path: Path) -> None:
    found = inputs_of(read_config(make_station(tmp_path, text=EVERY_INPUT)))
    assert set(found) == FOUND
    assert len(found) == len(FOUND)


def test_the_motor_of_a_bin_belongs_to_no_lane(tmp_path: Path) -> None:
    text = STATION.replace("{kind: servo, pin: 18, rest_angle: 0, active_angle: 60,", "{X").replace(
        "{kind: solenoid, pin: 23,", "{Y"
    )
    for mark, position in (("X", 100), ("Y", 200)):
        text = text.replace(f"{{{mark}", f"{{kind: bin, position: {position},")
    text = text.replace("hold_seconds: 0.1", "hold_seconds: 1") + (
        "bin: {kind: carousel, step_pin: 20, direction_pin: 21, steps_per_turn: 800, "
        "max_steps_per_second: 800, steps_per_second_squared: 2000, at_rest: held, "
        "home: {pin: 16, within_steps: 1000, steps_per_second: 200}}\n"
    )
    found = inputs_of(read_config(make_station(tmp_path, text=text)))
    assert found == [StationInput("home", "", 16, active_high=False)]


def test_a_running_station_tells_how_each_stands(new_run: NewRun) -> None:
    run = new_run(EVERY_INPUT)
    run.pins.has_pulses = True  # else a mock encoder is not opened
    plan = read_station(run.file)
    with (
        Station(plan, endings=run.endings, openers=Openers(pins=lambda: run.pins)) as station,
        StationAnswers(
            plan, seen=station.loop.seen, state=station.state.answer, bundles=station.bundles,
            active=station.pins.active,
        ) as answers,
    ):  # fmt: skip

        def active() -> set[str]:
            answer = answers.answer(ControlRequest(ControlCommand.INPUTS, "ana"))
            assert {one["pin"] for one in answer.shown["inputs"]} == {one.pin for one in FOUND}
            assert None not in [one["active"] for one in answer.shown["inputs"]]
            return {one["kind"] for one in answer.shown["inputs"] if one["active"]}

        assert active() == set()
        for one in sorted(FOUND):
            pin = run.pins.factory.pin(one.pin)
            pin.drive_high() if one.active_high else pin.drive_low()
            assert active() == {one.kind}
            pin.drive_low() if one.active_high else pin.drive_high()
        assert active() == set()
