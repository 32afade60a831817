"""`pilah-edge doctor`: what it says of deliveries, photographs and the disks that they are on."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.commands.telemetry import records
from edge.core.errors import EXIT_NO, EXIT_OK, StorageError
from edge.telemetry import host
from edge.telemetry.disks import Disk
from tests.edge.commands.telemetry.test_doctor import doctor
from tests.edge.receiving.goods_lists import counting
from tests.edge.samples.test_photograph_store import NOON, add, store
from tests.edge.stations import STATION, make_station

PHOTOGRAPHS = STATION + "photographs: {path: kept, megabytes: 1}\n"


def lines_about(part: str, out: str) -> list[str]:
    return [line for line in out.splitlines() if f" {part} " in line]


def test_photographs_are_looked_at_and_nothing_is_made(
    tmp_path: Path, tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    station = make_station(tmp_path, text=PHOTOGRAPHS, bundle=tiny_bundle)
    code, out = doctor(station, capsys)
    kept = tmp_path / "kept"
    (line,) = lines_about("photographs", out)
    assert line == f"ok       photographs {kept}, 0 of 1 MB, which `run` makes"
    assert not kept.exists()
    with store(kept) as photographs:
        add(photographs, [NOON], size=500_000)
        code, out = doctor(station, capsys)  # while a station runs
    assert (code, lines_about("photographs", out)) == (
        EXIT_OK, [f"ok       photographs {kept}, {0.5:,.0f} of 1 MB"]
    )  # fmt: skip


def shut(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    access = os.access
    folder.mkdir()
    monkeypatch.setattr(
        os, "access", lambda path, mode: Path(path) != folder and access(path, mode)
    )


def full(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "room_left", lambda place: -1.0)


def scarce(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "room_left", lambda place: 300_000.0)


def unmounted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "missing_disk", lambda path: Path("/media/usb"))


def forgetful(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "missing_disk", lambda path: None)
    monkeypatch.setattr(host, "disk_of", lambda path: Disk(Path("/tmp"), "tmpfs"))


@pytest.mark.parametrize(
    ("harm", "state", "says"),
    [
        (shut, "bad", "this user may not write in "),
        (full, "bad", "of its disk are free: none is added until there is room"),
        (scarce, "warning", "and there is room for 0 more: lower `megabytes`"),
        (unmounted, "warning", "but no disk is mounted at /media/usb: it is on the disk of /"),
        (forgetful, "warning", "which is in memory: it is gone when the machine is switched off"),
    ],
)
def test_what_is_wrong_with_the_folder_of_photographs_is_told(
    harm: Callable[[Path, pytest.MonkeyPatch], None],
    state: str,
    says: str,
    tmp_path: Path,
    tiny_bundle: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    station = make_station(tmp_path, text=PHOTOGRAPHS, bundle=tiny_bundle)
    harm(tmp_path / "kept", monkeypatch)
    code, out = doctor(station, capsys)
    (line,) = lines_about("photographs", out)
    assert line.startswith(state)
    assert says in line
    assert code == (EXIT_NO if state == "bad" else EXIT_OK)


def test_a_folder_of_photographs_whose_disk_is_not_there_is_bad(
    tmp_path: Path, tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = PHOTOGRAPHS.replace("path: kept", "path: usb/kept")
    code, out = doctor(make_station(tmp_path, text=text, bundle=tiny_bundle), capsys)
    assert code == EXIT_NO
    assert f"bad      photographs the folder {tmp_path / 'usb'} is not there" in out


def test_the_ledgers_disk_is_looked_at_too(
    tmp_path: Path,
    tiny_bundle: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unmounted(tmp_path, monkeypatch)
    code, out = doctor(make_station(tmp_path, bundle=tiny_bundle), capsys)
    assert code == EXIT_OK
    (line,) = lines_about("disk", out)
    assert line.startswith("warning")
    assert "no disk is mounted at /media/usb" in line


@pytest.mark.parametrize(
    ("deliveries", "line"),
    [
        ("none", "ok       deliveries {}, which `run` makes"),
        ("damaged", "bad      deliveries cannot open the file of deliveries {}: "),
        ("counting", "ok       deliveries {}, D1 is being counted"),
        ("closed", "ok       deliveries {}, no delivery is open"),
    ],
)
def test_the_file_of_deliveries_is_looked_at(
    deliveries: str,
    line: str,
    tmp_path: Path,
    tiny_bundle: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = STATION + "receiving: {path: deliveries.sqlite}\n"
    path = tmp_path / "deliveries.sqlite"
    if deliveries == "damaged":
        path.write_bytes(b"this is no database" * 100)
    elif deliveries != "none":
        with counting(tmp_path) as desk:
            if deliveries == "closed":
                desk.close("D1", as_counted=True, back_order=False)
    code, out = doctor(make_station(tmp_path, text=text, bundle=tiny_bundle), capsys)
    (found,) = lines_about("deliveries", out)
    assert found.startswith(line.format(path))
    assert code == (EXIT_NO if deliveries == "damaged" else EXIT_OK)


def test_a_file_of_deliveries_that_may_not_be_written_is_told(
    tmp_path: Path,
    tiny_bundle: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path, access = tmp_path / "deliveries.sqlite", os.access
    path.touch()
    monkeypatch.setattr(os, "access", lambda place, mode: place != path and access(place, mode))
    text = STATION + "receiving: {path: deliveries.sqlite}\n"
    code, out = doctor(make_station(tmp_path, text=text, bundle=tiny_bundle), capsys)
    assert code == EXIT_NO
    (line,) = lines_about("deliveries", out)
    assert line.startswith(f"bad      deliveries {path}, which this user may not write")


def test_a_spill_that_cannot_be_read_is_told(
    tmp_path: Path, tiny_bundle: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def unreadable(path: Path) -> int:
        raise StorageError(f"cannot read {path}: Input/output error")

    monkeypatch.setattr(records, "spilled_rows", unreadable)
    text = STATION.replace("ledger.sqlite}", "ledger.sqlite, spill: spill}")
    _, out = doctor(make_station(tmp_path, text=text, bundle=tiny_bundle), capsys)
    said = f"warning  ledger     cannot read {tmp_path / 'spill'}: Input/output error"
    assert any(line.startswith(said) for line in lines_about("ledger", out))


def test_photographs_that_cannot_be_read_are_told(
    tmp_path: Path, tiny_bundle: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def failing(folder: Path) -> int:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(records, "held_bytes", failing)
    code, out = doctor(make_station(tmp_path, text=PHOTOGRAPHS, bundle=tiny_bundle), capsys)
    (line,) = lines_about("photographs", out)
    assert code == EXIT_NO
    said = f"bad      photographs {tmp_path} cannot be read: Input/output error: none is kept until"
    assert line.startswith(said)


@pytest.mark.parametrize("missing", [True, False])
def test_the_secrets_of_those_who_are_told_must_be_readable(
    missing: bool, tmp_path: Path, tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = STATION + (
        "publish:\n"
        "  mqtt: {host: broker, username: bin-1, password_file: secret}\n"
        "  inventree: {url: 'https://inventree', token_file: token}\n"
    )
    (tmp_path / "token").write_text("t0ken\n")
    if not missing:
        (tmp_path / "secret").write_text("secret\n")
    code, out = doctor(make_station(tmp_path, text=text, bundle=tiny_bundle), capsys)
    (line,) = lines_about("publish", out)
    if missing:
        wrong = f"this user cannot read publish.mqtt.password_file {tmp_path / 'secret'}: run this"
        assert (code, line.startswith(f"bad      publish    {wrong}")) == (EXIT_NO, True)
    else:
        assert (code, line.startswith("ok       publish    to mqtt and inventree;")) == (
            EXIT_OK, True
        )  # fmt: skip
