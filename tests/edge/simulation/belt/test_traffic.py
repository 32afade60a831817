from __future__ import annotations

import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.core.images.preprocess import Box
from edge.simulation.belt.motion import BeltMotion
from edge.simulation.belt.scene import Scene
from edge.simulation.belt.sprite import box_of
from edge.simulation.belt.traffic import (
    COLUMNS,
    BeltItem,
    GroundTruthFile,
    GroundTruthTail,
    Spacing,
    Traffic,
    read_ground_truth,
)
from edge.simulation.belt.wire import SpeedChanges
from tests.edge.simulation.belt.things import Things, thing

VIEW = (160, 120)
SPEED = 100.0
RATE = 25


def traffic(
    things: Iterable[BeltItem | None], **options: Any
) -> tuple[Traffic, list[dict[str, Any]]]:
    rows: list[dict[str, Any]] = []
    spacing = {"pixels": 200.0, "jitter": 0.0} | {
        key: options.pop(key) for key in ("pixels", "jitter", "touching") if key in options
    }
    settings = {
        "random": np.random.default_rng(1),
        "motion": BeltMotion(SPEED),
        "spacing": Spacing(**spacing),
    } | options
    belt = Traffic(Things(things), view=VIEW, record=rows.append, **settings)
    return belt, rows


def run(belt: Traffic, *, seconds: float = 60.0) -> list[tuple[float, list[int]]]:
    """(time, the left edge of each item in view) of every frame until it is over."""
    frames = []
    for number in range(1, round(seconds * RATE)):
        time = number / RATE
        placed = belt.at(time)[1]
        if belt.over(time):
            break
        frames.append((time, [item.left for item in placed]))
    return frames


def test_items_keep_their_distance_and_all_pass() -> None:
    belt, rows = traffic(thing() for _ in range(3))
    frames = run(belt)
    assert belt.passed == 3
    assert max(len(lefts) for _, lefts in frames) == 1
    centred = [row["centred"] for row in rows]
    assert np.diff(centred) == pytest.approx([200 / SPEED] * 2, abs=0.02)


def test_jitter_varies_the_distance_by_so_much_and_no_more() -> None:
    belt, rows = traffic((thing() for _ in range(20)), jitter=0.25)
    run(belt)
    distances = np.diff([row["centred"] for row in rows]) * SPEED
    assert distances.min() >= 149
    assert distances.max() <= 251
    assert distances.std() > 10


def test_wide_items_never_touch_however_close_they_are_set() -> None:
    belt, rows = traffic((thing(width) for width in (40, 120, 60)), pixels=10.0)
    run(belt)
    for before, after in itertools.pairwise(rows):
        assert after["entered"] >= before["entered"] + (before["box_width"] + 10) / SPEED


@pytest.mark.parametrize("width", [30, 41, 150, 200])
def test_the_truth_is_what_the_frames_show(width: int) -> None:
    belt, rows = traffic([thing(width)])
    scene = Scene(
        random=np.random.default_rng(1),
        width=VIEW[0],
        height=VIEW[1],
        background=(90, 90, 90),
        noise_levels=0,
    )
    shows: dict[float, Box] = {}
    for number in range(1, 2000):
        time = number / 100  # a pixel further with each frame
        moved, placed = belt.at(time)
        if belt.over(time):
            break
        frame = scene.view(placed, moved=moved, random=np.random.default_rng(0))
        red = (frame == (0, 0, 255)).all(axis=2)
        if red.any():
            shows[time] = box_of(np.where(red, 255, 0).astype(np.uint8))
    (row,) = rows
    assert min(shows) == pytest.approx(row["entered"], abs=0.021)
    assert max(shows) == pytest.approx(row["left"], abs=0.021)
    at_centre = shows[round(row["centred"] * 100) / 100]
    assert at_centre.left + at_centre.width / 2 == pytest.approx(VIEW[0] / 2, abs=1.01)
    if width < VIEW[0]:
        box = Box(*(row[f"box_{side}"] for side in ("left", "top", "width", "height")))
        assert at_centre == pytest.approx(box, abs=1)


def test_a_row_is_there_before_the_item_is_centred() -> None:
    belt, rows = traffic([thing()])
    for number in range(1, 1000):
        belt.at(number / RATE)
        if rows:
            assert number / RATE < rows[0]["centred"]
            return
    pytest.fail("no row")


