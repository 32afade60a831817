"""Devices on an I2C bus, by the kernel's `/dev/i2c-N` alone.

A message is one `write` to the file after `ioctl(I2C_SLAVE)` has given the device's address; see
the kernel's Documentation/i2c/dev-interface.rst. smbus2 would do the same through the same calls.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol

from edge.core.errors import PinError

_I2C_SLAVE = 0x0703
"""The request that gives the address of the device; from linux/i2c-dev.h."""
_I2C_TIMEOUT, _TIMEOUT = 0x0702, 2
"""The request that bounds a message, in units of 10 ms: where a bus hangs, as with a torn wire, the
default of a second would keep every other lane waiting."""
_NO_ANSWER = (errno.EREMOTEIO, errno.ENXIO, errno.ETIMEDOUT, errno.EIO)
"""What the drivers of a Pi's buses report when a device does not acknowledge its address."""

HANGING_SECONDS = 0.2
"""How long a bus on which a message has timed out is taken to hang, and no message is tried."""

PINS_OF_BUS = {0: (0, 1), 1: (2, 3)}
"""The BCM numbers of the data and clock wires of each bus that is always on the same pins."""


class Registers(Protocol):
    """A device with numbered registers of one byte each."""

    def write(self, register: int, *values: int) -> None:
        """Writes `values` into this register and those that follow, in one message."""
        ...

    def read(self, register: int) -> int:
        """The value of one register."""
        ...

    def close(self) -> None:
        """Ends the use of the device; may be called twice."""
        ...


def open_bus(bus: int, address: int) -> int:
    """A file descriptor of the bus whose messages go to the device at `address`.

    Raises:
        OSError: there is no such bus, or it cannot be used.
    """
    descriptor = os.open(f"/dev/i2c-{bus}", os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.ioctl(descriptor, _I2C_TIMEOUT, _TIMEOUT)
        fcntl.ioctl(descriptor, _I2C_SLAVE, address)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


class BusHangs:
    """Bounds what a bus that hangs costs all who use it.

    Each message would wait for its own time-out, one after the other, and whatever else is to be
    put at rest with them. After one that has timed out, the others fail at once for a while.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        """The bus is thought to be well.

        Args:
            clock: seconds, monotonic.
        """
        self._clock, self._until = clock, float("-inf")

    @contextmanager
    def message(self) -> Iterator[None]:
        """A context in which one message is sent or received.

        Raises:
            OSError: with ETIMEDOUT, where the bus has hung just now.
        """
        if self._clock() < self._until:
            raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
        try:
            yield
        except OSError as error:
            if error.errno == errno.ETIMEDOUT:
                self._until = self._clock() + HANGING_SECONDS
            raise


class I2cDevice:
    """A device on a bus of this machine."""

    def __init__(
        self,
        bus: int,
        address: int,
        *,
        opened: Callable[[int, int], int] | None = None,
        hangs: BusHangs | None = None,
    ) -> None:
        """Opens the bus; the device need not answer yet.

        Args:
            bus: the number of the bus: 1 is the one on the header.
            address: the device's address, 3 to 119.
            opened: gives the file descriptor of a device; None: `open_bus` does.
            hangs: what all devices on this bus share; None: it is the only one.

        Raises:
            PinError: there is no such bus, or it cannot be used.
        """
        self._bus, self._address = bus, address
        self._hangs = hangs
        self._descriptor: int | None = None
        try:
            self._descriptor = (opened or open_bus)(bus, address)
        except OSError as error:
            raise PinError(self._advice(error)) from error

    def write(self, register: int, *values: int) -> None:
        """See Registers.

        Raises:
            PinError: the device does not answer.
        """
        self._send(bytes([register, *values]))

    def read(self, register: int) -> int:
        """See Registers.

        Raises:
            PinError: the device does not answer.
        """
        descriptor = self._send(bytes([register]))
        try:
            with self._message():
                return os.read(descriptor, 1)[0]
        except OSError as error:
            raise PinError(self._advice(error)) from error

    def close(self) -> None:
        """See Registers."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)

    def _send(self, message: bytes) -> int:
        if self._descriptor is None:
            raise PinError(f"I2C bus {self._bus}, address {self._address:#04x}: it is closed")
        try:
            with self._message():
                os.write(self._descriptor, message)
        except OSError as error:
            raise PinError(self._advice(error)) from error
        return self._descriptor

    def _message(self) -> AbstractContextManager[None]:
        return nullcontext() if self._hangs is None else self._hangs.message()

    def _advice(self, error: OSError) -> str:
        where = f"I2C bus {self._bus}, address {self._address:#04x}"
        if error.errno == errno.ENOENT:
            return (
                f"{where}: there is no /dev/i2c-{self._bus}. Put `dtparam=i2c_arm=on` into "
                "/boot/firmware/config.txt and `i2c-dev` into /etc/modules, and restart the Pi"
            )
        if error.errno in (errno.EACCES, errno.EPERM):
            return f"{where}: this user may not use /dev/i2c-{self._bus}: is it in the group i2c?"
        if error.errno == errno.EBUSY:
            return f"{where}: a driver of the kernel uses this device: remove its `dtoverlay` line"
        if error.errno in _NO_ANSWER:
            return (
                f"{where}: nothing answers there ({error.strerror}). Has the board its supply, are "
                f"SDA and SCL right, and does `i2cdetect -y {self._bus}` show this address?"
            )
        return f"{where}: cannot be used: {error.strerror}"


class MockI2cDevice:
    """A device in memory, away from a Raspberry Pi.

    Attributes:
        registers: the value that was last written into each register.
        messages: what was written, in order: the register, then its values.
    """

    def __init__(self) -> None:
        self.registers: dict[int, int] = {}
        self.messages: list[tuple[int, ...]] = []

    def write(self, register: int, *values: int) -> None:
        """See Registers."""
        self.messages.append((register, *values))
        self.registers.update(enumerate(values, register))

    def read(self, register: int) -> int:
        """The value of one register; 0 if it was never written."""
        return self.registers.get(register, 0)

    def close(self) -> None:
        """See Registers; what was written stays."""
