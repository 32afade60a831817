"""The belt runs as fast as the machine can follow, and no faster."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.demo import drawn, photographs
from deploy.demo.pace import SLOWEST, is_too_fast, slowness, suited
from deploy.demo.stations import (
    TRIGGER,
    BeltPlan,
    belt_camera,
    belt_station,
    rehearsal_station,
    trigger_on,
    write_station,
)
from edge.config.reading import read_station
from edge.core.model.bundle import read_bundle

BELT = drawn.BELT


@pytest.mark.parametrize(
    ("seconds", "slower"),
    [
        ([0.008] * 100, 1.0),
        ([0.020] * 100, 1.0),
        # Half again of what a frame takes on average: 90 ms, at 33 a frame.
        ([0.060] * 100, 2.7),
        # Stalls of 0.15 seconds, two in ten frames.
        ([0.008] * 90 + [0.15] * 20, 3.0),
        # What waits for the next item to be drawn is no stall.
        ([0.008] * 100 + [2.0] * 8, 1.0),
        # The first frames wait for things to be drawn.
        ([1.0] * 10 + [0.008] * 100, 1.0),
        ([9.0] * 100, SLOWEST),
        ([], 1.0),
    ],
)
def test_how_much_slower_a_belt_must_be(seconds: list[float], slower: float) -> None:
    assert slowness(seconds, frames_per_second=30) == pytest.approx(slower)


@pytest.mark.usefixtures("log_lines")
def test_what_was_measured_and_chosen_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert suited(BELT, [0.01] * 50) == BELT
    assert "handles 100 frames a second" in capsys.readouterr().err
    slowed = suited(BELT, [0.1] * 50)
    assert slowed.slowness == pytest.approx(4.5)
    assert "4.5 times slower" in capsys.readouterr().err


@pytest.mark.parametrize("plan", [drawn.BELT, photographs.BELT])
def test_in_slow_motion_the_station_sees_and_judges_the_same(plan: BeltPlan) -> None:
    slow = plan.slowed(4)
    assert slow.slowness == 4
    # As many frames of an item, as much blur, a deadline at the same place along the belt.
    assert slow.frames_per_second / slow.views_per_second == pytest.approx(
        plan.frames_per_second / plan.views_per_second
    )
    camera, full = belt_camera(slow), belt_camera(plan)
    assert camera["exposure_seconds"] == pytest.approx(4 * full["exposure_seconds"])
    assert slow.deadline_seconds == pytest.approx(4 * plan.deadline_seconds, abs=0.02)
    assert slow.flap_after_seconds == pytest.approx(4 * plan.flap_after_seconds)
    assert trigger_on(slow, TRIGGER) == {
        "kind": "motion", "min_area": 0.01, "learn_seconds": 0.8, "lost_seconds": 1.2
    }  # fmt: skip


@pytest.mark.parametrize("factor", [1, 3.7, SLOWEST])
def test_a_slowed_belt_and_its_rehearsal_are_stations(
    tmp_path: Path, tiny_bundle: Path, factor: float
) -> None:
    (tmp_path / "bundle").symlink_to(tiny_bundle)
    labels, plan = read_bundle(tiny_bundle).labels, BELT.slowed(factor)
    for make in (belt_station, rehearsal_station):
        camera = belt_camera(plan, items=5, seed=1)
        sections = make(plan, camera, labels, bundle="bundle", ledger="ledger.sqlite")
        write_station(tmp_path / "station.yaml", sections, comment="A belt.")
        config = read_station(tmp_path / "station.yaml").config
        moving = [lane for lane in config.lanes.values() if lane.actuator is not None]
        assert len(moving) == (len(labels) if make is belt_station else 0)
        assert (config.decision.deadline_seconds is None) is (make is rehearsal_station)


@pytest.mark.parametrize(
    ("dropped", "frames", "fast"),
    [(0, 1800, False), (90, 1800, False), (91, 1800, True), (0, 0, False), (3, 20, True)],
)
def test_a_belt_that_loses_frames_is_too_fast(dropped: int, frames: int, fast: bool) -> None:
    assert is_too_fast(dropped, frames) is fast
