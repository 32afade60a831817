"""What is told to somebody who counts pins in another way than by BCM number."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic_core import PydanticCustomError

from edge.pins.header import BCM_OF_PLACE, a_bcm_number


@pytest.mark.parametrize(
    ("received", "said"),
    [
        (33, "Received: 33: header pin 33 is GPIO 13: if that is meant, write 13"),
        (34, "Received: 34: header pin 34 is ground, not a GPIO: take another"),
        ("BOARD12", "header pin 12 is GPIO 18: if that is meant, write 18"),
        ("J8:12", "header pin 12 is GPIO 18"),
        ("pin 2", "header pin 2 is 5 V, not a GPIO"),
        ("BOARD41", "the header has 40 pins: write the number that a pinout gives after `GPIO`"),
        (99, "Received: 99: write the number that a pinout gives after `GPIO`, as 18 for GPIO 18"),
        ("GPIO18", "write the number alone, 18"),
        ("bcm_18", "write the number alone, 18"),
        ("WPI1", "WiringPi's pin 1 is GPIO 18: write 18"),
        ("017", "write 17, without quotes or a leading zero"),
        ("033", "header pin 33 is GPIO 13"),
        ("0x12", "write it as a decimal number, 18"),
        (18.0, "write 18"),
        ([18], "write 18, without brackets"),
        (["BOARD12"], "header pin 12 is GPIO 18"),
        (41, "the processor has GPIO 41, but no pin of the header leads to it"),
        (530, "/sys/class/gpio calls GPIO 18 so: if that is meant, write 18"),
        ("530", "/sys/class/gpio calls GPIO 18 so"),
        ("GPIO33", "no GPIO 33 is on the header; header pin 33 is GPIO 13"),
        ("board.D18", "write the number alone, 18"),
        ("physical pin 12", "header pin 12 is GPIO 18"),
        ("SDA", "SDA is GPIO 2: if that is meant, write 2"),
        ("PWM0", "PWM0 is GPIO 12: if that is meant, write 12"),
        ("pin=12", "header pin 12 is GPIO 18"),
        (True, "must be a BCM number, 0 to 27. Received: True: write the number that a pinout"),
        (-1, "must be a BCM number, 0 to 27. Received: -1: write the number that a pinout"),
        (None, "must be a BCM number, 0 to 27. Received: None: write the number that a pinout"),
    ],
)
def test_another_way_to_count_is_understood_and_refused(received: Any, said: str) -> None:
    with pytest.raises(PydanticCustomError) as caught:
        a_bcm_number(received)
    assert said in str(caught.value)


def test_every_bcm_number_is_one_place_of_the_header() -> None:
    assert sorted(BCM_OF_PLACE.values()) == list(range(28))
    assert [a_bcm_number(number) for number in range(28)] == list(range(28))
