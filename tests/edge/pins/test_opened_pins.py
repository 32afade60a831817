from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from edge.pins.inputs import Input, InputSettings
from edge.pins.opened_pins import OpenedPins
from edge.pins.pins import open_pins


@pytest.fixture
def pins(tmp_path: Path) -> Iterator[OpenedPins]:
    found = OpenedPins(lambda: open_pins(tmp_path / "no board"))
    yield found
    for opened in found._opened:
        opened.close()


def test_those_of_each_part_are_told_as_they_stand(pins: OpenedPins) -> None:
    assert pins.active() == {}
    low, high = pins.open(), pins.open()
    switch = InputSettings(pin=5).open(low)
    beam = InputSettings(pin=6, active_high=True).open(high)
    assert pins.active() == {5: False, 6: False}
    switch.device.pin.drive_low()
    assert pins.active() == {5: True, 6: False}
    beam.device.pin.drive_high()
    switch.device.pin.drive_high()
    assert pins.active() == {5: False, 6: True}
    switch.close()
    switch.close()
    assert pins.active() == {6: True}


def test_one_that_cannot_be_read_is_left_out(
    pins: OpenedPins, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = pins.open()
    broken = InputSettings(pin=5).open(opened)
    InputSettings(pin=6).open(opened)
    assert isinstance(broken, Input)
    broken.device.close()  # as when the machine takes it away
    assert pins.active() == {6: False}


@pytest.mark.parametrize("active_high", [True, False])
@pytest.mark.parametrize("pull", ["up", "down", "none"])
def test_nothing_is_wired_to_mock_pins_and_so_nothing_is_pressed(
    pull: Literal["up", "down", "none"], active_high: bool, pins: OpenedPins
) -> None:
    """The contact of an emergency stop that opens is high where it is pressed, and pulled up."""
    settings = InputSettings(pin=5, active_high=active_high, pull=pull)
    button = settings.open(pins.open())
    assert not button.active
    (button.device.pin.drive_high if active_high else button.device.pin.drive_low)()
    assert button.active
