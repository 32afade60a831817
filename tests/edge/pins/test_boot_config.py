"""The `gpio=` lines of a config.txt, and which of them a station wants."""

from __future__ import annotations

import pytest

from edge.pins.boot_config import BootPin, boot_pins, contrary_pins, missing_lines

TEXT = """\
# gpio=5=op,dh
dtparam=i2c_arm=on
gpio=23,24,25=op,dl
gpio=26=op,dh   # the driver's ENABLE
[pi5]
gpio = 5-7 = ip, pu
[none]
gpio=12=op,dh
[all]
gpio=13=a0
gpio=24=dh
gpio=nonsense
"""


def test_the_lines_of_a_file_are_read_as_the_firmware_does() -> None:
    found = boot_pins(TEXT)
    assert sorted(found) == [5, 6, 7, 13, 23, 24, 25, 26]
    assert found[23] == BootPin(True, False, 3)
    assert found[26] == BootPin(True, True, 4)
    assert found[24] == BootPin(True, True, 11)  # the later line adds to the earlier one
    assert found[6] == BootPin(False, None, 6)
    assert found[13].output is False


@pytest.mark.parametrize(
    ("wanted", "lines"),
    [
        ({23: False, 26: True}, []),
        ({23: False, 4: True, 17: False, 18: False}, ["gpio=17,18=op,dl", "gpio=4=op,dh"]),
        ({24: False, 13: False, 5: True}, ["gpio=13,24=op,dl", "gpio=5=op,dh"]),
        ({}, []),
    ],
)
def test_what_is_missing_is_a_line_to_add(wanted: dict[int, bool], lines: list[str]) -> None:
    assert missing_lines(wanted, boot_pins(TEXT)) == lines


def test_a_line_that_moves_something_is_found() -> None:
    found = contrary_pins({23: False, 24: False, 26: False, 5: True}, boot_pins(TEXT))
    assert sorted(found) == [24, 26]
