"""Pictures of a station's camera: what is seen of them, and of a camera that shows nothing new."""

from __future__ import annotations

import logging
import queue
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge.config.reading import read_station
from edge.core.errors import (
    EXIT_UNAVAILABLE,
    RegionError,
)
from edge.events import (
    CameraBack,
    CameraLost,
    ItemSorted,
    of_items,
)
from edge.flow import CameraChange, Frame, UnreadableFrame
from edge.ledger.ledger import Ledger
from edge.runtime.service import Notifier
from edge.runtime.worker import Endings
from edge.sorting.openers import Openers
from edge.station import Station
from edge.vision.camera.folder import FolderCamera, Settings
from edge.vision.camera.reopening import CapturedPicture, ReopeningCamera
from tests.bundles import BGR, make_bundle
from tests.edge.station_runs import NewRun
from tests.edge.stations import STATION, make_station

pytestmark = pytest.mark.usefixtures("ledger_within")


def test_a_camera_that_is_lost_and_comes_back_is_in_the_ledger(
    new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, opened = new_run(), Settings.open

    def losing(settings: Settings, **options: Any) -> Any:
        options["report"](CameraChange("cam", None))
        options["report"](CameraChange("cam", 2.5))
        return opened(settings, **options)

    monkeypatch.setattr(Settings, "open", losing)
    run()
    lost, back = (e for e in run.seen if isinstance(e, CameraLost | CameraBack))
    assert isinstance(lost, CameraLost)
    assert isinstance(back, CameraBack)
    assert (lost.camera, back.camera, back.lost_seconds) == ("cam", "cam", 2.5)
    with Ledger(run.file.with_name("ledger.sqlite")) as ledger:
        assert [e for e in ledger.happenings() if e.id in (lost.id, back.id)] == [lost, back]


def test_the_region_is_what_the_model_sees(new_run: NewRun) -> None:
    run = new_run(STATION + "region: {left: 40, top: 5, width: 20, height: 20}\n")
    picture = run.file.parent / "photos" / "0.png"
    image = cv2.imread(str(picture))
    assert image is not None
    image[5:25, 40:60] = BGR["blue"]
    cv2.imwrite(str(picture), image)
    run(max_items=1)
    assert run.entries()[0].label == "blue"


def test_a_region_beyond_the_picture_stops_the_station(new_run: NewRun) -> None:
    run = new_run(STATION + "region: {left: 80, top: 5, width: 20, height: 20}\n")
    with pytest.raises(
        RegionError, match=r"reaches to 100, 25 .* is 90x60 pixels \(0\.png\)"
    ) as told:
        run()
    assert told.value.exit_code == EXIT_UNAVAILABLE  # a service tries again


def test_pictures_of_nothing_are_no_items(tmp_path: Path) -> None:
    file = make_station(
        tmp_path,
        text=STATION.replace("{labels: [green]}", "{labels: []}"),
        bundle=make_bundle(tmp_path / "made", labels=("red", "empty", "blue")),
    )
    endings: Endings = queue.SimpleQueue()
    shown: list[ItemSorted] = []
    with Station(
        read_station(file), endings=endings, observers=[of_items(shown.append)]
    ) as station:
        tally = station.run()
    assert [entry.label for entry in shown] == ["red", "blue"]
    assert (tally.items, tally.empty) == (2, 1)
    assert "empty      1: the verdict was that there was no item" in tally.lines()


def test_frames_with_times_of_their_own_are_never_early(
    new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run()
    read = FolderCamera.read

    def ahead(camera: FolderCamera) -> Frame | UnreadableFrame | None:
        frame = read(camera)
        return frame and replace(frame, captured=frame.captured + 1000)

    monkeypatch.setattr(FolderCamera, "read", ahead)
    assert list(run().latencies_ms) == [0, 0, 0]


def test_what_the_camera_says_can_be_read_in_the_status(
    new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run()
    told: list[str] = []
    opened = Settings.open

    def talking(settings: Settings, **options: Any) -> Any:
        options["tell"](logging.INFO, "camera     is back")
        return opened(settings, **options)

    monkeypatch.setattr(Settings, "open", talking)
    monkeypatch.setattr(Notifier, "status", lambda self, text: told.append(text))
    with Station(
        read_station(run.file),
        endings=run.endings,
        observers=[of_items(run.shown.append)],
        openers=Openers(pins=lambda: run.pins),
        notifier=Notifier({}),
    ):
        assert told == ["camera     is back"]


class _Lens:
    """A camera that gives `pictures`, eight a second, each with a sensor's noise but the frozen."""

    title, notes = "usb, 90x60 pixels", ()

    def __init__(self, pictures: list[str]) -> None:
        self._pictures = iter(pictures)
        self._random = np.random.default_rng(0)
        self._image = np.zeros((60, 90, 3), np.uint8)
        self._taken = 0
        self.over = threading.Event()

    def shoot(self) -> CapturedPicture | None:
        kind = next(self._pictures, None)
        if kind is None:
            self.over.set()
            return None
        self._taken += 1
        if kind != "frozen":
            shape = (30, 45, 3) if kind == "small" else (60, 90, 3)
            slope = np.linspace(-8, 8, shape[1])[:, None]
            noisy = np.array(BGR["red"]) + slope + self._random.normal(0, 2, shape)
            self._image = np.clip(noisy, 0, 255).astype(np.uint8)
        if kind == "black":
            self._image[:] = 0
        elif kind == "half":
            self._image[20:] = 128
        return CapturedPicture(self._image.copy(), self._taken / 8)

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("frozen", "is frozen: it has given exactly the same picture for 1.5 s"),
        ("black", "shows nothing: its picture is evenly dark"),
        ("half", "gives incomplete pictures: its rows 21 to 60 of 60 repeat one another"),
        ("small", "gives 45x30 pixels now, but gave 90x60 at the start"),
    ],
)
def test_of_a_camera_that_shows_no_picture_of_now_nothing_is_accepted(
    kind: str, said: str, new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run()
    lens = _Lens(["good"] * 3 + [kind] * 30 + ["good"] * 40)
    told: list[str] = []

    class Camera(ReopeningCamera):
        live = False  # every frame is looked at, however slow this machine is

    def opened(settings: Settings, **options: Any) -> Camera:
        def tell(level: int, text: str) -> None:
            told.append(text)
            options["tell"](level, text)

        def stop(seconds: float) -> bool:
            return lens.over.is_set()

        return Camera(
            lambda: lens,
            name="cam",
            clock=options["clock"],
            pause=stop,
            tell=tell,
        )

    monkeypatch.setattr(Settings, "open", opened)
    tally = run()
    entries = run.entries()
    # Of the good ones the very first: nobody knows yet whether it moves.
    assert sum(entry.accepted for entry in entries) == 2 + 40
    assert tally.rejects == {"bad_picture": len(entries) - 42}
    assert {(e.label, e.lane) for e in entries if not e.accepted} == {(None, "rest")}
    begun = next(line for line in told if line.startswith("camera     cam "))
    assert begun.startswith(f"camera     cam {said}")
    assert len([line for line in told if line.startswith("camera     cam: no ")]) == 1
    (summary,) = (line for line in tally.lines() if line.startswith("pictures"))
    assert {"frozen": "frozen 19, repeated 11", "black": "blank 30", "half": "torn 30"}.get(
        kind, "resized 30"
    ) in summary
