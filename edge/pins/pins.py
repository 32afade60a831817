"""The machine's GPIO pins: real ones on a Raspberry Pi, mock pins elsewhere."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

from edge.core.closing import Closing
from edge.core.errors import PinError
from edge.core.terminal.hints import install_command
from edge.pins.i2c import BusHangs, I2cDevice, MockI2cDevice, Registers

T = TypeVar("T")

_BOARD = Path("/proc/device-tree/model")


class Pins(Closing):
    """A gpiozero pin factory; a context manager.

    Attributes:
        factory: the `pin_factory` for gpiozero's devices.
        real: whether the pins are physical ones.
        has_pulses: whether an encoder gives pulses: not on mock pins, unless one is simulated.
        has_switches: whether motors look for their home switches: on mock pins nothing moves, and
            so none reaches one.
        title: a description of the pins for the operator.
        clock: seconds, monotonic, by which devices measure how long they have been moving.
        boards: the mock devices on I2C buses, by bus and address.
        inputs: what tells whether a pin that is read is active, by its BCM number.
    """

    def __init__(
        self,
        factory: Any,
        *,
        real: bool,
        title: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.factory, self.real, self.title, self.clock = factory, real, title, clock
        self.has_pulses = self.has_switches = real
        self.boards: dict[tuple[int, int], MockI2cDevice] = {}
        self.inputs: dict[int, Callable[[], bool]] = {}
        self._hangs: dict[int, BusHangs] = {}
        self._opened: list[tuple[object, Any]] = []

    def i2c(self, bus: int, address: int) -> Registers:
        """The device at `address` of an I2C bus; with mock pins, one in memory.

        Raises:
            PinError: the bus cannot be used.
        """
        if self.real:
            hangs = self._hangs.setdefault(bus, BusHangs(self.clock))
            return I2cDevice(bus, address, hangs=hangs)
        return self.boards.setdefault((bus, address), MockI2cDevice())

    def once(self, settings: object, opened: Callable[[], T]) -> T:
        """The device of `settings`, opened by the first who asks: several lanes share it."""
        for known, device in self._opened:
            if known is settings:
                return cast(T, device)
        device = opened()
        self._opened.append((settings, device))
        return device

    def wait(self, seconds: float) -> None:
        """Gives a device the time to move; returns at once on mock pins, where nothing moves."""
        if self.real:
            time.sleep(seconds)

    def close(self) -> None:
        """Frees every pin; may be called twice."""
        self.factory.close()


def has_real_pins(board: Path = _BOARD) -> bool:
    """Whether this machine is a Raspberry Pi, whose pins are real.

    Args:
        board: the file in which the kernel names the board.
    """
    return _board_name(board).startswith("Raspberry Pi")


def open_pins(board: Path = _BOARD) -> Pins:
    """Real pins on a Raspberry Pi, mock pins on any other machine; never mock pins on a Pi.

    Args:
        board: the file in which the kernel names the board.

    Raises:
        PinError: this is a Pi and its pins cannot be used.
    """
    name = _board_name(board)
    if not has_real_pins(board):
        from gpiozero.pins.mock import MockFactory, MockPWMPin

        factory = MockFactory(pin_class=MockPWMPin)  # the plain MockPin cannot drive a servo
        return Pins(factory, real=False, title=f"mock (no Raspberry Pi: {name or 'no board name'})")
    try:
        # On import lgpio makes a pipe in the current folder, which may not be writable. It keeps
        # the pipe open, so that its file is not needed afterwards.
        with tempfile.TemporaryDirectory() as folder, _working_in(folder):
            from edge.pins.lgpio_pins import SteadyFactory

        return Pins(SteadyFactory(), real=True, title=f"real, {name}")
    except ImportError as error:
        raise PinError(
            f"{name}: lgpio cannot be loaded ({error}): install python3-lgpio and make the "
            f"environment with --system-site-packages, or {install_command('pi')}"
        ) from error
    except Exception as error:  # lgpio.error derives from Exception only
        raise PinError(
            f"{name}: the GPIO pins cannot be opened ({error}): is /dev/gpiochip0 there, and is "
            "this user in the group gpio?"
        ) from error


@contextmanager
def pin_errors(pin: int) -> Iterator[None]:
    """Turns what gpiozero and lgpio raise on GPIO `pin` into a PinError that names it."""
    try:
        yield
    except Exception as error:  # lgpio.error derives from Exception only
        raise PinError(
            f"GPIO {pin} cannot be used: {type(error).__name__}: {error}. Does another program use "
            "it? `gpioinfo` shows which"
        ) from error


@contextmanager
def _working_in(folder: str) -> Iterator[None]:
    """A context in which `folder` is the current folder.

    If the folder before it is gone or not accessible to this user, as with `sudo -u pilah` in a
    home folder, the root is the current folder afterwards.
    """
    try:
        before = Path.cwd()
    except OSError:
        before = Path("/")
    os.chdir(folder)
    try:
        yield
    finally:
        try:
            os.chdir(before)
        except OSError:
            os.chdir("/")


def _board_name(board: Path) -> str:
    try:
        return board.read_bytes().rstrip(b"\0").decode("utf-8", "replace")
    except OSError:
        return ""
