from __future__ import annotations

from pathlib import Path

import pytest

from edge.benchmark.views import drawn_view, pictured_view, station_view
from edge.core.errors import RegionError
from edge.vision.trigger.motion import Settings
from tests.bundles import BGR, write_picture

STATION = """\
station: belt-1
camera: {kind: usb, device: 0, width: 320, height: 200}
trigger: {kind: motion, contrast: 30, learn_seconds: 20, still_seconds: 3}
"""


def station_file(folder: Path, text: str) -> Path:
    file = folder / "station.yaml"
    file.write_text(text, "utf-8")
    return file


def test_sizes_are_the_usual_one_or_those_asked_for() -> None:
    assert (drawn_view().pixels, drawn_view((96, 64)).pixels) == ("640x480", "96x64")


def test_a_picture_is_the_belt(tmp_path: Path) -> None:
    picture = write_picture(tmp_path / "1.png", BGR["red"], height=50, width=70)
    assert pictured_view(picture).pixels == "70x50"


def test_a_station_gives_its_region_and_its_trigger(tmp_path: Path) -> None:
    view = station_view(station_file(tmp_path, STATION), None)
    assert view.pixels == "320x200"
    assert isinstance(view.trigger, Settings)
    assert (view.trigger.contrast, view.trigger.learn_seconds, view.trigger.still_seconds) == (
        30,
        1,
        0,
    )
    region = STATION + "region: {left: 4, top: 2, width: 64, height: 32}\n"
    assert station_view(station_file(tmp_path, region), None).pixels == "64x32"
    small = write_picture(tmp_path / "1.png", BGR["red"], height=50, width=70)
    assert station_view(station_file(tmp_path, region), small).pixels == "64x32"
    view = station_view(station_file(tmp_path, region), None)
    assert view.picture == (320, 200)
    assert view.region is not None
    assert view.region.left == 4
    tiny = write_picture(tmp_path / "2.png", BGR["red"], height=20, width=20)
    with pytest.raises(RegionError, match="20x20"):
        station_view(station_file(tmp_path, region), tiny)


def test_a_trigger_that_is_told_of_items_takes_every_frame(tmp_path: Path) -> None:
    text = STATION.replace("kind: motion, contrast: 30, learn_seconds: 20, still_seconds: 3",
                           "kind: button, pin: 5")  # fmt: skip
    assert station_view(station_file(tmp_path, text), None).trigger.kind == "continuous"


def test_a_file_that_names_no_size_is_measured_at_the_usual_one_and_that_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "pictures").mkdir()
    text = STATION.replace("kind: usb, device: 0, width: 320, height: 200",
                           "kind: folder, path: pictures")  # fmt: skip
    assert station_view(station_file(tmp_path, text), None).pixels == "640x480"
    assert "does not say how large a picture is" in caplog.text
