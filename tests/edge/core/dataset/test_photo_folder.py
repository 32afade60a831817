"""A folder of photographs is filled one whole file at a time, and never with two kinds of cut."""

from __future__ import annotations

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.core.dataset import read_picture_set
from edge.core.dataset.photo_folder import FACTS, Geometry, PhotoFolder, photo_label, read_geometry
from edge.core.errors import PictureSetError, StorageError
from edge.core.images.image_file import Image, read_image
from tests.disks import no_locks, no_space

REGION = Geometry(crop="region")
ITEM = Geometry(crop="item", padding=0.1)
TAKEN = 1_800_000_000.0


def picture(seed: int = 0) -> Image:
    noise = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), np.uint8)
    return cv2.resize(noise, (80, 60), interpolation=cv2.INTER_LINEAR)  # type: ignore[return-value]


def fill(path: Path, *labels: str, geometry: Geometry = REGION) -> list[Path]:
    with PhotoFolder(path, geometry=geometry, station="bin") as folder:
        return [folder.add(label, picture(), taken=TAKEN) for label in labels]


def test_what_it_fills_is_a_set_of_labelled_pictures(tmp_path: Path) -> None:
    files = fill(tmp_path / "photos", "can", "grün & blå", "empty", "can")
    found = read_picture_set(tmp_path / "photos")
    assert [(p.path, p.label) for p in found.pictures] == sorted(
        (file, file.parent.name) for file in files
    )
    assert found.classes == ("can", "empty", "grün & blå")
    assert found.skipped == (), "nothing is said of the file that tells the geometry"


def test_a_picture_keeps_its_colours(tmp_path: Path) -> None:
    (file,) = fill(tmp_path, "can")
    assert np.abs(read_image(file).astype(int) - picture()).mean() < 1.5


def test_numbers_go_on_from_sitting_to_sitting_and_no_file_is_overwritten(tmp_path: Path) -> None:
    first, second = fill(tmp_path, "can", "can")
    first.unlink()
    (third,) = fill(tmp_path, "can")
    assert [file.stem[-5:] for file in (second, third)] == ["-0002", "-0003"]
    (tmp_path / "can" / "IMG_20260101_0009.jpg").write_bytes(b"a phone's")
    (fourth,) = fill(tmp_path, "can")
    assert fourth.stem.endswith("-0004")


def test_it_counts_what_is_there(tmp_path: Path) -> None:
    fill(tmp_path, "can", "can", "bottle")
    (tmp_path / "can" / "notes.txt").write_text("no picture", "utf-8")
    (tmp_path / ".thumbs").mkdir()
    with PhotoFolder(tmp_path, geometry=REGION, station="bin") as folder:
        assert folder.counts == {"can": 2, "bottle": 1}
        folder.remove(folder.add("can", picture(), taken=TAKEN))
        assert folder.counts == {"can": 2, "bottle": 1}


def test_a_label_without_pictures_leaves_no_folder(tmp_path: Path) -> None:
    with PhotoFolder(tmp_path, geometry=REGION, station="bin") as folder:
        folder.remove(folder.add("can", picture(), taken=TAKEN))
    assert not (tmp_path / "can").exists()


def test_the_latest_come_first(tmp_path: Path) -> None:
    with PhotoFolder(tmp_path, geometry=REGION, station="bin") as folder:
        files = [folder.add("can", picture(), taken=TAKEN) for _ in range(5)]
        for age, file in enumerate(reversed(files)):
            os.utime(file, (TAKEN - age, TAKEN - age))
        assert folder.latest("can", 3) == files[:1:-1]
        assert folder.latest("bottle", 3) == []


@pytest.mark.parametrize("geometry", [REGION, ITEM])
def test_how_the_pictures_were_cut_is_written_down(tmp_path: Path, geometry: Geometry) -> None:
    fill(tmp_path, "can", geometry=geometry)
    assert read_geometry(tmp_path) == geometry
    facts = json.loads((tmp_path / FACTS).read_text("utf-8"))
    assert (facts["schema_version"], facts["station"]) == (1, "bin")


