"""What a machine is, and how hot it is and what slowed it down: what a benchmark has to say."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edge.core.terminal.wording import number_of
from edge.telemetry.host import hottest_sensor, throttle_flags, throttle_words

_ROOT = Path("/")


@dataclass(frozen=True, slots=True)
class Hardware:
    """The machine that was measured. What it does not tell is None."""

    model: str | None
    """The name of the board, or of the processor."""
    architecture: str
    cores: int
    memory_mb: int | None
    """Memory in 10^6 bytes."""
    governor: str | None
    """What decides the clock of the processor, such as `ondemand` or `performance`."""
    max_clock_mhz: int | None
    system: str | None
    kernel: str

    def to_json(self) -> dict[str, Any]:
        """The fields by their names."""
        return asdict(self)

    def __str__(self) -> str:
        parts = [
            self.model or "a machine without a name",
            number_of(self.cores, "cores"),
            *([f"{self.memory_mb:,} MB"] if self.memory_mb else []),
            *([f"governor {self.governor}"] if self.governor else []),
            *([f"up to {self.max_clock_mhz:,} MHz"] if self.max_clock_mhz else []),
            *([self.system] if self.system else []),
            self.architecture,
        ]
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Heat:
    """The temperature of a machine, and what its firmware says of its clock."""

    celsius: float | None
    """Of its hottest sensor, in degrees; None: it shows none."""
    flags: int | None
    """The firmware's bits; None: there are none, as on all machines but a Raspberry Pi."""

    @property
    def slowed(self) -> tuple[str, ...]:
        """What slows the machine now, or has since it was switched on, in words."""
        return () if self.flags is None else throttle_words(self.flags)

    def slowed_since(self, before: Heat) -> tuple[str, ...]:
        """What slowed the machine at an earlier moment, at this one, or in between, in words.

        The upper bits stay until it is switched off: one that was there before tells nothing of the
        time since.
        """
        if self.flags is None:
            return ()
        earlier = before.flags or 0
        return throttle_words(self.flags & ~(earlier >> 16 << 16) | earlier & 0xFFFF)

    def to_json(self) -> dict[str, Any]:
        """The fields, and the bits in words."""
        return {
            "celsius": self.celsius,
            "throttled": None if self.flags is None else hex(self.flags),
            "meaning": list(self.slowed),
        }


def this_hardware(root: Path = _ROOT) -> Hardware:
    """What this machine is.

    Args:
        root: the root of the file system, for tests.
    """
    cpu = root / "sys/devices/system/cpu/cpu0/cpufreq"
    clock = _first(cpu / "cpuinfo_max_freq", r"\d+")
    memory = _first(root / "proc/meminfo", r"MemTotal:\s+(\d+) kB")
    return Hardware(
        model=_first(root / "proc/device-tree/model", r"[^\0]+")
        or _first(root / "proc/cpuinfo", r"model name\s*: (.+)"),
        architecture=platform.machine(),
        cores=len(os.sched_getaffinity(0)),
        memory_mb=None if memory is None else round(int(memory) * 1024 / 1e6),
        governor=_first(cpu / "scaling_governor", r"\S+"),
        max_clock_mhz=None if clock is None else int(clock) // 1000,
        system=_first(root / "etc/os-release", r'PRETTY_NAME="?([^"\n]+)'),
        kernel=platform.release(),
    )


def this_heat() -> Heat:
    """How hot this machine is now."""
    celsius = hottest_sensor()
    return Heat(None if celsius is None else round(celsius, 1), throttle_flags())


def _first(file: Path, pattern: str) -> str | None:
    """What a pattern, or its group, first matches in a file; None: nothing, or there is no file."""
    try:
        found = re.search(pattern, file.read_text("utf-8", "replace"))
    except OSError:
        return None
    return None if found is None else found[found.lastindex or 0].strip() or None
