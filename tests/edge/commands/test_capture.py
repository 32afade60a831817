"""`pilah-edge capture`: at a terminal, with a button, from a pipe, and when words do not fit."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from edge.cli import main
from edge.commands import capture
from edge.core.dataset import read_picture_set
from edge.core.dataset.photo_folder import FACTS
from edge.core.errors import EXIT_CONFIG, EXIT_DATA, EXIT_IO, EXIT_OK, EXIT_USAGE
from edge.pins.pins import open_pins
from edge.vision import trigger
from tests.bundles import BGR, write_picture
from tests.edge.samples import test_capture

STATION = """\
station: bin-1
camera: {kind: folder, path: frames, frames_per_second: 200, loop: true}
trigger: {kind: continuous}
"""


@pytest.fixture
def station(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A station file at step one, in the folder that the command is called in."""
    write_picture(tmp_path / "frames" / "1.png", BGR["red"])
    file = tmp_path / "station.yaml"
    file.write_text(STATION, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", None)
    return file


@pytest.fixture
def belt(station: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same with a trigger that finds the items in drawn frames: two pass."""
    monkeypatch.setitem(trigger.KINDS, "drawn", "tests.edge.vision.drawn_trigger")
    (station.parent / "frames" / "1.png").unlink()
    none = test_capture.NONE
    images = [test_capture.frame(left) for left in (none, 20, 85, none, 80, 150, none)]
    for number, image in enumerate(images):
        test_capture.cv2.imwrite(str(station.parent / "frames" / f"{number}.png"), image)
    text = STATION.replace("continuous", "drawn").replace("loop: true", "loop: false")
    station.write_text(text, "utf-8")
    return station


class Terminal:
    """The command at a terminal of its own."""

    def __init__(self, folder: Path, *words: str) -> None:
        self._ours, theirs = pty.openpty()
        root = Path(__file__).parents[3]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "edge", "capture", *words],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(root)},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        self.text = ""

    def wait_for(self, text: str) -> None:
        """Reads until `text` was shown since the last call."""
        while text not in self.text:
            assert self._read(), f"it ended before it showed this: {self.text[-500:]!r}"
        self.text = self.text.partition(text)[2]

    def press(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def end(self) -> tuple[int, str]:
        """(exit code, what was shown since the last call)."""
        while self._read():
            pass
        return self.process.wait(), self.text.replace("\r\n", "\n")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)

    def _read(self) -> bool:
        try:
            received = os.read(self._ours, 65536)
        except OSError:  # it ended, and its terminal is gone
            received = b""
        self.text += received.decode()
        return bool(received)


@pytest.fixture
def terminal(station: Path) -> Iterator[Terminal]:
    running = Terminal(station.parent, "station.yaml", "--label", "can", "--label", "empty")
    yield running
    running.close()


def test_a_sitting_at_a_terminal(terminal: Terminal, station: Path) -> None:
    terminal.wait_for("keys: space takes a picture, 1 to 2 and n change the label, d deletes")
    terminal.wait_for("[can 0]  empty 0")
    terminal.press(" ")
    terminal.wait_for("[can 1]  empty 0")
    terminal.press("  ")
    terminal.wait_for("[can 3]")
    terminal.press("d")
    terminal.wait_for("deleted photos/can/")
    terminal.wait_for("[can 2]")
    terminal.press("2")
    terminal.wait_for("can 2  [empty 0]")
    terminal.press(" ")
    terminal.wait_for("can 2  [empty 1]")
    terminal.press("q")
    code, shown = terminal.end()
    assert code == EXIT_OK
    assert "taken: 3\n" in shown
    assert re.search(r"can +2 +98 more make a good start\n +empty +1 +99 more", shown)
    assert "contact sheet: photos.html" in shown
    assert (station.parent / "photos.html").read_text("utf-8").count("<img ") == 3
    found = read_picture_set(station.parent / "photos")
    assert [picture.label for picture in found.pictures] == ["can", "can", "empty"]


def test_ctrl_c_ends_it_like_q(terminal: Terminal) -> None:
    terminal.wait_for("[can 0]")
    terminal.press(" ")
    terminal.wait_for("[can 1]")
    terminal.process.send_signal(signal.SIGINT)
    code, shown = terminal.end()
    assert "stopping: SIGINT" in shown
    assert "contact sheet: photos.html" in shown
    assert code == EXIT_OK


def test_keys_come_from_a_pipe_too(
    station: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    read, write = os.pipe()
    os.write(write, b"  ")
    os.close(write)
    with os.fdopen(read, encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        assert main(["capture", str(station), "--label", "can"]) == EXIT_OK
    said = capsys.readouterr().err
    assert "taken: 2\n" in said
    assert "the keyboard input has ended" in said
    assert "\x1b" not in said, "plain lines where there is no terminal"
    assert "next: take pictures of another --label" in said


def test_items_are_cut_out_and_it_is_written_down(
    belt: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["capture", str(belt), "--label", "can", "--items"]) == EXIT_OK
    assert "pictures show items cut out with 0.1 of padding" in capsys.readouterr().err
    assert len(list((belt.parent / "photos" / "can").iterdir())) == 2
    assert '"item"' in (belt.parent / "photos" / FACTS).read_text("utf-8")


def test_items_and_whole_regions_are_not_mixed(
    belt: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["capture", str(belt), "--label", "can", "--items"]
    assert main(words) == EXIT_OK
    assert main([*words, "--whole-region"]) == EXIT_DATA
    said = capsys.readouterr().err
    assert "its 2 pictures show items cut out" in said
    assert main([*words, "--whole-region", "--out", "regions"]) == EXIT_OK


def test_with_enough_of_each_it_says_how_to_go_on(
    station: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capture, "GOOD_START", 2)
    for label in ("can", "bottle"):
        words = ["capture", str(station), "--label", label, "--every", "0.001", "--count", "2"]
        assert main(words) == EXIT_OK
    said = capsys.readouterr().err
    assert said.endswith("next: pilah-trainer train mobilenet_v2 --data photos --out run\n")


def test_a_slip_in_a_label_is_pointed_out(
    station: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["capture", str(station), "--every", "0.001", "--count", "1", "--label"]
    for label in ("bottle", "empty", "botle"):
        assert main([*words, label]) == EXIT_OK
    said = capsys.readouterr().err
    assert said.count("is a new label") == 1
    assert "'botle' is a new label, beside bottle, empty. Did you mean bottle?" in said


@pytest.mark.parametrize(
    ("words", "code", "problem"),
    [
        (["--label", "empty", "--items"], EXIT_USAGE, "is for pictures with none"),
        (["--label", "can", "--items"], EXIT_USAGE, "every frame is an item"),
        (
            ["--label", "can", "--items", "--every", "1"],
            EXIT_USAGE,
            "use either --items or these options",
        ),
        (
            ["--label", "can", "--items", "--button", "4"],
            EXIT_USAGE,
            "use either --items or these options",
        ),
        (["--label", "can", "--whole-region"], EXIT_USAGE, "--whole-region needs --items"),
        (["--label", "a/b"], EXIT_DATA, "rename"),
        (["--label", "can", "--out", "station.yaml"], EXIT_IO, "cannot create station.yaml"),
    ],
)
def test_words_that_do_not_fit_together(
    station: Path,
    words: list[str],
    code: int,
    problem: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["capture", str(station), *words]) == code
    assert problem in capsys.readouterr().err
    assert not (station.parent / "photos").exists()


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ([], "required: --label"),
        (["--label"], "expected one argument"),
        (["--label", "a", "--count", "0"], "must be 1 or more. Received: 0"),
        (["--label", "a", "--every", "0"], "must be seconds, more than 0. Received: 0"),
        (["--label", "a", "--every", "soon"], "must be seconds, more than 0. Received: soon"),
        (["--label", "a", "--button", "28"], "28: header pin 28 is GPIO 1: if"),
        (["--label", "a", "--button", "BOARD12"], "header pin 12 is GPIO 18"),
        (["--label", "a", "--button", "B"], "must be a BCM number, 0 to 27. Received"),
    ],
)
def test_words_that_are_refused_outright(
    station: Path, words: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ending:
        main(["capture", str(station), *words])
    assert ending.value.code == EXIT_USAGE
    assert problem in capsys.readouterr().err


def test_a_station_file_with_mistakes_is_refused(
    station: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    station.write_text(STATION + "regoin: {width: 10, height: 10}\n", "utf-8")
    assert main(["capture", str(station), "--label", "can"]) == EXIT_CONFIG
    assert "station.yaml:4: regoin: unknown key. Did you mean region?" in capsys.readouterr().err


def test_a_button_takes_pictures(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pins = open_pins(tmp_path / "no board")
    monkeypatch.setattr("edge.pins.pins.open_pins", lambda: pins)
    with ExitStack() as parts:
        pressed = capture._button(17, parts)
        pin = pins.factory.pin(17)
        assert pin.pull == "up", "the button's other leg is on ground"
        found = [pressed()]
        for _ in range(2):
            pin.drive_low()
            pin.drive_high()
            found.append(pressed())
        assert found == [None, " ", " "]
        assert pressed() is None


def test_pictures_worth_another_look_come_with_a_headline_and_unreadable_ones_are_left_out(
    station: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_picture(station.parent / "frames" / "1.png", (2, 2, 2))  # as good as black
    words = ["capture", "station.yaml", "--label", "can", "--every", "0.01", "--count", "2"]
    assert main(words) == EXIT_OK
    assert "2 pictures are worth another look" in Path("photos.html").read_text()
    first, _ = sorted(Path("photos/can").iterdir())
    first.write_bytes(b"no picture")
    capsys.readouterr()
    assert main([*words[:-1], "1"]) == EXIT_OK
    assert f"unreadable: {first}" in capsys.readouterr().err


def test_a_folder_with_pictures_that_were_taken_otherwise_is_told(
    station: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_picture(Path("photos/can/holiday.png"), BGR["blue"])
    words = ["capture", "station.yaml", "--label", "can", "--every", "0.01", "--count", "1"]
    assert main(words) == EXIT_OK
    assert "has pictures that were taken in another way" in capsys.readouterr().err
