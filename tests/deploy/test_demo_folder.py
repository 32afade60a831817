"""The demo's folder is made anew, and nothing but what the demo made is removed."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.demo.folder import BUNDLE, MARKER, SUMMARY, check_apart, fresh_folder
from edge.core.errors import StorageError, UsageError


def test_a_second_demo_removes_what_the_first_made_and_keeps_the_rest(tmp_path: Path) -> None:
    folder = fresh_folder(tmp_path / "demo")
    (folder / BUNDLE).mkdir()
    (folder / BUNDLE / "model.tflite").touch()
    (folder / SUMMARY).touch()
    (folder / "notes.txt").touch()
    fresh_folder(folder)
    assert sorted(file.name for file in folder.iterdir()) == [MARKER, "notes.txt"]


def test_what_a_link_leads_to_is_kept(tmp_path: Path) -> None:
    folder = fresh_folder(tmp_path / "demo")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "model.tflite").touch()
    (folder / BUNDLE).symlink_to(tmp_path / "mine")
    fresh_folder(folder)
    assert not (folder / BUNDLE).exists()
    assert (tmp_path / "mine" / "model.tflite").is_file()


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / SUMMARY).touch()
    with pytest.raises(UsageError, match="the demo did not make it"):
        fresh_folder(tmp_path)
    assert (tmp_path / SUMMARY).is_file()


def test_an_empty_folder_may_be_used(tmp_path: Path) -> None:
    assert (fresh_folder(tmp_path) / MARKER).is_file()


@pytest.mark.parametrize(
    ("photos", "error"),
    [
        ("demo/photos", UsageError),
        (".", UsageError),
        ("gone", StorageError),
    ],
)
def test_photographs_within_reach_of_the_demo_are_refused(
    tmp_path: Path, photos: str, error: type[Exception]
) -> None:
    (tmp_path / "demo" / "photos").mkdir(parents=True)
    with pytest.raises(error):
        check_apart(tmp_path / photos, tmp_path / "demo")


def test_photographs_elsewhere_are_fine(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    check_apart(tmp_path / "photos", tmp_path / "demo")
