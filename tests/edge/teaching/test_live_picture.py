"""What the camera sees is made into a picture only while somebody looks, and is not large."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from edge.core.images.preprocess import Box
from edge.flow import Frame, FrameSeen
from edge.simulation.virtual_clock import VirtualClock
from edge.teaching.live_picture import (
    LARGEST_JPEG,
    LARGEST_SIDE,
    LOOKED_SECONDS,
    MOST_A_SECOND,
    LivePicture,
)
from edge.vision.region import Region
from tests.edge.teaching.views import REGION, View, passes, virtual


@pytest.fixture
def clock() -> Iterator[VirtualClock]:
    with virtual() as found:
        yield found


@pytest.fixture
def view(clock: VirtualClock) -> View:
    return View(clock)


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "picture"]


def decoded(found: dict[str, object]) -> np.ndarray:  # type: ignore[type-arg]
    raw = np.frombuffer(base64.b64decode(str(found["jpeg"])), np.uint8)
    image = cv2.imdecode(raw, cv2.IMREAD_COLOR)
    assert image is not None
    return image


def looked_at(view: View, clock: VirtualClock, region: Region | None = REGION) -> dict[str, object]:
    """What who looks is shown at the second question."""
    with LivePicture(view, region=region, clock=clock) as live:
        assert live.newest() == {}
        passes(clock, 0.01)
        return live.newest()


def test_nothing_is_done_while_nobody_looks(view: View, clock: VirtualClock) -> None:
    view.show()
    with LivePicture(view, region=None, clock=clock):
        passes(clock, 3600)
        assert view.asked == 0
        assert threads() == []


def test_a_picture_tells_its_age_the_region_and_what_is_in_view(
    view: View, clock: VirtualClock
) -> None:
    view.show(Box(10, 10, 30, 20), None)
    passes(clock, 0.25)
    found = looked_at(view, clock)
    assert found.pop("jpeg")
    assert found == {
        "width": 160, "height": 120, "region": [40, 20, 64, 48], "boxes": [[50, 30, 30, 20]],
        "count": 2, "age_seconds": 0.26,
    }  # fmt: skip


def test_the_picture_is_what_the_camera_saw(view: View, clock: VirtualClock) -> None:
    view.show()
    image = decoded(looked_at(view, clock, None))
    assert np.abs(image[45, 70].astype(int) - (20, 60, 200)).max() < 12
    assert np.abs(image[100, 10].astype(int) - (90, 90, 90)).max() < 12


@pytest.mark.parametrize("size", [(1920, 1080), (1080, 1920), (641, 8)])
def test_a_large_picture_is_made_small(
    view: View, clock: VirtualClock, size: tuple[int, int]
) -> None:
    view.show(size=size)
    image = decoded(looked_at(view, clock))
    assert max(image.shape) <= LARGEST_SIDE


def test_one_that_is_hard_to_compress_is_made_coarser(view: View, clock: VirtualClock) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (480, 640, 3), dtype=np.uint8)
    view.seen = FrameSeen(Frame(noise, 0.0, 1), ())
    found = looked_at(view, clock)
    assert len(base64.b64decode(str(found["jpeg"]))) <= LARGEST_JPEG


def test_few_are_made_in_a_second_however_often_somebody_asks(
    view: View, clock: VirtualClock
) -> None:
    made = set()
    with LivePicture(view, region=None, clock=clock) as live:
        for number in range(100):
            view.show(size=(160, 120 + number))
            made.add(live.newest().get("height"))
            passes(clock, 0.1)
    assert len(made - {None}) <= 10 * MOST_A_SECOND + 1
    assert len(made) > 10


def test_one_frame_is_encoded_once(
    view: View, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded: list[object] = []
    monkeypatch.setattr(
        "edge.teaching.live_picture._encoded", lambda image: encoded.append(image) or b""
    )
    view.show()
    with LivePicture(view, region=None, clock=clock) as live:
        for _ in range(20):
            live.newest()
            passes(clock, 0.5)
    assert len(encoded) == 1


def test_it_ends_when_nobody_looks_any_more_and_begins_again(
    view: View, clock: VirtualClock
) -> None:
    view.show()
    with LivePicture(view, region=None, clock=clock) as live:
        live.newest()
        passes(clock, LOOKED_SECONDS + 1)
        assert threads() == []
        view.show()
        assert live.newest() == {}, "the picture of long ago was shown"
        passes(clock, 0.01)
        assert live.newest()["age_seconds"] == pytest.approx(0.01)


def test_a_station_that_saw_nothing_yet_shows_nothing(view: View, clock: VirtualClock) -> None:
    assert looked_at(view, clock) == {}


def test_it_can_be_closed_twice_and_shows_nothing_then(view: View, clock: VirtualClock) -> None:
    view.show()
    live = LivePicture(view, region=None, clock=clock)
    live.newest()
    live.close()
    live.close()
    assert threads() == []
    assert live.newest() == {}


def test_what_nobody_foresaw_ends_nothing_for_ever(
    view: View, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    view.show()
    with LivePicture(view, region=None, clock=clock) as live:
        with monkeypatch.context() as patched:
            patched.setattr("edge.teaching.live_picture._encoded", lambda image: 1 / 0)
            live.newest()
            passes(clock, 0.1)
            assert threads() == []
        assert live.newest() == {}
        passes(clock, 0.1)
        assert live.newest()["width"] == 160
