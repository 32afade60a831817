"""Faults of pictures as incidents, from frames."""

from __future__ import annotations

import numpy as np

from edge.flow import Frame, PictureFault, PictureFaultKind
from edge.state.incidents.camera import CameraFaults, CameraScene
from tests.edge.vision.camera.test_scene_checks import SCENE, shot

IMAGE = np.zeros((2, 2, 3), np.uint8)
BLACK = PictureFault(PictureFaultKind.BLANK, lasting=True, words="shows nothing")
FROZEN = PictureFault(PictureFaultKind.FROZEN, lasting=True, words="is frozen")


def told(*faults: PictureFault | None) -> list[tuple[str, bool, float]]:
    rule = CameraFaults()
    return [
        (notice.name, notice.begins, notice.at)
        for at, fault in enumerate(faults)
        for notice in rule.see(Frame(IMAGE, float(at), at, fault=fault))
    ]


def test_a_fault_that_lasts_begins_once_and_is_over_with_the_first_good_picture() -> None:
    assert told(None, BLACK, BLACK, None, None) == [
        ("camera_black", True, 1), ("camera_black", False, 3),
    ]  # fmt: skip


def test_a_single_bad_picture_is_none_and_ends_none() -> None:
    once = BLACK._replace(lasting=False)
    torn = PictureFault(PictureFaultKind.TORN)
    assert told(once, None, BLACK, torn, BLACK) == [("camera_black", True, 2)]


def test_pictures_that_a_working_camera_gives_tell_nothing() -> None:
    repeated = PictureFault(PictureFaultKind.REPEATED)
    assert told(PictureFault(PictureFaultKind.FIRST), FROZEN, repeated, FROZEN) == [
        ("camera_frozen", True, 1)
    ]


def test_one_fault_follows_another() -> None:
    assert told(BLACK, FROZEN) == [
        ("camera_black", True, 0), ("camera_black", False, 1), ("camera_frozen", True, 1),
    ]  # fmt: skip


def test_a_camera_that_is_lost_has_no_fault_of_its_pictures_any_more() -> None:
    rule = CameraFaults()
    list(rule.see(Frame(IMAGE, 0.0, 0, fault=BLACK)))
    assert [notice.name for notice in rule.lost(1.0)] == ["camera_black"]
    assert list(rule.lost(2.0)) == []


def test_what_becomes_of_the_scene_is_told_and_when_it_is_over() -> None:
    rule, found = CameraScene(), []
    for number in range(60):
        image = np.zeros((240, 320, 3), np.uint8) if 30 <= number < 45 else shot(SCENE)
        frame = Frame(image, number * 0.25, number)
        found += [(notice.name, notice.begins) for notice in rule.see(frame)]
    assert found == [("camera_covered", True), ("camera_covered", False)]


def test_stored_pictures_have_no_scene() -> None:
    rule = CameraScene()
    for number in range(60):
        image = np.zeros((240, 320, 3), np.uint8) if number > 30 else shot(SCENE)
        assert list(rule.see(Frame(image, number * 0.25, number, source="a.png"))) == []
