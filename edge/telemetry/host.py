"""The state of a station's machine: its clock, its disk, its temperature and its power supply."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from edge.telemetry.disks import disk_of, missing_disk
from edge.telemetry.finding import Finding, bad, ok, warning

_BUILT = datetime(2026, 1, 1, tzinfo=UTC)
"""No clock that is right shows an earlier time."""
_RTC = Path("/sys/class/rtc")
_ZONES = Path("/sys/class/thermal")
_THROTTLED = Path("/sys/devices/platform/soc/soc:firmware/get_throttled")
_MEGABYTE = 1_000_000
_SCARCE, _TOO_SCARCE = 500 * _MEGABYTE, 50 * _MEGABYTE
_HOT, _TOO_HOT = 75.0, 82.0
"""Degrees Celsius: a Raspberry Pi lowers its clock from 80 (3B+: 60) to 85 degrees."""
_FLAGS = {0: "under-voltage", 1: "clock capped", 2: "throttled", 3: "soft temperature limit"}
"""The bits of the firmware's flags that describe the present. The same bits shifted up by 16
describe the time since the machine was switched on (Raspberry Pi documentation, vcgencmd
get_throttled)."""

_FREE = "{free} GB free in {folder}"
_NOT_WRITABLE = ", where this user may not write"
_NOT_MOUNTED = "but no disk is mounted at {missing}: it is on the disk of {mount}"
_IN_MEMORY = "which is in memory: it is gone when the machine is switched off"
_NO_SENSOR = "this machine shows no temperature"
_CELSIUS = "{celsius} degrees Celsius"
_NEVER = "no under-voltage, and never throttled"
_POWER_NOW, _POWER_BEFORE = "now: {flags}", "since it was switched on: {flags}"
_NO_FOLDER = "create the folder of the ledger"
_WRITABLE = "change its owner, or `ledger` in the station file"
_ROWS_LOST, _FREE_SPACE = "free some space: rows will be lost", "free some space soon"
_MOUNT = "mount it, or change `ledger`"
_COOL_IT = "give it a heat sink, a fan or shade"
_STRONGER_SUPPLY = "use a stronger power supply with a short, thick cable, and cool the processor"
MACHINE_FORMS = (
    f"{_FREE}{_NOT_WRITABLE}", f"{_FREE}, {_NOT_MOUNTED}", f"{_FREE}, {_IN_MEMORY}", _FREE,
    _NO_SENSOR, _CELSIUS, _NEVER, _POWER_NOW, _POWER_BEFORE, _NO_FOLDER, _WRITABLE,
    _ROWS_LOST, _FREE_SPACE, _MOUNT, _COOL_IT, _STRONGER_SUPPLY,
)  # fmt: skip
"""What is found of disk, heat and power, and what to do: for those who translate it."""
THROTTLES = tuple(_FLAGS.values())


def clock_finding(
    *, synchronised: bool | None, now: datetime | None = None, rtc: Path = _RTC
) -> Finding:
    """Whether the ledger's times are right, and stay so after a power cut.

    Args:
        synchronised: as `clock_is_synchronised` tells.
        now: the time that the clock shows; None for the clock of this machine.
        rtc: the kernel's list of real-time clocks.
    """
    now = datetime.now(UTC) if now is None else now
    has_rtc = any(rtc.glob("rtc*"))
    said = f"{now:%Y-%m-%d %H:%M} UTC, " + (
        "synchronised" if synchronised else "not synchronised" if synchronised is False else ""
    )
    said = f"{said.rstrip(', ')}, {'an' if has_rtc else 'no'} RTC"
    if now < _BUILT:
        return bad("clock", said, "set it: the ledger's times would be wrong")
    if synchronised is False:
        return warning(
            "clock",
            said,
            "connect a network and see `timedatectl`"
            if has_rtc
            else "rows get wrong times: connect a network (see `timedatectl`), or add an RTC "
            "(a real-time clock)",
        )
    if not has_rtc:
        return warning(
            "clock",
            said,
            "after a power cut without a network, times are wrong: add an RTC (a real-time clock)",
        )
    return ok("clock", said)


def disk_finding(folder: Path, *, free: int | None = None) -> Finding:
    """Whether the ledger can grow in `folder`, and stays when the machine is switched off.

    Args:
        free: the free bytes; None to read them from the file system.
    """
    try:
        left = shutil.disk_usage(folder).free if free is None else free
    except OSError as error:
        return bad("disk", f"{folder}: {error.strerror}", _NO_FOLDER)
    said = _FREE.format(free=f"{left / 1e9:.1f}", folder=folder)
    if not os.access(folder, os.W_OK):
        return bad("disk", said + _NOT_WRITABLE, _WRITABLE)
    if left < _TOO_SCARCE:
        return bad("disk", said, _ROWS_LOST)
    if (wrong := wrong_disk(folder)) is not None:
        return warning("disk", f"{said}, {wrong}", _MOUNT)
    return warning("disk", said, _FREE_SPACE) if left < _SCARCE else ok("disk", said)


def wrong_disk(folder: Path) -> str | None:
    """Why `folder` is probably on the wrong disk, as the end of a sentence; None if it is not."""
    path = folder.absolute()
    if (missing := missing_disk(path)) is not None:
        return _NOT_MOUNTED.format(missing=missing, mount=disk_of(path).mount)
    if disk_of(path).in_memory:
        return _IN_MEMORY
    return None


def heat_findings(*, zones: Path = _ZONES, throttled: Path = _THROTTLED) -> Iterator[Finding]:
    """Whether the processor is too hot and whether the power supply is strong enough.

    The second finding is left out on a machine that does not report it.

    Args:
        zones: the kernel's folder of temperature sensors, which give millidegrees Celsius.
        throttled: the file with the firmware's flags on a Raspberry Pi.
    """
    celsius = hottest_sensor(zones)
    if celsius is None:
        yield ok("heat", _NO_SENSOR)
    else:
        said, advice = _CELSIUS.format(celsius=f"{celsius:.0f}"), _COOL_IT
        state = bad if celsius >= _TOO_HOT else warning if celsius >= _HOT else None
        yield ok("heat", said) if state is None else state("heat", said, advice)
    flags = throttle_flags(throttled)
    if flags is None:
        return
    now = [name for bit, name in _FLAGS.items() if flags >> bit & 1]
    before = [name for bit, name in _FLAGS.items() if flags >> bit + 16 & 1]
    if now:
        yield bad("power", _POWER_NOW.format(flags=", ".join(now)), _STRONGER_SUPPLY)
    elif before:
        yield warning("power", _POWER_BEFORE.format(flags=", ".join(before)), _STRONGER_SUPPLY)
    else:
        yield ok("power", _NEVER)


def hottest_sensor(zones: Path = _ZONES) -> float | None:
    """The degrees Celsius of the machine's hottest sensor; None: it shows no temperature.

    Args:
        zones: the kernel's folder of temperature sensors, which give millidegrees Celsius.
    """
    degrees = [read for file in zones.glob("thermal_zone*/temp") if (read := _number(file, 10))]
    return max(degrees) / 1000 if degrees else None


def throttle_flags(throttled: Path = _THROTTLED) -> int | None:
    """The firmware's flags on a Raspberry Pi; None: this machine has none."""
    return _number(throttled, 16)


def throttle_words(flags: int) -> tuple[str, ...]:
    """What the bits of the firmware's flags mean.

    >>> throttle_words(0x50005)
    ('under-voltage now', 'throttled now', 'under-voltage before', 'throttled before')
    """
    now = [f"{name} now" for bit, name in _FLAGS.items() if flags >> bit & 1]
    before = [f"{name} before" for bit, name in _FLAGS.items() if flags >> bit + 16 & 1]
    return (*now, *before)


def _number(file: Path, base: int) -> int | None:
    try:
        return int(file.read_text().strip(), base)
    except (OSError, ValueError):
        return None
