"""The `gpio=` lines of a config.txt, and which of them a station wants."""

from __future__ import annotations

import pytest

from edge.pins.boot_config import BootPin, boot_pins, contrary_pins, included, missing_lines

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
    assert found[6] == BootPin(False, None, 6, "[pi5]")
    assert found[24].below == found[13].below == ""
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


def test_a_line_that_counts_on_some_boards_only_is_told_until_one_for_all_settles_it() -> None:
    text = "gpio=5,6=op,dl\n[pi4]\ngpio=5,7=op,dl\ngpio=8=op,dl\n[all]\ngpio=7=op,dl\ngpio=8=pd\n"
    found = boot_pins(text)
    assert {pin: one.below for pin, one in found.items()} == {5: "[pi4]", 6: "", 7: "", 8: "[pi4]"}


def test_files_that_are_included_are_named() -> None:
    assert included("# include a.txt\n\ninclude extra.txt  # ours\nincluded=1\n") == {
        3: "extra.txt"
    }
