"""A first station file: before there is a bundle, and fitting its bundle, whatever its labels."""

import json
import re
import shlex
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from deploy.demo.photographs import BELT
from deploy.demo.stations import belt_camera
from edge.cli import main
from edge.config.reading import read_station, read_vision_config
from edge.core.errors import EXIT_CONFIG, EXIT_DATA, EXIT_IO, EXIT_OK, EXIT_USAGE
from edge.flow import Frame
from edge.vision.trigger.motion import Settings
from edge.vision.trigger.replay import Recording
from tests.bundles import BGR, SPEC, make_bundle, write_picture


@pytest.mark.usefixtures("ledger_within")
@pytest.mark.parametrize(
    "labels",
    [
        ("red", "green", "blue"),
        ("blå & co.", "grün: hell", "红 色"),
        ("no", "7up", "rejects"),
        ("null", "off", "1.5"),
        ("1e5", "on", "08"),
    ],
)
def test_the_file_it_writes_has_no_mistakes_and_runs(
    tmp_path: Path, labels: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = make_bundle(tmp_path / "models" / "first", labels=labels)
    write_picture(tmp_path / "photos" / "1.png", BGR["green"])
    file = tmp_path / "station" / "station.yaml"
    words = ["init", str(bundle), str(file), "--photos", str(tmp_path / "photos")]
    assert main(words) == EXIT_OK
    assert main(["check", str(file)]) == EXIT_OK, capsys.readouterr().err
    assert main(["run", str(file)]) == EXIT_OK
    with closing(sqlite3.connect(file.parent / "ledger.sqlite")) as ledger, ledger:
        assert ledger.execute("SELECT label FROM items").fetchall() == [(labels[1],)]
    assert labels[1] in capsys.readouterr().out


def test_a_file_that_is_there_is_left_alone(
    tmp_path: Path, tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "station.yaml"
    file.write_text("mine", encoding="utf-8")
    assert main(["init", str(tiny_bundle), str(file), "--photos", str(tmp_path)]) == EXIT_IO
    assert "is there already" in capsys.readouterr().err
    assert file.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("camera", ["usb", "picamera", "stream", "belt"])
def test_before_there_is_a_bundle_it_has_what_taking_photographs_needs(
    tmp_path: Path, camera: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "new" / "station.yaml"
    assert main(["init", str(file), "--camera", camera]) == EXIT_OK
    eye = read_vision_config(file)
    assert (eye.camera.kind, eye.trigger.kind, eye.region) == (camera, "motion", None)
    assert f"pilah-edge capture {file}" in capsys.readouterr().err


def test_the_commented_region_can_be_taken_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "station.yaml"
    assert main(["init", str(file), "--camera", "usb"]) == EXIT_OK
    file.write_text(file.read_text("utf-8").replace("# region:", "region:"), "utf-8")
    region = read_vision_config(file).region
    assert region is not None
    assert (region.width, region.height) == (640, 480)


def test_photographs_can_take_the_place_of_a_camera(tmp_path: Path) -> None:
    write_picture(tmp_path / "photos" / "1.png", BGR["green"])
    file = tmp_path / "station.yaml"
    assert main(["init", str(file), "--photos", str(tmp_path / "photos")]) == EXIT_OK
    assert read_vision_config(file).camera.kind == "folder"


def test_photographs_do_not_tell_where_an_item_is_to_a_model_of_its_box(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = make_bundle(tmp_path / "bundle", spec=SPEC.model_copy(update={"crop": "item"}))
    file = tmp_path / "new" / "station.yaml"
    assert main(["init", str(bundle), str(file), "--photos", str(tmp_path)]) == EXIT_USAGE
    said = capsys.readouterr().err
    assert "--photos: tiny 1 was trained on items cut out of the picture" in said
    assert f"`pilah-edge simulate {file} --items {tmp_path}`" in said
    assert not file.parent.exists()


def test_with_a_bundle_the_file_is_completed_and_what_stands_in_it_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = make_bundle(tmp_path / "bundle", labels=("can", "empty", "glass"))
    file = tmp_path / "station.yaml"
    assert main(["init", str(file), "--camera", "usb"]) == EXIT_OK
    mine = (
        file.read_text("utf-8").replace(
            "# region: {left: 0, top: 0, width: 640", "region: {left: 10, top: 0, width: 600"
        )
        + "# mine"
    )
    file.write_text(mine, "utf-8")
    assert main(["init", str(bundle), str(file)]) == EXIT_OK
    assert file.read_text("utf-8").startswith(mine + "\n")
    config = read_station(file).config
    assert list(config.lanes) == ["can", "glass", "rejects"], "an empty belt needs no lane"
    assert config.region is not None
    assert config.region.left == 10
    assert main(["init", str(bundle), str(file)]) == EXIT_IO
    assert "with bundle, lanes, default_lane, ledger in it" in capsys.readouterr().err


def test_a_bundle_and_a_camera_give_a_whole_file(tmp_path: Path, tiny_bundle: Path) -> None:
    file = tmp_path / "station.yaml"
    assert main(["init", str(tiny_bundle), str(file), "--camera", "picamera"]) == EXIT_OK
    assert read_station(file).config.camera.kind == "picamera"


@pytest.mark.parametrize(
    ("words", "text", "code", "problem"),
    [
        (
            ["station.yaml"],
            None,
            EXIT_USAGE,
            "--camera usb|picamera|stream|belt, or --photos FOLDER",
        ),
        (["BUNDLE", "station.yaml"], None, EXIT_USAGE, "say where its frames come from"),
        (["station.yaml", "--camera", "usb"], "mine", EXIT_IO, "is there already"),
        (["BUNDLE", "station.yaml", "--camera", "usb"], "mine", EXIT_IO, "is there already"),
        (["BUNDLE", "station.yaml"], "station: a\nlens: b\n", EXIT_CONFIG, "lens: unknown key"),
        (["nothing", "station.yaml"], None, EXIT_DATA, "nothing"),
    ],
)
def test_what_it_refuses_leaves_the_file_as_it_was(
    tmp_path: Path,
    tiny_bundle: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    text: str | None,
    code: int,
    problem: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "station.yaml"
    if text is not None:
        file.write_text(text, "utf-8")
    assert main(["init", *(str(tiny_bundle) if w == "BUNDLE" else w for w in words)]) == code
    assert problem in capsys.readouterr().err
    assert (file.read_text("utf-8") if file.exists() else None) == text


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("line-3/station.yaml", "line-3"),
        ("stations/left.yaml", "left"),
        ("Halle 2/station.yaml", "Halle-2"),
        ("秤/station.yaml", "station"),
        (f"{'x' * 80}/station.yaml", "x" * 64),
    ],
)
def test_a_station_is_called_as_its_file_or_folder_is_and_that_is_said(
    tmp_path: Path, path: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", str(tmp_path / path), "--camera", "usb"]) == EXIT_OK
    assert read_vision_config(tmp_path / path).station == name
    assert f"the station is called {name}," in capsys.readouterr().err


def test_photographs_for_a_file_of_a_camera_are_refused_with_the_way_to_complete_it(
    tmp_path: Path, tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first words of the guided tour, and then the fifth with the same file."""
    file = tmp_path / "my station" / "station.yaml"
    assert main(["init", str(file), "--camera", "usb"]) == EXIT_OK
    assert main(["init", str(tiny_bundle), str(file), "--photos", str(tmp_path)]) == EXIT_IO
    advised = re.findall("`pilah-edge (.*?)`", capsys.readouterr().err)[-1]
    assert main(shlex.split(advised)) == EXIT_OK, "quoted, so that it can be pasted"
    assert "bundle" in read_station(file).config.model_fields_set


@pytest.mark.shared
def test_what_it_writes_counts_six_photographs_of_glass_as_six(
    tmp_path: Path, shared: Path
) -> None:
    file = tmp_path / "station.yaml"
    assert main(["init", str(file), "--camera", "belt"]) == EXIT_OK
    keys = belt_camera(
        BELT, photographs=str(shared / "data/trashnet"), labels=["glass"], scale=0.75,
        items=6, seed=1, paced=False,
    )  # fmt: skip
    text = re.sub(r"(?ms)^camera:.*?^(?=\S)", f"camera: {json.dumps(keys)}\n", file.read_text())
    file.write_text(text, "utf-8")
    eye, recording = read_vision_config(file), Recording()
    assert isinstance(eye.trigger, Settings)
    with closing(eye.camera.open(clock=lambda: 0.0, pause=lambda _: False)) as camera:
        while isinstance(frame := camera.read(), Frame):
            recording.add(frame)
    look = recording.look(eye.trigger)
    assert (len(look.items), look.pieces) == (6, 0)


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ([], None),
        (["--keep-photographs", "none"], None),
        (["--keep-photographs", "rejected"], ("rejected", 0.02, 30)),
        (["--keep-photographs", "all"], ("all", 0.0, 30)),
    ],
)
def test_photographs_are_kept_only_where_somebody_wants_them(
    tmp_path: Path, tiny_bundle: Path, capsys: pytest.CaptureFixture[str], words: list[str],
    kept: tuple[str, float, float] | None,
) -> None:  # fmt: skip
    file = tmp_path / "station.yaml"
    assert main(["init", str(tiny_bundle), str(file), "--photos", str(tmp_path), *words]) == EXIT_OK
    found = read_station(file).config.photographs
    assert (found and (found.items, found.share, found.days)) == kept
    assert ("people may be in them" in capsys.readouterr().err) == (kept is not None)
    assert "# deleted after so many days" in file.read_text()


def test_photographs_are_kept_of_what_is_sorted_only(
    tmp_path: Path, tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "station.yaml"
    words = ["--keep-photographs", "all"]
    assert main(["init", str(file), "--camera", "usb", *words]) == EXIT_USAGE
    assert "needs BUNDLE" in capsys.readouterr().err
    assert main(["init", str(file), "--camera", "usb"]) == EXIT_OK
    text = file.read_text() + "photographs: {items: all}\n"
    file.write_text(text)
    assert main(["init", str(tiny_bundle), str(file), *words]) == EXIT_IO
    assert file.read_text() == text
