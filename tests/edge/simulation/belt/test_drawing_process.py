"""What the belt's process answers, on a clock that goes on only when told."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.core.errors import StorageError
from edge.core.images.image_file import Image
from edge.simulation.belt.drawing_process import StationGoneError, Wire, serve
from edge.simulation.belt.traffic import read_ground_truth
from edge.simulation.belt.wire import ASK, END, FAIL, LENGTH, BeltOrder
from tests.edge.vision.camera.fake_time import FakeTime


def order(**options: Any) -> BeltOrder:
    settings: dict[str, Any] = {
        "items": 1,
        "labels": ("fruit",),
        "pictures": (),
        "scale": 1.0,
        "width": 96,
        "height": 72,
        "frames_per_second": 10.0,
        "views_per_second": 1.0,
        "spacing_views": 1.2,
        "jitter": 0.1,
        "exposure_seconds": 0.0,
        "background": "auto",
        "seed": 1,
        "paced": True,
        "truth": None,
    }
    return BeltOrder.model_validate(settings | options)


class Asking(Wire):
    """A station that asks for frames, busy with something else for a while before each."""

    def __init__(self, time: FakeTime, busy: list[float]) -> None:
        self._time, self._busy = time, iter(busy)
        self.frames: list[tuple[float, float, int]] = []
        """(when it was answered, captured, sequence)."""
        self.kinds: list[bytes] = []

    def asked(self) -> float:
        try:
            self._time.now += next(self._busy)
        except StopIteration:
            raise StationGoneError from None
        return self._time.now

    def frame(self, image: Image, *, captured: float, sequence: int) -> None:
        assert image.shape == (72, 96, 3)
        self.frames.append((self._time.now, captured, sequence))

    def text(self, kind: bytes, text: str = "") -> None:
        self.kinds.append(kind)


def served(busy: list[float], **options: Any) -> Asking:
    time = FakeTime()
    wire = Asking(time, busy)

    def wait(seconds: float) -> None:
        time.now += max(0.0, seconds)

    with suppress(StationGoneError):
        serve(order(**options), wire, clock=time.clock, wait=wait)
    return wire


def test_a_station_that_keeps_up_gets_every_frame_when_it_is_due() -> None:
    wire = served([0.0] + [0.03] * 9)
    assert [sequence for _, _, sequence in wire.frames] == list(range(1, 11))
    for answered, captured, sequence in wire.frames:
        assert answered == pytest.approx(captured)
        assert captured == pytest.approx(100 + sequence / 10)


def test_a_station_that_was_busy_gets_the_newest_and_the_others_are_counted() -> None:
    wire = served([0.0, 0.03, 0.55, 0.03])
    assert [sequence for _, _, sequence in wire.frames] == [1, 2, 8, 9]
    for answered, captured, _ in wire.frames:
        assert answered - captured < 0.001  # none is old


def test_as_fast_as_can_be_none_is_left_out_however_busy_the_station_is() -> None:
    wire = served([0.0, 5.0, 0.0, 70.0], paced=False)
    assert [sequence for _, _, sequence in wire.frames] == [1, 2, 3, 4]
    assert [captured for _, captured, _ in wire.frames] == pytest.approx(
        [100.1, 100.2, 100.3, 100.4]
    )


def test_it_ends_by_itself_when_the_last_item_has_left_the_view(tmp_path: Path) -> None:
    wire = served([0.0] * 1000, paced=False, truth=tmp_path / "truth.csv")
    assert wire.kinds == [END]
    (row,) = read_ground_truth(tmp_path / "truth.csv")
    assert row.left < wire.frames[-1][1] < row.left + 1


def test_a_truth_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"cannot write .*truth"):
        served([0.0], truth=tmp_path / "gone" / "truth.csv")


def test_an_order_and_frames_larger_than_a_pipe_go_through() -> None:
    asks, answers = os.pipe(), os.pipe()
    wire = Wire(asks[0], answers[1])
    sent = order(labels=tuple(f"label{number}" for number in range(20_000)))
    content = sent.model_dump_json().encode()
    image = np.random.default_rng(1).integers(0, 256, (300, 400, 3), np.uint8)

    def tell(raw: bytes) -> None:
        with os.fdopen(asks[1], "wb") as pipe:
            pipe.write(raw)

    def answer() -> None:
        wire.frame(image, captured=1.0, sequence=1)
        os.close(answers[1])

    telling = threading.Thread(
        target=tell, args=(LENGTH.pack(len(content)) + content + ASK.pack(7),)
    )
    telling.start()
    assert wire.order() == sent
    assert wire.asked() == 7
    telling.join()
    with pytest.raises(StationGoneError):
        wire.asked()
    answering = threading.Thread(target=answer)
    answering.start()
    with os.fdopen(answers[0], "rb") as pipe:
        received = pipe.read()
    answering.join()
    os.close(asks[0])
    assert received.endswith(image.tobytes())


def test_waiting_ends_when_the_station_does() -> None:
    asked, station = os.pipe()
    wire = Wire(asked, asked)
    os.close(station)
    with pytest.raises(StationGoneError):
        wire.wait(1000)
    os.close(asked)


def test_an_answer_to_a_station_that_is_gone_is_noticed() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with pytest.raises(StationGoneError):
        Wire(writing, writing).text(FAIL, "too late")
    os.close(writing)
