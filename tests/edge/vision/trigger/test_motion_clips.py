"""Two clips of real conveyors, counted by hand, frame by frame."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest

from edge.flow import Frame
from edge.vision.camera.opencv import open_capture
from tests.edge.vision.trigger.scenes import Seen, watch

pytestmark = pytest.mark.shared

FRUIT = {
    # The first and the last frame in which a part of it is in view; the last lies there at the end.
    "apple": (0, 33),
    "broccoli": (14, 52),
    "cauliflower": (54, 89),
    "orange": (75, 100),
}
BOLTS = {"bolt": (1, 23)}
LEARNING = 15
"""Frames: one second, in which nothing is found yet."""


def frames(clip: Path) -> Iterator[Frame]:
    # Not OpenCV's own: FFmpeg writes as much as the first one to open anything in a process wants.
    video = open_capture(str(clip), cv2.CAP_FFMPEG)
    assert video is not None
    try:
        sequence = 0
        while video.grab() and (picture := video.picture()) is not None:
            yield Frame(picture, video.get(cv2.CAP_PROP_POS_MSEC) / 1000, sequence)
            sequence += 1
    finally:
        video.release()


def watched(clip: Path) -> tuple[list[float], list[Seen]]:
    taken = list(frames(clip))
    return [frame.captured - 100 for frame in taken], watch(taken)


@pytest.mark.parametrize(
    ("name", "counted", "length"),
    [
        pytest.param("fruit-and-vegetable-detection.gif", FRUIT, 101, id="fruit"),
        pytest.param("bolt-multi-size-detection.gif", BOLTS, 37, id="bolts"),
    ],
)
def test_the_items_found_are_those_counted_by_hand(
    shared: Path, name: str, counted: dict[str, tuple[int, int]], length: int
) -> None:
    times, items = watched(shared / "data/video" / name)
    assert len(times) == length
    assert len(items) == len(counted)
    for item, (thing, (first, last)) in zip(items, counted.items(), strict=True):
        found = [times.index(at) for at in item.times]
        # It may be found a little late, when enough of it has come into view, and no frame is
        # left out from then on.
        assert max(first, LEARNING) <= found[0] <= max(first, LEARNING) + 3, thing
        assert last - 1 <= found[-1] <= last, thing
        assert found == list(range(found[0], found[-1] + 1)), thing


def test_the_box_is_on_the_item(shared: Path) -> None:
    times, items = watched(shared / "data/video/fruit-and-vegetable-detection.gif")
    apple, broccoli, cauliflower, orange = (
        dict(zip((times.index(at) for at in item.times), item.boxes, strict=True)) for item in items
    )
    by_hand = [
        (apple[24], (100, 143, 163, 202)),
        (broccoli[30], (217, 147, 367, 209)),
        (cauliflower[70], (218, 137, 331, 209)),
        (orange[96], (143, 137, 219, 205)),
    ]
    for box, (left, top, right, bottom) in by_hand:
        assert box.left == pytest.approx(left, abs=10)
        assert box.top == pytest.approx(top, abs=10)
        assert box.left + box.width == pytest.approx(right, abs=10)
        assert box.top + box.height == pytest.approx(bottom, abs=10)
