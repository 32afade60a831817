"""What a station needs for itself alone on its machine, and where two stations collide. Pure, but
for the links of devices, which are followed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from edge.config.checks import buses_in, pins_in
from edge.config.photographs import photographs_folder
from edge.config.station import StationConfig
from edge.core.yaml_file import YamlFile
from edge.core.yaml_messages import Location

_LEDGER = "ledger.path"


class ClaimKind(StrEnum):
    """What becomes of two stations of one machine that claim the same."""

    PART = "part"
    """The second one cannot run."""
    PIN = "pin"
    """The second one cannot run where the pins are real; mock pins are those of a process."""
    NAME = "name"
    """Both run, and nobody but their own files tells them apart."""
    PORT = "port"
    """Both run, and the pages or the figures of one of them cannot be served."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that a station needs for itself alone."""

    what: str
    """What it is, such as `GPIO 23`; the same for all stations of a machine."""
    where: str
    """The key of the station file that names it."""
    shared_as: str = ""
    """Stations may share it where all of them use it as this; empty: none may."""
    kind: ClaimKind = ClaimKind.PART

    def as_json(self) -> dict[str, str]:
        """For the file that other stations read."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A station on this machine, with what it claims."""

    station: str
    file: str
    """The path of its station file."""
    claims: tuple[Claim, ...]
    pid: int | None = None
    """Its process; None: it is not known to run."""

    def is_same_as(self, other: Neighbour) -> bool:
        """Whether it is the same station, in another process perhaps."""
        return self.station == other.station and self._ledger == other._ledger

    @property
    def _ledger(self) -> str | None:
        return next((one.what for one in self.claims if one.where == _LEDGER), None)

    @property
    def title(self) -> str:
        """How a person knows it: `cell-2 (/etc/pilah/second.yaml, process 812)`."""
        process = "" if self.pid is None else f", process {self.pid}"
        return f"{self.station} ({self.file}{process})"


@dataclass(frozen=True, slots=True)
class Collision:
    """Something that two stations claim."""

    mine: Claim
    other: Claim
    neighbour: Neighbour

    def keeps_from_running(self, *, real_pins: bool) -> bool:
        """Whether the second one of the two stations cannot run.

        Args:
            real_pins: whether their machine has real pins.
        """
        kinds = {self.mine.kind, self.other.kind}
        return ClaimKind.PART in kinds or (real_pins and ClaimKind.PIN in kinds)

    @property
    def words(self) -> str:
        """What collides, as a sentence without its end: `GPIO 23 (keep_alive.pin) is ...`."""
        also = "" if self.mine.where == self.other.where else f" as {self.other.where}"
        return (
            f"{self.mine.what} ({self.mine.where}) is needed by the station "
            f"{self.neighbour.title}{also}, too"
        )


def claims(config: StationConfig, content: dict[Any, Any]) -> tuple[Claim, ...]:
    """What the station of a station file claims.

    Args:
        config: the station.
        content: the file as it was read, in which pins are found wherever they are.
    """
    return tuple(_claims(config, content))


def _claims(config: StationConfig, content: dict[Any, Any]) -> Iterator[Claim]:
    # Its topics, its connection to a broker, and its rows in a database are called by it.
    kind = ClaimKind.NAME if config.publish is None else ClaimKind.PART
    yield Claim(f"the name {config.station}", "station", kind=kind)
    yield Claim(f"the ledger {_real(config.ledger.path)}", _LEDGER)
    if config.ledger.spill is not None and str(config.ledger.spill) != "none":
        yield Claim(f"the file {_real(Path(config.ledger.spill))}", "ledger.spill")
    if config.photographs is not None:
        folder = photographs_folder(config.photographs, config.ledger.path)
        yield Claim(f"the folder {_real(folder)}", "photographs")
    if (device := config.camera.device_name) is not None:
        yield Claim(f"the camera {device}", "camera")
    if (path := config.trigger.socket_path) is not None:
        yield Claim(f"the socket {_real(path)}", "trigger.path")
    if config.scanner is not None:
        yield Claim(f"the scanner {_real(config.scanner.path)}", "scanner.path")
    yield from _pin_claims(content)
    if config.web is not None:
        yield _port(config.web.listen.port, "web.listen")
    if config.publish is not None and config.publish.metrics is not None:
        yield _port(config.publish.metrics.listen.port, "publish.metrics.listen")


def _pin_claims(content: dict[Any, Any]) -> Iterator[Claim]:
    boards = set[str]()
    for location, name in pins_in(content, ()):
        kind, _, number = name.partition(" ")
        _, on, board = name.partition(" of the board ")
        if not on:
            what = f"GPIO {number}" if kind == "pin" else f"the PWM {name}"
            yield Claim(what, _key(location), kind=ClaimKind.PIN)
        elif board not in boards:  # two programs would set one board up differently
            boards.add(board)
            yield Claim(f"the board {board}", _key(location[:-1]), kind=ClaimKind.PIN)
    wires = {pin: location for location, pins in buses_in(content, ()) for pin in pins}
    for pin, location in wires.items():
        what, shared_as = f"GPIO {pin}", "a wire of an I2C bus"
        yield Claim(what, _key(location), shared_as=shared_as, kind=ClaimKind.PIN)


def _port(number: int, where: str) -> Claim:
    return Claim(f"the port {number}", where, kind=ClaimKind.PORT)


def _key(location: Location) -> str:
    return ".".join(map(str, location))


def _real(path: Path) -> Path:
    return path.resolve()


def neighbour_of(config: StationConfig, file: YamlFile) -> Neighbour:
    """The station of a station file."""
    return Neighbour(config.station, str(file.path.absolute()), claims(config, file.content))


def collisions(mine: Sequence[Claim], neighbour: Neighbour) -> tuple[Collision, ...]:
    """Where a station with the claims `mine` collides with another one."""
    theirs = {claim.what: claim for claim in neighbour.claims}
    return tuple(
        Collision(claim, other, neighbour)
        for claim in mine
        if (other := theirs.get(claim.what)) is not None
        and not (claim.shared_as and claim.shared_as == other.shared_as)
    )
