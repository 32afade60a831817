"""Pulses made by the Pi's own PWM device, through the kernel's files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edge.core.errors import PinError
from edge.lanes.pulses import PERIOD_SECONDS

SYSFS = Path("/sys/class/pwm")

_PERMISSION_SECONDS = 0.05
_PERMISSION_TRIES = 40
"""How often access to a new channel's files is tried: udev gives them to the group gpio a moment
after they appear."""


def check_channel(channel: str, sysfs: Path | None = None) -> None:
    """Checks that this machine has a channel, and changes nothing.

    Args:
        channel, sysfs: as of HardwarePulses.

    Raises:
        PinError: it has not.
    """
    sysfs = SYSFS if sysfs is None else sysfs
    chip, _, number = channel.partition("/pwm")
    if not (sysfs / chip).is_dir():
        there = ", ".join(sorted(p.name for p in sysfs.glob("pwmchip*"))) or "none"
        raise PinError(
            f"hardware_pwm: {channel}: there is no {sysfs / chip} (found: {there}). Put "
            "`dtoverlay=pwm-2chan` into /boot/firmware/config.txt and restart the Pi"
        )
    try:
        channels = int((sysfs / chip / "npwm").read_text())
    except (OSError, ValueError):  # what it has is seen when it is claimed
        return
    if int(number) >= channels:
        raise PinError(
            f"hardware_pwm: {channel}: {chip} has the channels 0 to {channels - 1} only. A Pi 5 "
            "numbers them otherwise than those before it (wiring.md); a number of the chip may "
            "be another one, too: `ls /sys/class/pwm`"
        )


class HardwarePulses:
    """Pulses made by the Pi's own PWM device, which nothing on the machine can delay.

    The kernel's interface is described in its Documentation/driver-api/pwm.rst.
    """

    def __init__(
        self, channel: str, *, wait: Callable[[float], object], sysfs: Path | None = None
    ) -> None:
        """Claims a channel of the PWM device.

        Args:
            channel: its name, such as `pwmchip0/pwm0`.
            wait: waits for the given number of seconds.
            sysfs: the folder of the PWM chips; None: the kernel's.

        Raises:
            PinError: there is no such channel, or this user may not write it.
        """
        sysfs = SYSFS if sysfs is None else sysfs
        chip, _, number = channel.partition("/pwm")
        self._folder, self._open = sysfs / channel, False
        check_channel(channel, sysfs)
        try:
            if not self._folder.is_dir():
                (sysfs / chip / "export").write_text(number)
            for _ in range(_PERMISSION_TRIES):
                try:
                    (self._folder / "enable").write_text("0")
                    break
                except PermissionError:
                    wait(_PERMISSION_SECONDS)
                except OSError:  # a channel without a period cannot be disabled
                    break
            if int((self._folder / "duty_cycle").read_text()) != 0:
                (self._folder / "duty_cycle").write_text("0")
            (self._folder / "period").write_text(str(round(PERIOD_SECONDS * 1e9)))
            (self._folder / "enable").write_text("1")
        except OSError as error:
            raise PinError(
                f"hardware_pwm: {channel} cannot be used: {error.strerror}: {error.filename}. Is "
                f"this user in the group gpio, and has {chip} this channel (see its file npwm)?"
            ) from error
        self._open = True

    def set(self, seconds: float) -> None:
        """See Pulses."""
        (self._folder / "duty_cycle").write_text(str(round(seconds * 1e9)))

    def close(self) -> None:
        """See Pulses. The channel stays exported, because its permissions take a moment to come."""
        if self._open:
            self._open = False
            self.set(0)  # takes effect at the end of the period, as disabling does
            (self._folder / "enable").write_text("0")
