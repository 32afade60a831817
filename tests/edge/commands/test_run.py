from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import uuid
from contextlib import closing, suppress
from dataclasses import asdict
from pathlib import Path

import pytest

from edge.cli import main
from edge.core.errors import EXIT_CONFIG, EXIT_IO, EXIT_OK
from edge.events import Event
from edge.ledger import recorder
from edge.ledger.ledger import Ledger
from tests.edge.stations import PATIENT, RUN, STATION, make_station

pytestmark = pytest.mark.usefixtures("ledger_within")

# Runs a station in a process of its own, tells each change of a pin, and at the end their states.
SCRIPT = """
import json, re, sys
from pathlib import Path
from gpiozero.pins import mock
from edge.cli import main

made = []

class ToldPin(mock.MockPWMPin):
    def __init__(self, factory, info):
        super().__init__(factory, info)
        made.append(self)

    def _change_state(self, value):
        print(f"pin {self.info.name} {value:g}", flush=True)
        return super()._change_state(value)

mock.MockPWMPin = ToldPin
code = main(["run", *sys.argv[1:]])
status = Path("/proc/self/status").read_text()
print(json.dumps({
    "code": code,
    "pins": {pin.info.name: [state.state for state in pin.states] for pin in made},
    "megabytes": int(re.search(r"VmHWM:\\s+(\\d+)", status)[1]) * 1024 / 1e6,
    "tensorflow": "tensorflow" in sys.modules,
}))
"""


def test_a_run_prints_a_line_for_each_verdict_and_a_summary(
    tmp_path: Path, tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    station = make_station(tmp_path, bundle=tiny_bundle)
    (tmp_path / "photos" / "3.jpg").write_bytes(b"")
    assert main(["run", str(station)]) == EXIT_OK
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert len(lines) == 4
    assert "0.png  red 9" in lines[0]
    assert "-> warm" in lines[0]
    assert "3.jpg  -  -> rest  reject: unreadable" in lines[3]
    assert "items      4" in printed.err
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        assert len(list(ledger.entries())) == 4


def test_for_programs_each_item_is_an_object_on_a_line(
    tmp_path: Path, tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    station = make_station(tmp_path, bundle=tiny_bundle)
    assert main(["run", str(station), "--json"]) == EXIT_OK
    printed = capsys.readouterr()
    rows = [json.loads(line) for line in printed.out.splitlines()]
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        assert rows == [asdict(entry) for entry in ledger.entries()]
    assert {uuid.UUID(row["id"]).version for row in rows} == {7}
    assert [(row["label"], row["lane"], row["accepted"]) for row in rows] == [
        ("red", "warm", True),
        ("green", "rest", True),
        ("blue", "cold", True),
    ]


def test_a_wrong_station_file_is_refused_before_anything_is_opened(
    tmp_path: Path, tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = STATION.replace("pin: 23", "pin: 18")
    assert main(["run", str(make_station(tmp_path, text=text, bundle=tiny_bundle))]) == EXIT_CONFIG
    assert "station.yaml:11: " in capsys.readouterr().err
    assert not (tmp_path / "ledger.sqlite").exists()


def test_lost_rows_make_the_exit_code(
    tmp_path: Path,
    tiny_bundle: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def lose(self: recorder.Recorder, row: Event) -> None:
        self._losses.items = 2

    monkeypatch.setattr(recorder.Recorder, "offer", lose)
    station = make_station(tmp_path, bundle=tiny_bundle)
    assert main(["run", str(station)]) == EXIT_IO
    assert "LOST       2 rows" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_process_cleanly_with_its_pins_at_rest(
    number: signal.Signals, tmp_path: Path, tiny_bundle: Path
) -> None:
    text = STATION.replace("hold_seconds: 0.1", "hold_seconds: 50")
    text = text.replace("pin: 23,", "pin: 23, max_on_seconds: 50,")
    text = text.replace("second: 1000", "second: 100, loop: true")
    station = make_station(tmp_path, text=text, bundle=tiny_bundle)
    with subprocess.Popen(
        [sys.executable, "-c", PATIENT + SCRIPT, str(station)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line == "pin GPIO23 1\n":  # the solenoid has current, and would have for long
                break
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    told = json.loads(out.splitlines()[-1])
    assert told["code"] == EXIT_OK
    assert told["pins"]["GPIO23"] == [0, 1, 0]
    assert told["pins"]["GPIO18"][-2:] == pytest.approx([1.5 / 20, 0])
    assert f"stopping: {number.name}" in err
    assert "items " in err


def test_a_run_needs_little_memory_and_no_tensorflow(tmp_path: Path, tiny_bundle: Path) -> None:
    station = make_station(tmp_path, bundle=tiny_bundle)
    found = subprocess.run(
        [sys.executable, "-c", PATIENT + SCRIPT, str(station)],
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(found.stdout.splitlines()[-1])
    assert not told["tensorflow"]
    assert told["megabytes"] < 130


@pytest.mark.parametrize("count", ["0", "-1", "many"])
def test_a_number_of_items_must_be_one(count: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["run", "station.yaml", "--max-items", count])
    assert caught.value.code == 2
    assert "--max-items" in capsys.readouterr().err


def test_what_was_planned_when_the_power_failed_is_told_as_not_known(tmp_path: Path) -> None:
    text = STATION.replace("hold_seconds: 0.1}", "hold_seconds: 10, max_on_seconds: 50}")
    text = text.replace("labels: [blue]", "labels: [blue]\n    delay_seconds: 50")
    file = make_station(tmp_path, text=text)
    with subprocess.Popen(
        [*RUN, str(file)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        for _ in range(3):
            assert process.stdout.readline()  # shown, so written
        with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as reader, reader:
            # What moved may be written down a moment later; on a busy machine, so may all rows.
            moved = False
            while not moved:
                assert process.poll() is None
                with suppress(sqlite3.OperationalError):
                    moved = bool(reader.execute("SELECT * FROM actuations").fetchall())
            process.kill()
            found = reader.execute("SELECT label, lane, actuation, missed FROM outcomes")
            assert found.fetchall() == [
                ("red", "warm", "moved", None),
                ("green", "rest", "none", None),
                ("blue", "cold", "planned", None),
            ]
        reader.close()
