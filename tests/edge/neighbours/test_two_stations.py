"""Two stations that really run on one machine, and a third one that would take something."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from edge.cli import main
from edge.core.errors import EXIT_NO, EXIT_OK, EXIT_UNAVAILABLE
from tests.edge.stations import RUN, STATION, make_station

KEPT = "photographs: {items: all, path: %s}\n"


def make(folder: Path, name: str, bundle: Path, photographs: Path) -> str:
    text = STATION.replace("station: bin-1", f"station: {name}")
    text = text.replace("frames_per_second: 1000", "frames_per_second: 50, loop: true")
    return str(make_station(folder, text=text + KEPT % photographs, bundle=bundle))


def count(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as reader:
        return int(reader.execute("SELECT count(*) FROM items").fetchone()[0])


def test_two_stations_sort_at_once_and_one_that_shares_a_folder_with_one_does_not_start(
    tmp_path: Path, tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = [tmp_path / name for name in ("one", "two", "three")]
    one, two, three = (
        make(folder, f"cell-{number}", tiny_bundle, tmp_path / f"kept-{min(number, 2)}")
        for number, folder in enumerate(folders, 1)
    )
    with subprocess.Popen(
        [*RUN, one], stdout=subprocess.PIPE, text=True,
        stderr=subprocess.DEVNULL,
    ) as first, subprocess.Popen(
        [*RUN, two], stdout=subprocess.PIPE, text=True,
        stderr=subprocess.DEVNULL,
    ) as second:  # fmt: skip
        try:
            for process in (first, second):
                assert process.stdout is not None
                assert process.stdout.readline()  # a verdict, which is written down
            assert main(["run", three, "--max-items", "1"]) == EXIT_UNAVAILABLE
            said = capsys.readouterr().err
            assert f"the station cell-3 ({three}) cannot run beside another one" in said
            assert f"the folder {tmp_path / 'kept-2'} (photographs) is needed by the" in said
            assert f"station cell-2 ({two}, process {second.pid}), too" in said
            assert not (folders[2] / "ledger.sqlite").exists()
            assert main(["doctor", three]) == EXIT_NO
            assert f"bad      neighbours the folder {tmp_path}" in capsys.readouterr().out
            for station, process in ((one, first), (two, second)):
                while main(["status", station, "--json"]) != EXIT_OK:  # held up for 5 seconds
                    capsys.readouterr()
                assert json.loads(capsys.readouterr().out)["status"]["pid"] == process.pid
        finally:
            first.send_signal(signal.SIGTERM)
            second.send_signal(signal.SIGTERM)
        assert (first.wait(), second.wait()) == (EXIT_OK, EXIT_OK)
    assert count(folders[0]) > 0
    assert count(folders[1]) > 0


def test_what_collides_is_said_beforehand(
    tmp_path: Path, tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = (
        make(tmp_path / name, name, tiny_bundle, tmp_path / "kept") for name in ("cell-1", "cell-2")
    )
    assert main(["check", one, two]) == EXIT_NO
    out = capsys.readouterr().out.splitlines()
    assert [line for line in out if line.startswith("collision")] == [
        f"collision  cell-2 ({two}): {what} is needed by the station cell-1 ({one}), too"
        for what in (
            f"the folder {tmp_path / 'kept'} (photographs)",
            "GPIO 18 (lanes.warm.actuator.pin)",
            "GPIO 23 (lanes.cold.actuator.pin)",
        )
    ]
    assert main(["check", one, two, "--json"]) == EXIT_NO
    *facts, beside = map(json.loads, capsys.readouterr().out.splitlines())
    assert [found["station"] for found in facts] == ["cell-1", "cell-2"]
    assert not beside["beside_one_another"]
    assert beside["collisions"][1] == {
        "what": "GPIO 18", "stations": ["cell-1", "cell-2"], "station_files": [one, two],
        "keys": ["lanes.warm.actuator.pin"] * 2,
    }  # fmt: skip
    for number, old in ((5, 18), (6, 23)):
        text = Path(two).read_text("utf-8").replace(f"pin: {old}", f"pin: {number}")
        Path(two).write_text(text.replace(f"{tmp_path / 'kept'}", "mine"), "utf-8")
    assert main(["check", one, two]) == EXIT_OK
    assert "together   cell-1, cell-2: nothing collides" in capsys.readouterr().out
