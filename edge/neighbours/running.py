"""The stations that run on this machine: each holds a small file in memory with what it claims.

The file is locked as long as its station runs, so that one of a killed station counts for nothing.
A station that starts looks at those of all others, and then shows its own: one at a time.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from edge.core.closing import Closing
from edge.core.errors import NeighbourError, StorageError
from edge.core.processes.file_lock import is_locked, locked, try_lock
from edge.neighbours.claims import Claim, ClaimKind, Collision, Neighbour, collisions
from edge.runtime.memory_folder import MEMORY, memory_name, service_folder
from edge.telemetry.status import SERVICE_FOLDER

_log = logging.getLogger(__name__)

_SUFFIX = ".claims"
_TURN = ".pilah-claims.turn"
_TURN_SECONDS = 5.0
"""How long another station that starts may look around."""
_LARGEST = 256 * 1024


class RunsAlreadyError(NeighbourError):
    """The same station runs in another process of this machine."""


class OwnClaims(Closing):
    """What this station claims, shown to others until it is closed."""

    def __init__(
        self,
        own: Neighbour,
        ledger: Path,
        *,
        real_pins: bool,
        environment: Mapping[str, str] = os.environ,
        memory: Path | None = None,
        service: Path | None = None,
    ) -> None:
        """Looks at the other stations, and shows the claims of this one.

        Where there is no folder in memory, other stations are not seen, which is said.

        Args:
            own: this station.
            ledger: its ledger.
            real_pins: whether this machine has real pins.
            environment: has RUNTIME_DIRECTORY if systemd set it.
            memory, service: the folders in memory of a station that is no service, and of one;
                None: those of this machine.

        Raises:
            RunsAlreadyError: it runs in another process.
            NeighbourError: another station that runs claims something of it.
        """
        self._folder = service_folder(environment) or memory or MEMORY
        self._path = self._folder / (memory_name(own.station, ledger) + _SUFFIX)
        self._descriptor = -1
        try:
            with locked(self._folder / _turn_name(), wait_seconds=_TURN_SECONDS):
                found = running_neighbours(environment=environment, memory=memory, service=service)
                for one in found:  # before its lanes are opened, which puts a servo board at rest
                    if one.is_same_as(own):
                        raise RunsAlreadyError(
                            f"the station {own.station} runs already: {one.title}. Stop that one "
                            "first, or give this one a name and a ledger of its own"
                        )
                check(own, found, real_pins=real_pins)
                self._show(own)
        except NeighbourError:
            raise
        except (OSError, StorageError) as error:
            _log.warning(
                f"warning    other stations of this machine are not seen, nor see this one: {error}"
            )

    def close(self) -> None:
        """Claims nothing any more; may be called twice."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            with suppress(OSError):  # one that stays is not locked, and counts for nothing
                self._path.unlink()
            os.close(descriptor)

    def _show(self, own: Neighbour) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(self._path, flags, 0o644)
        if not try_lock(descriptor):  # the same station runs, or somebody just looks
            os.close(descriptor)
            _log.warning(
                f"warning    other stations of this machine do not see this one: {self._path} is "
                "locked by another process"
            )
            return
        self._descriptor = descriptor
        raw = json.dumps(
            {
                "station": own.station,
                "file": own.file,
                "pid": os.getpid(),
                "claims": [claim.as_json() for claim in own.claims],
            }
        ).encode()
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, raw, 0)


def running_neighbours(
    *,
    environment: Mapping[str, str] = os.environ,
    memory: Path | None = None,
    service: Path | None = None,
) -> list[Neighbour]:
    """The stations that run on this machine, as far as this user may know of them.

    Args:
        environment, memory, service: see `OwnClaims`.
    """
    running = service or SERVICE_FOLDER
    folders = dict.fromkeys((service_folder(environment) or running, running, memory or MEMORY))
    found = []
    for folder in folders:
        for path in _files(folder):
            if (one := _read(path)) is not None:
                found.append(one)
    return found


def claimants(
    what: str,
    *,
    besides: Path,
    environment: Mapping[str, str] = os.environ,
    memory: Path | None = None,
    service: Path | None = None,
) -> list[Neighbour]:
    """The stations that run and claim something, such as `the port 8040`.

    Args:
        besides: the ledger of the station that asks.
        environment, memory, service: see `OwnClaims`.
    """
    mine = f"the ledger {besides.resolve()}"
    return [
        one
        for one in running_neighbours(environment=environment, memory=memory, service=service)
        if what in (claimed := {claim.what for claim in one.claims}) and mine not in claimed
    ]


def check(own: Neighbour, others: Sequence[Neighbour], *, real_pins: bool) -> None:
    """Passes where `own` can run beside `others`.

    Raises:
        NeighbourError: it collides with one of them in what keeps it from running.
    """
    found = [
        one
        for other in others
        for one in collisions(own.claims, other)
        if one.keeps_from_running(real_pins=real_pins)
    ]
    if found:
        raise NeighbourError(refusal(own, found))


def refusal(own: Neighbour, found: Sequence[Collision]) -> str:
    """Why a station cannot run, as a message of some lines."""
    words = "".join(f"\n  {one.words}" for one in found)
    return (
        f"the station {own.station} ({own.file}) cannot run beside another one of this machine:"
        f"{words}\nGive each station its own, or stop the other one"
    )


def _turn_name() -> str:
    # Each user has one: in a folder for all, Linux lets nobody open the file of somebody else.
    return f"{_TURN}-{os.geteuid()}"


def _files(folder: Path) -> Iterator[Path]:
    try:
        yield from sorted(folder.glob(f"pilah-*{_SUFFIX}"))
    except OSError:  # of a service of another user
        return


def _read(path: Path) -> Neighbour | None:
    """What a file tells of a station that runs; None: it runs no more, or the file is none.

    Anybody may put a file into /dev/shm: only one of this user, of the superuser or of whom the
    folder belongs to is believed, as that of a service belongs to the service's user.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        believed = (0, os.geteuid(), path.parent.stat().st_uid)
        if os.fstat(descriptor).st_uid not in believed or not is_locked(descriptor):
            return None
        return _neighbour(json.loads(os.pread(descriptor, _LARGEST, 0)))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    finally:
        os.close(descriptor)


def _neighbour(read: Mapping[str, Any]) -> Neighbour:
    return Neighbour(
        str(read["station"]),
        str(read["file"]),
        tuple(
            Claim(
                str(each["what"]),
                str(each["where"]),
                shared_as=str(each["shared_as"]),
                kind=ClaimKind(each["kind"]),
            )
            for each in read["claims"]
        ),
        int(read["pid"]),
    )
