from __future__ import annotations

import threading

import numpy as np
import pytest

from edge.flow import Frame, PictureFault, PictureFaultKind, UnreadableFrame
from edge.vision.latest_frame import FrameSlot


def frame(sequence: int) -> UnreadableFrame:
    return UnreadableFrame(0.0, sequence, "picture.jpg", "")


def test_a_newer_frame_takes_the_place_of_one_nobody_took() -> None:
    slot = FrameSlot()
    for sequence in (1, 2, 3):
        slot.put(frame(sequence))
    slot.finish()
    assert [taken.sequence for taken in slot.frames() if taken] == [3]
    assert slot.dropped == 2


def test_frames_that_the_camera_left_out_are_counted() -> None:
    slot = FrameSlot()
    frames = slot.frames()
    for sequence in (5, 6, 9):
        slot.put(frame(sequence))
        next(frames)
    assert slot.dropped == 2


def test_one_who_waits_loses_no_frame() -> None:
    slot = FrameSlot()

    def fill() -> None:
        for sequence in range(50):
            assert slot.wait_until_taken()
            slot.put(frame(sequence))
        slot.finish()

    filling = threading.Thread(target=fill)
    filling.start()
    assert [taken.sequence for taken in slot.frames() if taken] == list(range(50))
    filling.join(60)
    assert slot.dropped == 0


def test_close_wakes_both_sides() -> None:
    slot = FrameSlot()
    taken: list[object] = []
    taking = threading.Thread(target=lambda: taken.extend(slot.frames()))
    taking.start()
    slot.close()
    taking.join(60)
    assert not taking.is_alive()
    assert taken == []
    assert not slot.wait_until_taken()


def test_one_who_is_impatient_gets_nothing_and_waits_on() -> None:
    slot = FrameSlot()
    frames = slot.frames(lambda: 0.0)
    assert next(frames) is None
    slot.put(frame(4))
    taken = next(frames)
    assert taken is not None
    assert taken.sequence == 4
    assert next(frames) is None
    slot.finish()
    assert list(frames) == []


def test_a_damaged_frame_of_a_live_camera_is_counted_and_replaces_none() -> None:
    slot = FrameSlot()
    slot.put(frame(1))
    slot.put(UnreadableFrame(0.0, 2, "", "the frame is damaged"))
    slot.finish()
    assert [taken.sequence for taken in slot.frames() if taken] == [1]
    assert (slot.faults, slot.dropped) == ({PictureFaultKind.DAMAGED: 1}, 0)


@pytest.mark.parametrize("lasting", [False, True])
def test_a_picture_with_a_fault_is_passed_over_until_the_fault_lasts(lasting: bool) -> None:
    slot = FrameSlot()
    image = np.zeros((2, 2, 3), np.uint8)
    slot.put(Frame(image, 0.0, 1))
    slot.put(Frame(image, 0.1, 2, fault=PictureFault(PictureFaultKind.BLANK, lasting)))
    slot.finish()
    assert [taken.sequence for taken in slot.frames() if taken] == [2 if lasting else 1]
    assert slot.faults == {PictureFaultKind.BLANK: 1}
