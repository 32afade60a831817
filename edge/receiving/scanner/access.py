"""The permission to read a scanner: a udev rule for the service, and a test for this user."""

from __future__ import annotations

from edge.config.scanner import ScannerSettings
from edge.receiving.scanner.source import ScannerSource

_BY_ID = "/dev/input/by-id/"


def udev_rule(settings: ScannerSettings) -> str | None:
    """The text of a udev rule that lets the group pilah read this scanner, and no other device.

    Returns:
        None where no rule can name the scanner: it is a pipe, or is not named by its id, which
        stays the same when it is plugged in elsewhere.
    """
    path = str(settings.path)
    name = path.removeprefix(_BY_ID)
    if settings.kind != "device" or name == path or '"' in name:
        return None
    # In a rule * ? [ and | are patterns; ids have none, as udev writes _ for them.
    return (
        "# The hand scanner of pilah's station file; written by deploy/install.sh.\n"
        f'SUBSYSTEM=="input", KERNEL=="event*", SYMLINK=="input/by-id/{name}", '
        'GROUP="pilah", MODE="0640"\n'
    )


def try_scanner(settings: ScannerSettings) -> str:
    """Opens the scanner and closes it again, without taking its keys; what was found.

    Raises:
        ScannerError: it is not there, or this user may not read it.
    """
    with ScannerSource(settings.path, grab=False):
        return f"{settings.path} can be read"
