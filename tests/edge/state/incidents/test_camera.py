"""Faults of pictures as incidents, from frames."""

from __future__ import annotations

import numpy as np
import pytest

from edge.flow import Exposure, Frame, PictureFault, PictureFaultKind, UnreadableFrame
from edge.state.incidents.camera import (
    CameraDamage,
    CameraExposure,
    CameraFaults,
    CameraScene,
    differences,
)
from edge.vision.camera.scene_checks import reduced, reference_of
from tests.edge.vision.camera.test_scene_checks import (
    SCENE,
    Change,
    blurred,
    cloth,
    covered,
    dimmed,
    hand,
    item,
    moved,
    shaken,
    shot,
)

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


def test_a_fault_that_lasts_begins_with_the_last_good_picture_and_ends_with_the_next() -> None:
    first = BLACK._replace(lasting=False)
    assert told(None, None, first, first, BLACK, BLACK, None, None) == [
        ("camera_black", True, 1), ("camera_black", False, 6),
    ]  # fmt: skip
    repeated = PictureFault(PictureFaultKind.REPEATED)
    assert told(None, repeated, repeated, FROZEN) == [("camera_frozen", True, 0)]


def test_a_single_bad_picture_is_none_and_ends_none() -> None:
    once = BLACK._replace(lasting=False)
    torn = PictureFault(PictureFaultKind.TORN)
    assert told(once, None, BLACK, torn, BLACK) == [("camera_black", True, 1)]


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
    assert [(notice.name, notice.logged) for notice in rule.lost(1.0)] == [("camera_black", True)]
    assert list(rule.lost(2.0)) == []
    list(rule.see(Frame(IMAGE, 3.0, 1)))
    list(rule.lost(4.0))
    (again,) = rule.see(Frame(IMAGE, 9.0, 2, fault=BLACK))
    assert again.at == 9, "the last good picture was taken before the camera was lost"


def test_what_becomes_of_the_scene_is_told_and_when_it_is_over() -> None:
    rule, found = CameraScene(), []
    for number in range(60):
        image = np.zeros((240, 320, 3), np.uint8) if 30 <= number < 45 else shot(SCENE)
        frame = Frame(image, number * 0.25, number)
        found += [(notice.name, notice.begins, notice.at) for notice in rule.see(frame)]
    # It is covered from 7.5 to 11.25 s, and its pictures are averaged.
    assert found == [
        ("camera_covered", True, 7.25), ("camera_covered", True, 7.25),
        ("camera_covered", False, 11.5),
    ]  # fmt: skip


Faults = list[tuple[PictureFaultKind, bool] | None]


def faults(change: Change, *, reference: bool = False, patience: float = 0.0) -> Faults:
    """What is wrong with each picture, four a second: three seconds of a change, and two more."""
    empty = reference_of([reduced(shot(SCENE)) for _ in range(3)]) if reference else None
    rule, found = CameraScene(empty, patience=patience), Faults()
    for number in range(40):
        changed = 20 <= number < 32
        image = shot(change(SCENE, (number - 20) / 4) if changed else SCENE)
        stops = [each.stops for each in rule.see(Frame(image, number / 4, number))]
        assert stops in ([], [True], [False], [False, True])
        fault = rule.fault
        found.append(None if fault is None else (fault.kind, fault.lasting))
    assert set(found[:20]) == {None}
    return found[20:]


@pytest.mark.parametrize(
    ("change", "kind", "reference"),
    [
        (covered, PictureFaultKind.COVERED, False),
        (cloth, PictureFaultKind.COVERED, True),
        (moved, PictureFaultKind.MOVED, True),
    ],
)
def test_pictures_of_another_scene_are_of_no_use_while_they_last(
    change: Change, kind: PictureFaultKind, reference: bool
) -> None:
    found = faults(change, reference=reference)
    first = found.index((kind, True))
    assert first < 8  # two seconds
    assert (kind, False) in found[:4]  # and left out before that
    assert found[first:12] == [(kind, True)] * (12 - first)
    assert found[-1] is None


@pytest.mark.parametrize("change", [item, hand, dimmed, blurred, shaken])
def test_hands_items_and_light_spoil_no_picture_for_long(change: Change) -> None:
    assert not any(fault is not None and fault[1] for fault in faults(change, reference=True))


