"""`pilah-edge roi` shows a station's region before anything else of the station is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import pytest

from edge.cli import main
from edge.core.errors import EXIT_CONFIG, EXIT_IO, EXIT_NO, EXIT_OK, EXIT_UNAVAILABLE, EXIT_USAGE
from edge.core.images.image_file import read_image
from edge.core.images.preprocess import InputSpec
from edge.core.model.bundle import read_bundle
from edge.flow import Frame, PictureFault, PictureFaultKind
from edge.vision import camera
from edge.vision.camera import Camera, CameraSettings
from edge.vision.camera.scene_reference import read_reference
from edge.vision.camera.settled import SettledFrame
from edge.vision.region_picture import _RULER
from tests.bundles import BGR, make_bundle, write_picture
from tests.edge.vision.camera.test_scene_checks import PLAIN, SCENE

STATION = """\
station: bin-1
camera: {kind: folder, path: frames}
region: {left: 20, top: 10, width: 60, height: 40}
trigger: {kind: continuous}
"""


@pytest.fixture
def station(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_picture(tmp_path / "frames" / "1.png", BGR["red"])  # 90x60
    file = tmp_path / "station.yaml"
    file.write_text(STATION, "utf-8")
    monkeypatch.chdir(tmp_path)
    return file


def test_it_writes_the_picture_and_the_line_of_the_region(
    station: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["roi", "station.yaml"]) == EXIT_OK
    said = capsys.readouterr()
    assert said.out == "region: {left: 20, top: 10, width: 60, height: 40}\n"
    assert "roi.jpg: the camera's picture, 90x60 pixels" in said.err
    assert read_image(Path("roi.jpg")).shape == (60 + _RULER, 90 + _RULER, 3)


def test_another_region_can_be_tried(station: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = station.read_bytes()
    assert main(["roi", "station.yaml", "--region", "0,0,90,60", "--out", "b.png"]) == EXIT_OK
    assert capsys.readouterr().out == "region: {left: 0, top: 0, width: 90, height: 60}\n"
    assert station.read_bytes() == before


def test_without_a_region_it_gives_a_line_to_begin_with(
    station: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [line for line in STATION.splitlines() if not line.startswith("region")]
    station.write_text("\n".join(lines), "utf-8")
    assert main(["roi", "station.yaml"]) == EXIT_OK
    said = capsys.readouterr()
    assert "no region: the whole picture is used" in said.err
    station.write_text("\n".join([*lines, said.out]), "utf-8")
    assert main(["roi", "station.yaml"]) == EXIT_OK
    assert capsys.readouterr().out == said.out


def test_a_region_that_does_not_fit_is_drawn_and_told(
    station: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["roi", "station.yaml", "--region", "40,20,60,60"]) == EXIT_NO
    assert "it reaches to 100, 80 (left + width, top + height), and the picture ends at 90, 60" in (
        capsys.readouterr().err
    )
    assert Path("roi.jpg").exists()


@pytest.mark.parametrize(
    ("words", "code", "problem"),
    [
        (["--out", "roi.gif"], EXIT_USAGE, "must end with .jpg or .png"),
        (["--out", "no/roi.jpg"], EXIT_IO, "cannot write"),
    ],
)
def test_a_picture_that_cannot_be_written(
    station: Path, words: list[str], code: int, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["roi", "station.yaml", *words]) == code
    assert problem in capsys.readouterr().err


@pytest.mark.parametrize(
    "region",
    ["1,2,3", "a,b,c,d", "0,0,7,20", "0,0,20,7", "-1,0,20,20", "0,0,40000,20", "1.5,0,20,20"],
)
def test_numbers_that_are_no_region(
    station: Path, region: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ending:
        main(["roi", "station.yaml", f"--region={region}"])
    assert ending.value.code == EXIT_USAGE
    assert (
        f"must be LEFT,TOP,WIDTH,HEIGHT in pixels, the first two at least 0, the others at "
        f"least 8, none above 32768. Received: {region}" in capsys.readouterr().err
    )


def test_pictures_that_cannot_be_read_are_passed_over(
    station: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (station.parent / "frames" / "0.png").write_bytes(b"no picture")
    assert main(["roi", "station.yaml"]) == EXIT_OK
    assert "unreadable: " in capsys.readouterr().err
    (station.parent / "frames" / "1.png").write_bytes(b"no picture")
    assert main(["roi", "station.yaml"]) == EXIT_UNAVAILABLE
    assert "the camera (kind: folder) gave no picture" in capsys.readouterr().err


def test_a_station_file_with_mistakes_is_refused(
    station: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    station.write_text(STATION.replace("width: 60", "width: wide"), "utf-8")
    assert main(["roi", "station.yaml"]) == EXIT_CONFIG
    assert "station.yaml:3: region.width" in capsys.readouterr().err


class Settings(CameraSettings):
    """A live camera whose pictures grow brighter, for a second and a half, or for ever."""

    kind: Literal["growing"]
    until: float = 1.5

    def open(
        self,
        *,
        clock: Callable[[], float],
        pause: Callable[[float], bool],
        tell: Callable[[int, str], None] = lambda level, text: None,
    ) -> Camera:
        return Growing(self.until)


class Growing:
    live = True
    opened: Growing

    def __init__(self, until: float) -> None:
        Growing.opened, self._until, self._frames, self.closed = self, until, 0, False

    def read(self) -> Frame:
        seconds = self._frames / 10
        self._frames += 1
        level = min(255, round(100 * min(seconds, self._until) / 1.5))
        return Frame(np.full((40, 50, 3), level, np.uint8), 5 + seconds, self._frames)

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    ("until", "level", "said"),
    [
        (0, 0, "picture taken 1.0 s after the camera's first one: its brightness had settled"),
        (1.5, 100, "picture taken 2.0 s after the camera's first one: its brightness had settled"),
        (60, 255, "picture taken 4.0 s after the camera's first one: its brightness still changed"),
    ],
)
def test_a_live_camera_gets_time_to_settle_and_is_closed(
    until: float,
    level: int,
    said: str,
    station: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(camera.KINDS, "growing", __name__)
    growing = f"growing, until: {until}"
    station.write_text(STATION.replace("folder, path: frames", growing), "utf-8")
    assert main(["roi", "station.yaml", "--region", "0,0,50,40", "--out", "a.png"]) == EXIT_OK
    assert said in capsys.readouterr().err
    assert cv2.imread("a.png")[_RULER + 8, _RULER + 8, 0] == level
    assert Growing.opened.closed


def test_a_camera_that_gives_faulty_pictures_only_is_told(
    station: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = PictureFault(PictureFaultKind.TORN, words="gives torn pictures")
    frame = Frame(np.zeros((60, 90, 3), np.uint8), 1.0, 1, fault=fault)
    found = SettledFrame(frame, 4.0, False, Counter())
    monkeypatch.setattr("edge.vision.camera.settled.settled_frame", lambda camera: found)
    main(["roi", "station.yaml"])
    said = capsys.readouterr().err
    assert "picture taken 4.0 s after the camera's first one: its brightness still chang" in said
    assert "warning: the camera gives torn pictures" in said


def test_a_region_that_would_be_resized_twice_is_told_and_mended(
    station: Path, tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    side = read_bundle(tiny_bundle).manifest.input.width
    write_picture(station.parent / "frames" / "1.png", BGR["red"], width=640, height=480)
    with station.open("a", encoding="utf-8") as file:
        file.write(f"bundle: {tiny_bundle}\n")
    whole = ["roi", "station.yaml", "--region", "0,0,601,431"]
    assert main(whole) == EXIT_OK
    said = capsys.readouterr()
    assert "a region of 601x431 is resized twice" in said.err
    assert main([*whole, "--fit"]) == EXIT_OK
    fitted = capsys.readouterr()
    assert fitted.out.strip() in said.err
    assert "one resize is enough" in fitted.err
    _, width, height = fitted.out.split(", ", 1)[1].replace("}", "").rpartition("width: ")
    assert width == "width: "
    assert int(height.partition(",")[0]) % side == 0


@pytest.mark.parametrize("line", ["", "bundle: nowhere\n"])
def test_without_a_bundle_the_size_is_not_judged(
    station: Path, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with station.open("a", encoding="utf-8") as file:
        file.write(line)
    assert main(["roi", "station.yaml"]) == EXIT_OK
    assert "resize" not in capsys.readouterr().err
    assert main(["roi", "station.yaml", "--fit"]) != EXIT_OK
    assert ("nowhere" if line else "has no line `bundle:`") in capsys.readouterr().err


@pytest.mark.parametrize(
    ("even", "code", "words"),
    [
        (False, EXIT_OK, "% of the scene can be recognised"),
        (True, EXIT_NO, "too little of the scene can be recognised"),
    ],
)
def test_a_reference_picture_is_taken_of_a_live_camera(
    even: bool,
    code: int,
    words: str,
    station: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    taken = np.dstack([PLAIN if even else SCENE, np.full(SCENE.shape[:2], 255, np.uint8)])
    taken = cv2.resize(taken, (240, 180), interpolation=cv2.INTER_AREA)
    monkeypatch.setattr("edge.vision.camera.scene_reference.take_reference", lambda camera: taken)
    assert main(["roi", "station.yaml", "--reference", "empty.png"]) == code
    said = capsys.readouterr()
    assert words in said.err
    assert "the station file does not name it yet" in said.err
    assert said.out == f"reference_picture: {station.with_name('empty.png')}\n"
    assert np.array_equal(read_reference(Path("empty.png")), taken)
    station.write_text(STATION + said.out, "utf-8")
    assert main(["roi", "station.yaml", "--reference", "empty.png"]) == code
    assert "does not name it" not in capsys.readouterr().err


def test_stored_pictures_have_no_scene(station: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["roi", "station.yaml", "--reference", "a.png"]) == EXIT_UNAVAILABLE
    assert "only a live one has a scene" in capsys.readouterr().err
    assert main(["roi", "station.yaml", "--reference", "a.jpg"]) == EXIT_USAGE
    assert "--reference must end with .png" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("spec", "size", "words"),
    [
        (InputSpec(height=32, width=32, crop="item"), (90, 60), "the item's own box"),
        (InputSpec(height=32, width=32, geometry="squash"), (70, 20), "no region of this picture"),
    ],
)
def test_where_nothing_fits_that_is_an_error(
    spec: InputSpec,
    size: tuple[int, int],
    words: str,
    station: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    width, height = size
    write_picture(station.parent / "frames" / "1.png", BGR["red"], width=width, height=height)
    make_bundle(station.parent / "bundle", spec=spec)
    with station.open("a", encoding="utf-8") as file:
        file.write("bundle: bundle\n")
    whole = ["roi", "station.yaml", "--region", f"0,0,{width},{height}"]
    assert main(whole) == EXIT_OK
    assert main([*whole, "--fit"]) == EXIT_USAGE
    assert words in capsys.readouterr().err