def test_a_folder_in_which_nobody_wrote_it_down_has_none(tmp_path: Path) -> None:
    assert read_geometry(tmp_path) is None
    assert read_geometry(tmp_path / "nothing") is None


@pytest.mark.parametrize(("first", "second"), [(REGION, ITEM), (ITEM, REGION)])
def test_pictures_cut_differently_are_not_mixed(
    tmp_path: Path, first: Geometry, second: Geometry
) -> None:
    fill(tmp_path, "can", geometry=first)
    with pytest.raises(PictureSetError, match=r"its 1 picture shows .* another folder with --out"):
        fill(tmp_path, "can", geometry=second)


def test_without_pictures_the_way_of_cutting_can_be_changed(tmp_path: Path) -> None:
    (file,) = fill(tmp_path, "can", geometry=REGION)
    file.unlink()
    fill(tmp_path, "can", geometry=ITEM)
    assert read_geometry(tmp_path) == ITEM


def test_pictures_from_elsewhere_are_noticed(tmp_path: Path) -> None:
    (tmp_path / "can").mkdir()
    (tmp_path / "can" / "1.jpg").write_bytes(b"")
    with PhotoFolder(tmp_path, geometry=ITEM, station="bin") as folder:
        assert folder.unknown
        folder.add("can", picture(), taken=TAKEN)
    with PhotoFolder(tmp_path, geometry=ITEM, station="bin") as folder:
        assert not folder.unknown


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "JSON"),
        ('{"schema_version": 2, "station": "a", "crop": "region"}', "schema_version"),
        ('{"schema_version": 1, "station": "a", "crop": "half"}', "crop"),
        ('{"schema_version": 1, "station": "a", "crop": "item", "more": 1}', "more"),
        ('{"schema_version": 1, "station": "a", "crop": "item", "padding": 7}', "padding"),
        ('{"schema_version": 1, "station": "a", "crop": "item"}', "padding"),
    ],
)
def test_a_damaged_record_is_told(tmp_path: Path, content: str, problem: str) -> None:
    (tmp_path / FACTS).write_text(content, "utf-8")
    with pytest.raises(PictureSetError, match=problem):
        read_geometry(tmp_path)


def test_two_cannot_fill_one_folder(tmp_path: Path) -> None:
    with (
        PhotoFolder(tmp_path, geometry=REGION, station="bin"),
        pytest.raises(StorageError, match="another `pilah-edge capture`"),
    ):
        PhotoFolder(tmp_path, geometry=REGION, station="bin")
    PhotoFolder(tmp_path, geometry=REGION, station="bin").close()


def test_a_file_system_without_locks_can_be_filled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fcntl.flock", no_locks)
    with PhotoFolder(tmp_path, geometry=REGION, station="bin") as folder:
        folder.add("can", picture(), taken=TAKEN)
        assert folder.counts == {"can": 1}


def test_a_full_disk_leaves_no_part_of_a_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with PhotoFolder(tmp_path, geometry=REGION, station="bin") as folder:
        kept = folder.add("can", picture(), taken=TAKEN)

        monkeypatch.setattr("edge.core.files.os.fsync", no_space)
        with pytest.raises(StorageError, match="the disk is full"):
            folder.add("can", picture(), taken=TAKEN)
        assert folder.counts == {"can": 1}
    assert list((tmp_path / "can").iterdir()) == [kept]


def test_a_place_that_cannot_be_written_is_told_before_the_first_picture(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", "utf-8")
    with pytest.raises(StorageError, match=r"create .*file"):
        PhotoFolder(tmp_path / "file", geometry=REGION, station="bin")


@pytest.mark.parametrize(
    ("label", "problem"),
    [
        ("", "empty"),
        ("a/b", "slash"),
        ("..", "starts with"),
        ("__old", "leaves such folders out"),
        ("a\n", "space"),
    ],
)
def test_what_cannot_be_a_label(label: str, problem: str) -> None:
    with pytest.raises(PictureSetError, match=problem):
        photo_label(label)


def test_a_label_is_one_class_however_its_letters_are_written() -> None:
    assert photo_label("Gru\u0308n") == "Gr\u00fcn"
