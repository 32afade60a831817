"""Stations of one machine see one another, and one that would take something does not start."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from edge.core.errors import NeighbourError
from edge.neighbours.claims import Claim, ClaimKind, Neighbour
from edge.neighbours.running import OwnClaims, RunsAlreadyError, claimants, running_neighbours

CAMERA, PIN = Claim("the camera 0", "camera"), Claim("GPIO 23", "lanes", kind=ClaimKind.PIN)
NAME, PORT = (
    Claim("the name cell", "station", kind=ClaimKind.NAME),
    Claim("the port 80", "web", kind=ClaimKind.PORT),
)
Begin = Callable[..., OwnClaims]


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    """Begins a station with a name and claims."""
    with ExitStack() as opened:

        def beginning(name: str, *claims: Claim, real_pins: bool = True) -> OwnClaims:
            ledger = Claim(f"the ledger /{name}", "ledger.path")
            own = Neighbour(name, f"/etc/pilah/{name}.yaml", (ledger, *claims))
            return opened.enter_context(
                OwnClaims(
                    own, Path(f"/{name}"), real_pins=real_pins, environment={},
                    memory=tmp_path, service=tmp_path / "service",
                )
            )  # fmt: skip

        yield beginning


def running(folder: Path) -> list[str]:
    found = running_neighbours(environment={}, memory=folder, service=folder / "service")
    return [one.station for one in found]


def test_a_station_is_seen_as_long_as_it_runs(begin: Begin, tmp_path: Path) -> None:
    first = begin("cell-1", CAMERA, PIN)
    begin("cell-2")
    assert running(tmp_path) == ["cell-1", "cell-2"]
    first.close()
    first.close()
    assert running(tmp_path) == ["cell-2"]
    begin("cell-3", CAMERA, PIN)


def test_one_that_needs_the_same_does_not_start_and_both_are_named(begin: Begin) -> None:
    begin("cell-1", CAMERA, PIN)
    with pytest.raises(NeighbourError) as told:
        begin("cell-2", CAMERA, PIN)
    assert str(told.value) == (
        "the station cell-2 (/etc/pilah/cell-2.yaml) cannot run beside another one of this "
        "machine:\n"
        "  the camera 0 (camera) is needed by the station cell-1 (/etc/pilah/cell-1.yaml, process "
        f"{os.getpid()}), too\n"
        "  GPIO 23 (lanes) is needed by the station cell-1 (/etc/pilah/cell-1.yaml, process "
        f"{os.getpid()}), too\n"
        "Give each station its own, or stop the other one"
    )


def test_mock_pins_a_name_that_nobody_hears_of_and_ports_keep_nobody_from_sorting(
    begin: Begin,
) -> None:
    begin("cell-1", PIN, NAME, PORT, real_pins=False)
    begin("cell-2", PIN, NAME, PORT, real_pins=False)
    with pytest.raises(NeighbourError, match="the name cell"):
        begin("cell-3", Claim("the name cell", "station"))


def test_what_a_killed_station_left_counts_for_nothing(begin: Begin, tmp_path: Path) -> None:
    begin("cell-1", CAMERA).close()
    left = {"station": "cell-1", "file": "f", "pid": 1, "claims": [CAMERA.as_json()]}
    (tmp_path / "pilah-cell-1-abc.claims").write_text(json.dumps(left))
    assert running(tmp_path) == []
    begin("cell-2", CAMERA)


def test_the_same_station_again_is_refused_before_it_opens_anything(
    begin: Begin, tmp_path: Path
) -> None:
    first = begin("cell-1", CAMERA)
    with pytest.raises(RunsAlreadyError, match=rf"runs already: .*process {os.getpid()}\)\. Stop"):
        begin("cell-1", CAMERA)
    assert running(tmp_path) == ["cell-1"]
    first.close()
    begin("cell-1", CAMERA)


def test_who_has_a_port_is_known_but_for_the_station_that_asks(
    begin: Begin, tmp_path: Path
) -> None:
    begin("cell-1", PORT)

    def asked(ledger: str) -> list[str]:
        found = claimants(
            "the port 80", besides=Path(ledger), environment={}, memory=tmp_path, service=tmp_path
        )
        return [one.station for one in found]

    assert asked("/cell-2") == ["cell-1"]
    assert asked("/cell-1") == []


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'{"station": 1}', b"\xff"])
def test_what_is_no_such_file_is_ignored(begin: Begin, tmp_path: Path, raw: bytes) -> None:
    own = begin("cell-1", CAMERA)
    assert own._descriptor >= 0
    os.ftruncate(own._descriptor, 0)
    os.pwrite(own._descriptor, raw, 0)
    assert running(tmp_path) == []


def test_where_there_is_no_folder_it_is_said_and_it_sorts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    own, none = Neighbour("cell-1", "f", (CAMERA,)), tmp_path / "none"
    with OwnClaims(own, Path("/l"), real_pins=True, environment={}, memory=none, service=none):
        assert "other stations of this machine are not seen" in caplog.text
