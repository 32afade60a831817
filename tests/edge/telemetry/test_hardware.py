from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edge.telemetry.hardware import Hardware, Heat, this_hardware, this_heat

PI = {
    "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.5\0",
    "proc/cpuinfo": "processor\t: 0\nmodel name\t: ARMv8 Processor\n",
    "proc/meminfo": "MemTotal:        3884344 kB\nMemFree: 1 kB\n",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "ondemand\n",
    "sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq": "1800000\n",
    "etc/os-release": 'NAME="x"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
}


def machine(root: Path, files: dict[str, str]) -> Hardware:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return this_hardware(root)


def test_a_raspberry_pi_is_named_with_what_decides_its_speed(tmp_path: Path) -> None:
    found = machine(tmp_path, PI)
    assert found.model == "Raspberry Pi 4 Model B Rev 1.5"
    assert (found.memory_mb, found.governor, found.max_clock_mhz) == (3978, "ondemand", 1800)
    assert found.system == "Debian GNU/Linux 12 (bookworm)"
    assert "Raspberry Pi 4 Model B Rev 1.5" in str(found)
    assert "up to 1,800 MHz" in str(found)


def test_a_machine_without_a_board_is_named_by_its_processor(tmp_path: Path) -> None:
    text = "processor\t: 0\nmodel name\t: AMD EPYC\nmodel name\t: AMD EPYC\n"
    assert machine(tmp_path, {"proc/cpuinfo": text}).model == "AMD EPYC"


def test_what_a_machine_does_not_tell_is_none(tmp_path: Path) -> None:
    found = machine(tmp_path, {})
    assert (found.model, found.memory_mb, found.governor, found.max_clock_mhz) == (None,) * 4
    assert found.to_json()["cores"] >= 1
    assert str(found).startswith("a machine without a name")


@pytest.mark.parametrize(("cores", "said"), [(1, ", 1 core, "), (4, ", 4 cores, ")])
def test_one_core_is_one(tmp_path: Path, cores: int, said: str) -> None:
    assert said in str(replace(machine(tmp_path, PI), cores=cores))


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (None, ()),
        (0x0, ()),
        (
            0x50005,
            ("under-voltage now", "throttled now", "under-voltage before", "throttled before"),
        ),
    ],
)
def test_the_bits_of_the_firmware_are_told_in_words(
    flags: int | None, words: tuple[str, ...]
) -> None:
    assert Heat(61.3, flags).slowed == words
    told = Heat(61.3, flags).to_json()
    assert told == {
        "celsius": 61.3,
        "throttled": None if flags is None else hex(flags),
        "meaning": list(words),
    }


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (None, None, ()),
        (0x0, 0x0, ()),
        (0x50000, 0x50000, ()),  # it was slowed yesterday
        (0x50000, 0x50005, ("under-voltage now", "throttled now")),
        (0x10000, 0x50000, ("throttled before",)),  # it was throttled in between
        (0x50005, 0x50000, ("under-voltage now", "throttled now")),  # as the measurement began
    ],
)
def test_what_slowed_a_machine_between_two_moments(
    before: int | None, after: int | None, words: tuple[str, ...]
) -> None:
    assert Heat(61.3, after).slowed_since(Heat(50.0, before)) == words


def test_this_hardware_says_how_hot_it_is_or_that_it_does_not_know() -> None:
    heat = this_heat()
    assert heat.celsius is None or -50 < heat.celsius < 150