def test_without_a_reference_picture_another_scene_is_told_and_sorted_on() -> None:
    assert set(faults(moved)) == {None}


def test_an_item_that_fills_the_picture_is_no_cover_before_it_has_lain_for_long() -> None:
    found = faults(cloth, patience=1.5)
    first = found.index((PictureFaultKind.COVERED, True))
    assert set(found[:first]) == {None}
    assert 8 <= first < 12


def damage(pictures: str, *, source: str = "") -> list[tuple[bool, float]]:
    """What is told of pictures that come ten times a second: D is damaged, . is not."""
    rule = CameraDamage()
    return [
        (notice.begins, notice.at)
        for number, what in enumerate(pictures)
        for notice in rule.see(
            UnreadableFrame(number / 10, number, source, "cut off")
            if what == "D"
            else Frame(IMAGE, number / 10, number, source=source)
        )
    ]


@pytest.mark.parametrize(
    ("pictures", "told"),
    [
        ("." * 20 + "D" + "." * 60, []),
        (("D" + "." * 19) * 10, []),  # one in twenty
        ("DDD", [(True, 0.2)]),
        ("D.D.D.D.D" + "." * 40, [(True, 0.4), (False, 3.8)]),
        (("D" + "." * 9) * 10, [(True, 2.0)]),
        ("DDD" + "." * 40 + "D" + "." * 9 + "DD", [(True, 0.2), (False, 3.2), (True, 5.4)]),
    ],
)
def test_pictures_that_are_damaged_again_and_again_are_an_incident(
    pictures: str, told: list[tuple[bool, float]]
) -> None:
    assert damage(pictures) == told
    assert damage(pictures, source="a.png") == []


LOCKED = Exposure(8000, 2.0, (1.8, 1.6))


@pytest.mark.parametrize(
    ("locked", "told", "said"),
    [
        (LOCKED, Exposure(7985, 2.02, (1.801, 1.598)), []),  # as sensors round it
        (LOCKED, Exposure(), []),  # it does not tell
        (Exposure(100), Exposure(89), []),  # in whole lines
        (LOCKED, Exposure(12000, 2.0, (1.8, 1.6)),
         ["an exposure of 12000 microseconds, and the station file fixes 8000"]),
        (LOCKED, Exposure(8000, 4.0, (1.8, 2.4)),
         ["a gain of 4, and the station file fixes 2",
          "a gain of blue of 2.40, and the station file fixes 1.6"]),
        (Exposure(gain=0), Exposure(gain=12), ["a gain of 12, and the station file fixes 0"]),
        (Exposure(white_balance_kelvin=4600), Exposure(white_balance_kelvin=6500),
         ["a white balance of 6500 K, and the station file fixes 4600"]),
        (Exposure(white_balance_kelvin=4600), Exposure(9000, 3.0), []),  # those are automatic
        (Exposure(8000), Exposure(8000, automatic=("exposure",)),
         ["an automatic exposure, and the station file fixes it"]),
    ],
)  # fmt: skip
def test_what_a_camera_does_not_keep_is_told(
    locked: Exposure, told: Exposure, said: list[str]
) -> None:
    assert list(differences(locked, told)) == said


def exposed(locked: Exposure | None, *told: Exposure | None) -> list[tuple[bool, float, str]]:
    rule = CameraExposure(locked)
    return [
        (notice.begins, notice.at, notice.cause)
        for number, one in enumerate(told)
        for notice in rule.see(Frame(IMAGE, number / 2, number, exposure=one))
    ]


def test_a_difference_must_last_and_is_told_once_and_when_it_is_over() -> None:
    wrong = Exposure(12000, 2.0, (1.8, 1.6))
    assert exposed(LOCKED, wrong, wrong, LOCKED, *[wrong] * 5, *[LOCKED] * 4) == [
        (True, 2.5, "The camera has an exposure of 12000 microseconds, and the station file fixes "
         "8000."),
        (False, 5.0, ""),
    ]  # fmt: skip


def test_where_nothing_is_fixed_or_nothing_told_nothing_differs() -> None:
    assert exposed(None, *[LOCKED] * 9) == []
    assert exposed(LOCKED, *[None] * 9) == []
