from __future__ import annotations

import threading

import numpy as np
import pytest

from edge.flow import Frame, PictureFault, PictureFaultKind, UnreadableFrame
from edge.vision.latest_frame import LatestFrame
from tests.clocks import ToldClock


def frame(sequence: int) -> UnreadableFrame:
    return UnreadableFrame(0.0, sequence, "picture.jpg", "")


def test_a_newer_frame_takes_the_place_of_one_nobody_took() -> None:
    latest = LatestFrame()
    for sequence in (1, 2, 3):
        latest.put(frame(sequence))
    latest.finish()
    assert [taken.sequence for taken in latest.frames() if taken] == [3]
    assert latest.dropped == 2


def test_it_knows_when_the_newest_frame_was_captured_whatever_became_of_it() -> None:
    latest = LatestFrame()
    assert latest.captured is None
    for captured, source in ((3.0, "picture.jpg"), (4.0, "")):  # a damaged one of a live camera
        latest.put(UnreadableFrame(captured, 1, source, ""))
        assert latest.captured == captured


def test_a_frame_that_is_too_old_is_left_out_and_has_a_fault_where_that_lasts() -> None:
    time, image = [10.0], np.zeros((2, 2, 3), np.uint8)
    latest = LatestFrame(ToldClock(lambda: time[0], lambda: time[0]), oldest=1.0)
    frames, taken = latest.frames(lambda: 0.0), list[tuple[object, float | None]]()
    for sequence, age in enumerate((0.2, 1.0, 1.1, 1.5, 1.5, 0.9, 2.0, 0.1)):
        time[0] += 0.3
        latest.put(Frame(image, time[0] - age, sequence))
        found = next(frames)
        assert found is None or isinstance(found, Frame)
        told = "left out" if found is None else found.fault or "good"
        taken.append((told, latest.late_since))
    late = PictureFault(PictureFaultKind.LATE, lasting=True)
    assert taken == [
        ("good", None), ("good", None), ("left out", None), ("left out", None),
        (late, pytest.approx(10.9)), ("good", None), ("left out", None), ("good", None),
    ]  # fmt: skip
    assert latest.faults[PictureFaultKind.LATE] == 4


@pytest.mark.parametrize(
    ("others", "lasts"),
    [
        ([(4.0, 1.5, None)], True),  # a slow camera
        ([(40.0, 1.5, None)], False),  # it was lost meanwhile
        ([(1.0, 0.1, PictureFaultKind.BLANK), (1.0, 1.5, None)], False),  # black, but in time
        ([(1.0, 1.5, PictureFaultKind.BLANK), (1.0, 1.5, None)], True),
    ],
)
def test_a_late_frame_long_after_another_is_no_sign_that_all_are_late(
    others: list[tuple[float, float, PictureFaultKind | None]], lasts: bool
) -> None:
    """Each is taken so long after the one before, is so old then, and may have a fault."""
    time, image = [10.0], np.zeros((2, 2, 3), np.uint8)
    latest = LatestFrame(ToldClock(lambda: time[0], lambda: time[0]), oldest=1.0)
    frames = latest.frames(lambda: 0.0)
    for number, (pause, age, kind) in enumerate([(0.0, 1.5, None), *others]):
        time[0] += pause
        fault = None if kind is None else PictureFault(kind, lasting=True)
        latest.put(Frame(image, time[0] - age, number, fault=fault))
        found = next(frames)
    late = isinstance(found, Frame) and found.fault is not None
    assert (late, latest.late_since is not None) == (lasts, lasts)


@pytest.mark.parametrize(
    "frame",
    [
        Frame(np.zeros((2, 2, 3), np.uint8), 0.0, 1, "picture.jpg"),
        UnreadableFrame(0.0, 1, "picture.jpg", ""),
    ],
)
def test_stored_pictures_have_no_age(frame: Frame | UnreadableFrame) -> None:
    latest = LatestFrame(ToldClock(lambda: 99.0, lambda: 99.0), oldest=1.0)
    latest.put(frame)
    assert next(latest.frames()) is frame


def test_who_waits_for_a_frame_can_be_woken() -> None:
    latest = LatestFrame()
    latest.wake()
    frames = latest.frames()
    assert next(frames) is None
    latest.put(frame(1))
    latest.wake()
    latest.wait_until_woken(3600)
    taken = next(frames)
    assert taken is not None
    assert taken.sequence == 1
    latest.wait_until_woken(0)  # nobody does


def test_frames_that_the_camera_left_out_are_counted() -> None:
    latest = LatestFrame()
    frames = latest.frames()
    for sequence in (5, 6, 9):
        latest.put(frame(sequence))
        next(frames)
    assert latest.dropped == 2


def test_one_who_waits_loses_no_frame() -> None:
    latest = LatestFrame()

    def fill() -> None:
        for sequence in range(50):
            assert latest.wait_until_taken()
            latest.put(frame(sequence))
        latest.finish()

    filling = threading.Thread(target=fill)
    filling.start()
    assert [taken.sequence for taken in latest.frames() if taken] == list(range(50))
    filling.join(60)
    assert latest.dropped == 0


def test_close_wakes_both_sides() -> None:
    latest = LatestFrame()
    taken: list[object] = []
    taking = threading.Thread(target=lambda: taken.extend(latest.frames()))
    taking.start()
    latest.close()
    taking.join(60)
    assert not taking.is_alive()
    assert taken == []
    assert not latest.wait_until_taken()


def test_one_who_is_impatient_gets_nothing_and_waits_on() -> None:
    latest = LatestFrame()
    frames = latest.frames(lambda: 0.0)
    assert next(frames) is None
    latest.put(frame(4))
    taken = next(frames)
    assert taken is not None
    assert taken.sequence == 4
    assert next(frames) is None
    latest.finish()
    assert list(frames) == []


def test_a_damaged_frame_of_a_live_camera_is_counted_and_replaces_none() -> None:
    latest = LatestFrame()
    latest.put(frame(1))
    latest.put(UnreadableFrame(0.0, 2, "", "the frame is damaged"))
    latest.finish()
    assert [taken.sequence for taken in latest.frames() if taken] == [1]
    assert (latest.faults, latest.dropped) == ({PictureFaultKind.DAMAGED: 1}, 0)


@pytest.mark.parametrize("lasting", [False, True])
def test_a_picture_with_a_fault_is_passed_over_until_the_fault_lasts(lasting: bool) -> None:
    latest = LatestFrame()
    image = np.zeros((2, 2, 3), np.uint8)
    latest.put(Frame(image, 0.0, 1))
    latest.put(Frame(image, 0.1, 2, fault=PictureFault(PictureFaultKind.BLANK, lasting)))
    latest.finish()
    assert [taken.sequence for taken in latest.frames() if taken] == [2 if lasting else 1]
    assert latest.faults == {PictureFaultKind.BLANK: 1}
