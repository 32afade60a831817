"""The 40-pin header of a Raspberry Pi: the BCM numbers that pilah uses, and the pins' positions."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from edge.core.yaml_messages import advised, shown
from edge.core.yaml_text import number_advice

LAST = 27
"""The highest BCM number on the header; the lowest is 0."""

BCM_OF_PLACE = {
    3: 2, 5: 3, 7: 4, 8: 14, 10: 15, 11: 17, 12: 18, 13: 27, 15: 22, 16: 23, 18: 24, 19: 10, 21: 9,
    22: 25, 23: 11, 24: 8, 26: 7, 27: 0, 28: 1, 29: 5, 31: 6, 32: 12, 33: 13, 35: 19, 36: 16,
    37: 26, 38: 20, 40: 21,
}  # fmt: skip
"""The BCM number of each header pin, counted from 1 to 40 (the pinout of the Raspberry Pi, the same
from the B+ to the 5). The other header pins are power and ground."""
_POWER = {1: "3.3 V", 17: "3.3 V", 2: "5 V", 4: "5 V"}
_BCM_OF_WIRINGPI = (
    17, 18, 27, 22, 23, 24, 25, 4, 2, 3, 8, 7, 10, 9, 11, 14, 15, None, None, None, None, 5, 6, 13,
    19, 26, 12, 16, 20, 21, 0, 1,
)  # fmt: skip
"""The BCM number of each pin number of the library WiringPi; None for a number that is not on this
header."""

PULLED_UP = range(9)
"""BCM numbers that are pulled high from power-on until a program sets them; the others are pulled
low (BCM2835 ARM Peripherals, table 6-31)."""

PWM_CHANNELS = {12: (0,), 13: (1,), 18: (0, 2), 19: (1, 3)}
"""The pins that the PWM hardware can drive, by BCM number, with the channel of each: that of a
Pi up to the 4, then that of a Pi 5 where it is another."""

BUSES = {
    0: "the EEPROM of a HAT (ID_SD), which is read at boot",
    1: "the EEPROM of a HAT (ID_SC), which is read at boot",
    2: "I2C (SDA), with a fixed resistor to 3.3 V",
    3: "I2C (SCL), with a fixed resistor to 3.3 V",
    7: "SPI (CE1), where SPI is switched on",
    8: "SPI (CE0), where SPI is switched on",
    9: "SPI (MISO), where SPI is switched on",
    10: "SPI (MOSI), where SPI is switched on",
    11: "SPI (SCLK), where SPI is switched on",
    14: "the serial port (TXD), on which a console may write at boot",
    15: "the serial port (RXD), on which a console may listen",
}
"""The other function that may drive a pin, by its BCM number."""


NAMED = {
    "ID_SD": 0, "ID_SC": 1, "SDA": 2, "SDA1": 2, "SCL": 3, "SCL1": 3, "GPCLK0": 4, "GPCLK1": 5,
    "GPCLK2": 6, "CE1": 7, "CE0": 8, "MISO": 9, "MOSI": 10, "SCLK": 11, "SCK": 11, "PWM0": 12,
    "PWM1": 13, "TXD": 14, "TX": 14, "TXD0": 14, "RXD": 15, "RX": 15, "RXD0": 15, "PCM_CLK": 18,
    "PCM_FS": 19, "PCM_DIN": 20, "PCM_DOUT": 21,
}  # fmt: skip
"""The BCM number of each pin that pinouts also name by its other function; PWM0 and PWM1 are on two
pins each, of which this is the first."""

_HIGHEST_OF_THE_CHIP = 53
"""The highest BCM number of the processor; those above LAST are not on the header."""
_SYSFS_BASE = 512
"""What Linux adds to the BCM number in /sys/class/gpio, since its version 6.6, up to the Pi 4."""

_OWN_NAMES = ("GPIO", "BCM", "IO", "G", "GP", "GPIO_GPIO", "D", "BOARD.D", "GPIOCHIP0")
_PLACE_NAMES = ("BOARD", "J8", "P1", "PIN", "PHYS", "PHYSICAL", "HEADER", "PHYSICAL PIN",
                "BOARD PIN", "HEADER PIN")  # fmt: skip

_ELSE = ": write the number that a pinout gives after `GPIO`, as 18 for GPIO 18 at header pin 12"
"""What is said of what nobody can guess the meaning of."""


def a_bcm_number(received: Any) -> int:
    """Returns `received` if it is a BCM number.

    Raises:
        PydanticCustomError: it is something else; the message suggests the BCM number meant.
    """
    if isinstance(received, int) and not isinstance(received, bool) and 0 <= received <= LAST:
        return received
    raise advised(
        f"must be a BCM number, 0 to {LAST}. Received: {shown(received)}{_meant(received) or _ELSE}"
    )


Pin = Annotated[int, Field(ge=0, le=LAST), BeforeValidator(a_bcm_number)]
"""A GPIO of the 40-pin header by its BCM number. Keys of this type must be named `pin` or
`..._pin`: a pin that is used twice is found by this name."""


def _meant(received: Any) -> str:
    if isinstance(received, list) and len(received) == 1 and isinstance(received[0], int | str):
        return _meant(received[0]) or f": write {received[0]}, without brackets"
    if isinstance(received, bool) or not isinstance(received, int | float | str):
        return ""
    if isinstance(received, int):
        return _number(received)
    if isinstance(received, float):
        return f": write {received:.0f}" if received.is_integer() and 0 <= received <= LAST else ""
    text = received.strip().upper()
    if re.fullmatch(r"0*[0-9]{1,3}", text):
        number = int(text)
        advice = "without quotes or a leading zero"
        return f": write {number}, {advice}" if number <= LAST else _number(number)
    if text in NAMED:
        return f": {text} is GPIO {NAMED[text]}: if that is meant, write {NAMED[text]}"
    found = re.fullmatch(r"([A-Z][A-Z0-9. ]*?)[ _.:#=/-]*([0-9]{1,2})", text)
    if found is None:
        return number_advice(received)
    name, number = found.group(1), int(found.group(2))
    if name in _OWN_NAMES:
        if number <= LAST:
            return f": write the number alone, {number}"
        return f": no GPIO {number} is on the header; {_place(number)}"
    if name in _PLACE_NAMES:
        return f": {_place(number)}"
    if name in ("WPI", "WIRINGPI") and number < len(_BCM_OF_WIRINGPI):
        bcm = _BCM_OF_WIRINGPI[number]
        return "" if bcm is None else f": WiringPi's pin {number} is GPIO {bcm}: write {bcm}"
    return ""


def _number(number: int) -> str:
    if LAST < number <= 40:
        return f": {_place(number)}"
    if LAST < number <= _HIGHEST_OF_THE_CHIP:
        return (
            f": the processor has GPIO {number}, but no pin of the header leads to it: take another"
        )
    if 0 <= number - _SYSFS_BASE <= LAST:
        bcm = number - _SYSFS_BASE
        return f": /sys/class/gpio calls GPIO {bcm} so: if that is meant, write {bcm}"
    return ""


def _place(place: int) -> str:
    if place in BCM_OF_PLACE:
        bcm = BCM_OF_PLACE[place]
        return f"header pin {place} is GPIO {bcm}: if that is meant, write {bcm}"
    if 1 <= place <= 40:
        return f"header pin {place} is {_POWER.get(place, 'ground')}, not a GPIO: take another"
    return f"the header has 40 pins{_ELSE}"
