"""What the contacts of a station notice, beside what whole stations show
(tests/edge/test_station_state.py)."""

from __future__ import annotations

from pathlib import Path

from edge.config.stops.section import ExitSensor, StopSettings
from edge.pins.pins import open_pins
from edge.state.inputs import READ_SECONDS, ContactReader
from tests.clocks import ToldClock


def test_what_passes_an_exit_between_two_readings_is_seen_with_its_own_time(
    tmp_path: Path,
) -> None:
    time = [0.0]
    passed: list[tuple[str, float]] = []
    settings = StopSettings(exits={"warm": ExitSensor(pin=6, after_seconds=2.0)})
    with (
        open_pins(tmp_path / "no board") as pins,
        ContactReader(
            settings, pins, clock=ToldClock(lambda: time[0], lambda: time[0]),
            notice=lambda notice: None, passed=lambda lane, at: passed.append((lane, at)),
        ) as reader,
    ):  # fmt: skip
        beam = pins.factory.pin(6)
        for at, broken in ((1.0, True), (1.007, False), (1.013, True), (1.0195, False)):
            time[0] = at
            beam.drive_low() if broken else beam.drive_high()
        time[0] = 1.0 + READ_SECONDS
        reader.read()
        assert passed == [("warm", 1.0), ("warm", 1.013)]
        for at, broken in ((1.1, True), (1.102, False)):  # a disturbance
            time[0] = at
            beam.drive_low() if broken else beam.drive_high()
        time[0] = 1.2
        reader.read()
        assert len(passed) == 2
