"""`pilah-edge trigger` shows what a station takes for items, before it has a bundle."""

from __future__ import annotations

import json
import queue
import signal
from pathlib import Path

import cv2
import pytest

from edge.cli import main
from edge.commands import trigger as command
from edge.core.errors import EXIT_CONFIG, EXIT_NO, EXIT_OK, EXIT_UNAVAILABLE, EXIT_USAGE
from edge.runtime.worker import Endings
from edge.vision.trigger import replay
from edge.vision.trigger.motion import Settings
from edge.vision.trigger.replay import Recording
from tests.edge.vision.trigger.scenes import Scene, Thing, travelling
from tests.edge.vision.trigger.test_replay import SCENE

STATION = """\
station: bin-1
camera: {kind: video, path: belt.avi, paced: false}
trigger: {kind: motion, min_gap: 0.01}
"""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One thing passes, and looks like two."""
    file = tmp_path_factory.mktemp("clip") / "belt.avi"
    # Not by FFmpeg, which takes its log level from whoever uses it first in a process.
    mjpeg = cv2.VideoWriter.fourcc(*"MJPG")
    video = cv2.VideoWriter(str(file), cv2.CAP_OPENCV_MJPEG, mjpeg, 15, (320, 240))
    for frame in SCENE.frames():
        video.write(frame.image)
    video.release()
    return file


@pytest.fixture
def station(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "station.yaml"
    file.write_text(STATION.replace("belt.avi", str(clip)), "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(replay, "CONTRASTS", ())  # to try fewer takes less long
    monkeypatch.setattr(replay, "MIN_GAPS", (0.3,))
    return file


def test_a_thing_in_pieces_is_told_and_values_that_join_it_are_proposed(
    station: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["trigger", "station.yaml", "--things", "1"]) == EXIT_NO
    out = capsys.readouterr().out
    assert out.startswith("1 thing, 2 items: cut in pieces, it seems (1 + 2 travel side by side)")
    (proposal,) = (line for line in out.splitlines() if line.startswith("proposed"))
    page = Path("trigger.html").read_text("utf-8")
    assert page.count("data:image/jpeg") > 2
    assert "close beside another item" in page

    line = proposal.partition(": ")[2]
    text = station.read_text("utf-8").splitlines()
    station.write_text("\n".join([*text[:2], line]), "utf-8")
    assert main(["trigger", "station.yaml", "--things", "1"]) == EXIT_OK
    assert capsys.readouterr().out.startswith("1 thing, 1 item: right")


def test_programs_get_what_every_value_gave(
    station: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["trigger", "station.yaml", "--json", "--out", "a.html"]) == EXIT_NO
    facts = json.loads(capsys.readouterr().out)
    assert (facts["things"], facts["items"], facts["pieces"], facts["page"]) == (
        None, 2, 1, "a.html",
    )  # fmt: skip
    assert facts["proposed"] in facts["tried"]
    assert facts["proposed"]["items"] == 1
    assert [other["min_gap"] for other in facts["tried"]] == [0.01, 0.3]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--things", "3"], "3 things, 2 items: cut in pieces, it seems"),
        (["--things", "2", "--seconds", "1.1"], "2 things, 0 items: too faint or too small"),
    ],
)
def test_a_wrong_count_is_a_no(
    station: Path, capsys: pytest.CaptureFixture[str], words: list[str], found: str
) -> None:
    assert main(["trigger", "station.yaml", *words]) == EXIT_NO
    assert capsys.readouterr().out.startswith(found)


@pytest.mark.parametrize(
    ("text", "words", "code", "said"),
    [
        (
            "{kind: continuous}",
            [],
            EXIT_USAGE,
            "in the picture, so there is nothing to set",
        ),
        ("{kind: motion, min_gab: 1}", [], EXIT_CONFIG, "Did you mean min_gap?"),
        ("{kind: motion}", ["--seconds", "0"], EXIT_USAGE, "--seconds must be 1 to 600"),
        ("{kind: motion}", ["--out", "a.png"], EXIT_USAGE, "--out must end with .html"),
    ],
)
def test_what_cannot_be_done_is_told_before_the_camera_is_opened(
    station: Path,
    capsys: pytest.CaptureFixture[str],
    text: str,
    words: list[str],
    code: int,
    said: str,
) -> None:
    lines = station.read_text("utf-8").replace("{kind: motion, min_gap: 0.01}", text)
    station.write_text(lines, "utf-8")
    assert main(["trigger", "station.yaml", *words]) == code
    assert said in capsys.readouterr().err
    assert not Path("trigger.html").exists()


def test_a_camera_without_pictures_is_told(
    station: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "frames").mkdir()
    (tmp_path / "frames" / "1.png").write_bytes(b"no picture")
    station.write_text(
        "station: a\ncamera: {kind: folder, path: frames}\ntrigger: {kind: motion}\n", "utf-8"
    )
    assert main(["trigger", "station.yaml"]) == EXIT_UNAVAILABLE
    assert "it gave no picture that can be used" in capsys.readouterr().err


def test_what_is_found_is_told_by_how_many_passed() -> None:
    recording = Recording()
    things = (Thing(travelling(start=1.2, pace=150)), Thing(travelling(start=2.4, pace=150)))
    for frame in Scene(5, things).frames():
        recording.add(frame)
    look = recording.look(Settings(kind="motion"))
    said = {number: command._finding(look, recording, number) for number in (None, 1, 2, 3)}
    assert said[None].startswith("2 items. ")
    assert "1 thing, 2 items: cut in pieces, or something else moves in the region" in said[1]
    assert "2 things, 2 items: right" in said[2]
    assert "3 things, 2 items: too faint or too small" in said[3]
    assert command._advice(look, None, None) == [
        "say with --things how many passed, and the count is checked"
    ]
    assert command._advice(look, None, 2) == []


def test_a_signal_ends_the_watching() -> None:
    endings: Endings = queue.SimpleQueue()
    assert not command._told_to_stop(endings)
    endings.put(signal.SIGINT)
    assert command._told_to_stop(endings)
