"""A demo that went well says so, and one that did not says what went wrong and what helps."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deploy.demo.closing import close_drawn, close_photographs
from deploy.demo.drawn import BELT
from deploy.demo.folder import BUNDLE, SHEET, STATION, SUMMARY
from deploy.demo.sorting import Row, Sorted
from deploy.demo.stages import Stages
from deploy.demo.stations import belt_camera, belt_station, write_station
from edge.config.reading import read_station
from edge.core.images.preprocess import Box
from edge.core.model.bundle import read_bundle
from edge.events import ItemSorted
from edge.simulation.belt.traffic import GroundTruth

RED, GREEN, BLUE = "red", "green", "blue"
GOOD = {"images": 128, "accepted": 1.0, "accuracy": 1.0, "purity": 1.0}


@pytest.fixture
def folder(tmp_path: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With a bundle that was never converted, so that its manifest has no figures."""
    (tmp_path / BUNDLE).symlink_to(tiny_bundle)
    monkeypatch.setattr("deploy.demo.closing._accuracies", lambda figures: {})
    return tmp_path


def passed(folder: Path, *, right: dict[str, int], rejected: dict[str, int]) -> Sorted:
    """A belt on which so many items of each class went into their lane, and so many to the rest."""
    labels = read_bundle(folder / BUNDLE).labels
    camera = belt_camera(BELT, items=5, seed=1)
    sections = belt_station(BELT, camera, labels, bundle=BUNDLE, ledger="ledger.sqlite")
    write_station(folder / STATION, sections, comment="A belt.")
    config = read_station(folder / STATION).config
    items = [(label, True) for label, count in right.items() for _ in range(count)]
    items += [(label, False) for label, count in rejected.items() for _ in range(count)]
    truths, rows = [], []
    pins: dict[int, list[tuple[float, float]]] = {}
    for number, (label, good) in enumerate(items, start=1):
        centred = 10.0 * number
        truths.append(
            GroundTruth(
                number, label, "", "cut", centred - 1, centred, centred + 1, Box(9, 9, 9, 9), 9.0
            )
        )
        entry = ItemSorted(
            "", "2026-01-01T00:00:00.000000Z", "demo", number, "", label, 0.9 if good else 0.4,
            None, good, None if good else "low_confidence", label if good else "rest", "tiny 1",
            "0" * 64, 5.0, 3,
        )  # fmt: skip
        rows.append(Row(entry, centred, None))
        lane = config.lanes[label]
        delay = config.delay_seconds(lane)
        if good and lane.actuator is not None and delay is not None:
            changes = pins.setdefault(lane.actuator.model_dump()["pin"], [])
            out = centred + delay
            changes += [(out, 1.0), (out + 2 * BELT.flap_after_seconds, 0.0)]
    return Sorted(
        config=config,
        plan=BELT,
        rows=rows,
        truths=truths,
        pins=pins,
        dropped=3,
        frames=900,
        latencies_ms=(5.0, 9.0),
    )


@pytest.mark.parametrize(
    ("right", "rejected", "well", "words"),
    [
        ({RED: 40, GREEN: 40, BLUE: 40}, {}, True, "120 of 120 in their lanes"),
        # It does not hang on one item of forty, nor on three in one lane.
        ({RED: 37, GREEN: 40, BLUE: 40}, {RED: 3}, True, "117 of 120 in their lanes"),
        (
            {RED: 20, GREEN: 40, BLUE: 40},
            {RED: 20},
            False,
            "not well: lane red: recovery 20 of 40;",
        ),
    ],
)
@pytest.mark.usefixtures("log_lines")
def test_a_drawn_demo_is_judged_by_what_chance_explains(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    right: dict[str, int],
    rejected: dict[str, int],
    well: bool,
    words: str,
) -> None:
    belt = passed(folder, right=right, rejected=rejected)
    found = close_drawn(folder, belt, Stages(5), seed=0, evaluation=GOOD, expected=0.975)
    said = capsys.readouterr().err
    assert found is well
    assert words in said
    assert ("what helps" in said) is not well
    if rejected:
        assert "not in its lane: red: item " in said
        assert "rejected: red at 40%, accepted from 50%" in said
    summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    assert summary["passed"] is well
    assert summary["rejected"] == sum(rejected.values())
    assert (folder / SHEET).is_file()


@pytest.mark.usefixtures("log_lines")
def test_a_model_that_learned_too_little_fails_whatever_the_lanes_say(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    belt = passed(folder, right={RED: 40, GREEN: 40, BLUE: 40}, rejected={})
    poor = GOOD | {"accepted": 0.8}
    assert not close_drawn(folder, belt, Stages(5), seed=0, evaluation=poor, expected=0.975)
    assert "not well: the model itself" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("right", "rejected", "accepted", "well"),
    [
        # What a stranger met: eleven of thirteen rejected, two lanes empty, and "it sorted well".
        ({RED: 2}, {RED: 3, GREEN: 4, BLUE: 4}, 2 / 13, False),
        ({RED: 4, GREEN: 3, BLUE: 4}, {RED: 1, GREEN: 1}, 11 / 13, True),
        # One item of its class passed: that its lane is empty may be chance, and is said.
        ({RED: 6, GREEN: 6}, {BLUE: 1}, 12 / 13, True),
        # Two did, and neither got there.
        ({RED: 6, GREEN: 5}, {BLUE: 2}, 11 / 13, False),
        # As the photographs were evaluated, and still of no use.
        ({RED: 2, GREEN: 2, BLUE: 2}, {RED: 3, GREEN: 2, BLUE: 2}, 6 / 13, False),
        # Half of each lane are there, where all were accepted in their photographs.
        ({RED: 20, GREEN: 20, BLUE: 20}, {RED: 20}, 1.0, False),
    ],
)
@pytest.mark.usefixtures("log_lines")
def test_with_photographs_most_items_must_be_in_their_lanes(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    right: dict[str, int],
    rejected: dict[str, int],
    accepted: float,
    well: bool,
) -> None:
    belt = passed(folder, right=right, rejected=rejected)
    lost, total = sum(rejected.values()), len(belt.truths)
    evaluation = GOOD | {"images": total, "accepted": accepted}
    assert close_photographs(folder, belt, Stages(4), seed=0, evaluation=evaluation) is well
    said = capsys.readouterr().err.strip().splitlines()
    assert said[0].startswith(f"{total} items: {total - lost} in their lanes, {lost} rejected")
    assert ("demo: every item got exactly one verdict, and it sorted well" in said[-1]) is well
    assert ("nothing fell into blue, for which a single" in said[-1]) is (
        well and BLUE not in right
    )
    empty = [line for line in said if line.endswith("EMPTY")]
    assert len(empty) == len({RED, GREEN, BLUE} - set(right))
