"""The station files that the demo writes are station files like any other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from deploy.demo.drawn import BELT, LABELS
from deploy.demo.report import cut_square
from deploy.demo.stations import FLAP_METRES, belt_camera, belt_station, lanes_for, write_station
from edge.config.reading import read_station
from edge.core.images.preprocess import Box
from edge.core.model.bundle import read_bundle
from edge.flow import Frame
from edge.simulation.belt import LABELS as DRAWN
from edge.simulation.belt.traffic import GroundTruth


def test_the_belt_s_station_can_be_read(tmp_path: Path, tiny_bundle: Path) -> None:
    (tmp_path / "bundle").symlink_to(tiny_bundle)
    labels = read_bundle(tiny_bundle).labels
    camera = belt_camera(BELT, items=5, seed=1, truth="truth.csv")
    sections = belt_station(BELT, camera, labels, bundle="bundle", ledger="ledger.sqlite")
    write_station(tmp_path / "station.yaml", sections, comment="A belt.\nNothing else.")
    config = read_station(tmp_path / "station.yaml").config
    assert config.default_lane == "rest"
    first, *_ = config.lanes.values()
    delay = config.delay_seconds(first)
    assert delay == pytest.approx(0.5 / BELT.metres_per_second, rel=0.01)
    # An item is in front of its flap in the middle of the time that this stands out.
    assert first.actuator is not None
    assert first.actuator.hold_seconds / 2 == pytest.approx(BELT.flap_after_seconds, abs=0.001)
    assert BELT.flap_after_seconds * BELT.metres_per_second == pytest.approx(FLAP_METRES)


def test_only_what_can_be_drawn_is_sorted() -> None:
    assert set(LABELS) <= set(DRAWN)


def test_flaps_stand_in_order_on_pins_of_their_own_and_the_last_labels_share_a_lane() -> None:
    labels = [f"class {number}" for number in range(30)]
    lanes = lanes_for(labels, BELT)
    flaps = [lane for lane in lanes.values() if "actuator" in lane]
    pins = [lane["actuator"]["pin"] for lane in flaps]
    distances = [lane["distance_metres"] for lane in flaps]
    assert len(set(pins)) == len(pins) == 24
    assert min(pins) >= 4
    assert distances == sorted(set(distances))
    assert [label for lane in lanes.values() for label in lane.get("labels", ())] == labels


@pytest.mark.parametrize("label", ["rest", "others"])
def test_a_label_may_be_called_as_a_lane_of_the_demo(label: str) -> None:
    labels = [label, *(f"class {number}" for number in range(30))]
    lanes = lanes_for(labels, BELT)
    assert [name for lane in lanes.values() for name in lane.get("labels", ())] == labels
    assert lanes["rest"] == {}


def test_the_picture_of_an_item_is_cut_where_the_belt_s_truth_says_it_is() -> None:
    image = np.zeros((240, 320, 3), np.uint8)
    # Centred at 10 s; half a second later it is 80 pixels further on.
    image[100:140, 220:260] = 255
    item = GroundTruth(1, "can", "", "drawn", 8.0, 10.0, 12.0, Box(140, 100, 40, 40), 160.0)
    square = cut_square(Frame(image, 10.5, 1), item)
    assert square.shape[0] == square.shape[1] == 46
    assert square[3:43, 3:43].min() == 255
    # At the edge of the view it is cut where the view ends.
    assert cut_square(Frame(image, 11.0, 1), item).shape == square.shape