def test_an_item_that_is_late_is_laid_on_later_and_not_into_the_view() -> None:
    belt, rows = traffic([thing(), *([None] * 120), thing()])
    frames = run(belt)
    assert belt.passed == 2
    firsts = [lefts[0] for (_, before), (_, lefts) in itertools.pairwise(frames)
              if lefts and not before]  # fmt: skip
    assert all(left <= -40 + SPEED / RATE for left in firsts)
    assert rows[1]["centred"] - rows[0]["centred"] > 200 / SPEED + 1


def test_it_is_over_a_moment_after_the_last_item_has_left() -> None:
    belt, rows = traffic([thing()])
    frames = run(belt)
    assert frames[-1][0] == pytest.approx(rows[0]["left"] + 0.5, abs=0.1)


def test_it_is_not_over_while_more_may_come() -> None:
    belt, _ = traffic([None] * 1000)
    assert len(run(belt, seconds=30)) == 30 * RATE - 1


def test_the_file_has_each_row_as_soon_as_it_is_written(tmp_path: Path) -> None:
    belt, rows = traffic([thing(), thing(60)])
    run(belt)
    file = GroundTruthFile(tmp_path / "truth.csv")
    assert (tmp_path / "truth.csv").read_text() == ",".join(COLUMNS) + "\n"
    for count, row in enumerate(rows, start=1):
        file.write(row, began=1000.0)
        truths = list(read_ground_truth(tmp_path / "truth.csv"))
        assert [truth.item for truth in truths] == list(range(1, count + 1))
    file.close()
    assert truths[1].label == "plate"
    assert truths[1].centred == pytest.approx(1000 + rows[1]["centred"], abs=1e-4)
    assert truths[1].box.width == 60


def test_a_row_that_is_not_whole_yet_is_left_out(tmp_path: Path) -> None:
    belt, rows = traffic([thing(), thing()])
    run(belt)
    path = tmp_path / "truth.csv"
    file = GroundTruthFile(path)
    for row in rows:
        file.write(row, began=0.0)
    file.close()
    path.write_text(path.read_text()[:-5])
    assert [truth.item for truth in read_ground_truth(path)] == [1]


def test_a_share_of_the_items_touches_the_one_before() -> None:
    belt, rows = traffic((thing() for _ in range(200)), touching=0.25)
    run(belt, seconds=500)
    apart = np.diff([row["centred"] for row in rows]) * SPEED
    both = rows[0]["box_width"]
    touching = apart < both
    assert 30 <= touching.sum() <= 70
    assert apart[touching] == pytest.approx(0.95 * both, abs=1)
    assert apart[~touching] == pytest.approx(200, abs=2)


def test_a_belt_that_stands_for_a_while_is_late_with_its_items() -> None:
    stops = BeltMotion(SPEED, [SpeedChanges(factor=0, every=20, seconds=10, seed=(1,))])
    steady, truths = traffic(thing() for _ in range(8))
    run(steady)
    halting, later = traffic((thing() for _ in range(8)), motion=stops)
    frames = run(halting)
    assert halting.passed == 8
    for before, after in zip(truths, later, strict=True):
        assert stops.moved(after["centred"]) == pytest.approx(before["centred"] * SPEED)
    assert frames[-1][0] > later[0]["centred"] + 10


def test_the_tail_of_the_truth_gives_each_row_once(tmp_path: Path) -> None:
    belt, rows = traffic(thing() for _ in range(3))
    run(belt)
    tail = GroundTruthTail(tmp_path / "truth.csv")
    assert list(tail.rows()) == []
    file = GroundTruthFile(tmp_path / "truth.csv")
    assert list(tail.rows()) == []
    file.write(rows[0], began=0)
    assert [row.item for row in tail.rows()] == [1]
    assert list(tail.rows()) == []
    file.write(rows[1], began=0)
    file.write(rows[2], began=0)
    file.close()
    assert [row.item for row in tail.rows()] == [2, 3]
    text = (tmp_path / "truth.csv").read_text("utf-8")
    (tmp_path / "half.csv").write_text(text[:-5], "utf-8")
    assert [row.item for row in GroundTruthTail(tmp_path / "half.csv").rows()] == [1, 2]
