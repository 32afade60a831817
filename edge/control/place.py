"""Where the socket of a running station is: beside its status.

Its name tells the ledger, too. A copy of a station file that names another ledger describes another
station, which must not be told what this one is meant to do.
"""

from __future__ import annotations

import os
import pwd
import socket
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from edge.core.errors import ControlUnreachableError
from edge.core.terminal.sentence import Sentence
from edge.runtime.memory_folder import memory_name
from edge.telemetry.status import status_path, status_places

_SUFFIX = ".sock"


def control_path(
    station: str, ledger: Path, environment: Mapping[str, str] = os.environ
) -> Path | None:
    """Where a station opens its socket; None: this machine has no place for it."""
    path = status_path(station, ledger, environment)
    return None if path is None else _beside(path, station, ledger)


def find_control(station: str, ledger: Path, environment: Mapping[str, str] = os.environ) -> Path:
    """The socket of the running station with this name and ledger.

    Only one of the superuser, of this user or of the ledger's owner is taken: anybody may put a
    file into /dev/shm.

    Raises:
        ControlUnreachableError: there is none, or this user may not look for it.
    """
    trusted = {0, os.geteuid(), *((ledger.stat().st_uid,) if ledger.exists() else ())}
    refused, looked = None, list[str]()
    for place in status_places(station, ledger, environment):
        path = _beside(place, station, ledger)
        looked.append(str(path))
        try:
            found = path.lstat()
        except PermissionError:
            refused = path
            continue
        except OSError:
            continue
        if stat.S_ISSOCK(found.st_mode) and found.st_uid in trusted:
            return path
    if refused is not None:
        raise ControlUnreachableError(
            Sentence(
                "this user may not read {path}, where the station can be reached if it runs as a "
                "service: ask as the user of the service, or as root",
                path=str(refused),
            )
        )
    raise ControlUnreachableError(
        Sentence(
            "the station {station} does not run, or cannot be reached: the user {user} finds no "
            "socket of it at {places}. See `pilah-edge status`; start it, or ask as its user, on "
            "its machine and with the station file that it was started with",
            station=station,
            user=_user(),
            places=", ".join(looked),
        )
    )


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # in a container it may have no name
        return str(os.geteuid())


def _beside(status: Path, station: str, ledger: Path) -> Path:
    return status.with_name(memory_name(station, ledger) + _SUFFIX)


@contextmanager
def socket_address(path: Path) -> Iterator[str]:
    """The address of a socket, which may have a path of any length.

    A socket's own address may have 107 bytes only.

    Raises:
        OSError: its folder cannot be opened.
    """
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def unix_socket() -> socket.socket:
    """A new stream socket for one machine."""
    return socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
