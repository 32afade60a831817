"""The state of a station's machine: its clock, its disk, its temperature and its power supply."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from edge.core.files import is_read_only
from edge.core.terminal.sentence import Sentence
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

THROTTLES = tuple(_FLAGS.values())
"""What `flags` of a finding of the power supply are, with commas: for those who translate it."""


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
        read_only = is_read_only(folder)
    except OSError as error:
        said = f"{folder}: {error.strerror}"
        return bad("disk", said, Sentence("create the folder of the ledger"))
    there = {"free": f"{left / 1e9:.1f}", "folder": str(folder)}
    found = Sentence("{free} GB free in {folder}", **there)
    if read_only:
        return bad(
            "disk",
            Sentence("{free} GB free in {folder}, whose file system is read-only", **there),
            Sentence("mount it for writing; one whose disk fails becomes read-only (`dmesg`)"),
        )
    if not os.access(folder, os.W_OK):
        return bad(
            "disk",
            Sentence("{free} GB free in {folder}, where this user may not write", **there),
            Sentence("change its owner, or `ledger` in the station file"),
        )
    if left < _TOO_SCARCE:
        return bad("disk", found, Sentence("free some space: rows will be lost"))
    if (wrong := wrong_disk(folder)) is not None:
        wrongly = Sentence("{free} GB free in {folder}, {wrong}", **there, wrong=wrong)
        return warning("disk", wrongly, Sentence("mount it, or change `ledger`"))
    if left < _SCARCE:
        return warning("disk", found, Sentence("free some space soon"))
    return ok("disk", found)


def wrong_disk(folder: Path) -> Sentence | None:
    """Why `folder` is probably on the wrong disk, as the end of a sentence; None if it is not."""
    path = folder.absolute()
    if (missing := missing_disk(path)) is not None:
        return Sentence(
            "but no disk is mounted at {missing}: it is on the disk of {mount}",
            missing=str(missing),
            mount=str(disk_of(path).mount),
        )
    if disk_of(path).in_memory:
        return Sentence("which is in memory: it is gone when the machine is switched off")
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
        yield ok("heat", Sentence("this machine shows no temperature"))
    else:
        degrees = f"{celsius:.0f}"
        said = Sentence("{celsius} degrees Celsius", celsius=degrees)
        advice = Sentence("give it a heat sink, a fan or shade")
        state = bad if celsius >= _TOO_HOT else warning if celsius >= _HOT else None
        yield ok("heat", said) if state is None else state("heat", said, advice)
    flags = throttle_flags(throttled)
    if flags is None:
        return
    now = [name for bit, name in _FLAGS.items() if flags >> bit & 1]
    before = [name for bit, name in _FLAGS.items() if flags >> bit + 16 & 1]
    advice = Sentence(
        "use a stronger power supply with a short, thick cable, and cool the processor"
    )
    if now:
        yield bad("power", Sentence("now: {flags}", flags=", ".join(now)), advice)
    elif before:
        since = Sentence("since it was switched on: {flags}", flags=", ".join(before))
        yield warning("power", since, advice)
    else:
        yield ok("power", Sentence("no under-voltage, and never throttled"))


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
