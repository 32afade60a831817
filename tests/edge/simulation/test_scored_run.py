"""Items of which it is recorded what the model said: quick, and decided by the real rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.config.reading import read_station
from edge.core.dataset.scores_file import ScoredPicture, write_scores
from edge.core.errors import UsageError
from edge.core.verdict import Prediction
from edge.simulation.faults.table import read_faults
from edge.simulation.options import SimulationOptions, usual_rate
from edge.simulation.simulate import simulate
from tests.edge.simulation.photographs import STATION, belt_station

SCORES = {
    # What it is, and the scores of red, green and blue.
    "red": (0.9, 0.05, 0.05),
    "green": (0.05, 0.9, 0.05),
    "blue": (0.1, 0.5, 0.4),  # taken for green, and surely enough
    "grey": (0.4, 0.3, 0.3),  # rejected
}


def scored(folder: Path, text: str = STATION, **options: Any) -> dict[str, Any]:
    file = folder / "station.yaml"
    if not file.exists():
        belt_station(folder)
        pictures = [
            ScoredPicture(f"{label}.png", label, Prediction(np.array(scores, np.float32)))
            for label, scores in SCORES.items()
        ]
        write_scores(folder / "scores.csv", pictures, ("red", "green", "blue"))
    file.write_text(text, "utf-8")
    asked = {"scores": folder / "scores.csv", "count": 400, "seed": 1} | options
    return simulate(read_station(file), SimulationOptions(**asked)).to_json()


def test_each_item_falls_where_its_scores_send_it(tmp_path: Path) -> None:
    found = scored(tmp_path)
    assert found["items"] == found["verdicts"]["one"] == 400
    assert {name: lane["found"] for name, lane in found["lanes"].items()} == {
        "warm": {"red": 100}, "cold": {}, "rest": {"blue": 100, "green": 100},
        "rejects": {"grey": 100},
    }  # fmt: skip
    assert found["rejects"] == {"low_confidence": 100}
    assert found["purity"] == pytest.approx(2 / 3)
    assert found["landing_ms"] == {"count": 100, "p50": 0, "p95": 0, "p99": 0, "max": 0}
    assert found["left_out"] == ["camera", "ledger", "trigger"]
    assert found == scored(tmp_path) | {"machine": found["machine"]}
    assert found["items_per_second"] == pytest.approx(1 / 2.2, rel=0.05)


def test_rejects_in_a_lane_with_labels_count_against_its_purity_and_not_that_of_the_accepted(
    tmp_path: Path,
) -> None:
    text = STATION.replace("  rejects: {}\n", "").replace("lane: rejects", "lane: rest")
    found = scored(tmp_path, text)
    assert found["lanes"]["rest"]["found"] == {"blue": 100, "green": 100, "grey": 100}
    assert found["purity"] == pytest.approx(200 / 400)
    assert found["purity_of_accepted"] == pytest.approx(200 / 300)
    assert found["purity_of_accepted_interval"] == pytest.approx([0.611, 0.718], abs=1e-3)


def test_a_rejected_item_is_looked_at_as_long_as_it_is_there(tmp_path: Path) -> None:
    found = scored(tmp_path, count=4, rate=0.1)
    # Three frames are clear. Of the rejected one each is looked at while it is in the middle, 0.2 s
    # of 20 frames, and one after it.
    assert found["frames"]["looked at"] in (3 * 3 + 4 + 1, 3 * 3 + 5 + 1)


def test_what_comes_too_late_is_rejected(tmp_path: Path) -> None:
    text = STATION + "decision: {deadline_seconds: 0.5}\n"
    found = scored(tmp_path, text, faults=tuple(read_faults("slow-inference:ms=400")))
    assert found["rejects"]["late"] > 200
    assert found["frame_age_ms"]["max"] > 0
    assert found["late"] == found["rejects"]["late"]


def test_faults_that_nothing_would_come_of_do_not_go_with_scores(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="light, touching: with --scores there are no pictures"):
        scored(tmp_path, faults=tuple(read_faults("light,slow-inference,touching")))
    with pytest.raises(UsageError, match=r"pause, slow-disk: .* only of slow-inference"):
        scored(tmp_path, faults=tuple(read_faults("pause,slow-inference,slow-disk")))
    with pytest.raises(UsageError, match="--items and --scores"):
        scored(tmp_path, items=tmp_path / "things")


def test_recorded_scores_have_a_usual_rate_though_nothing_could_be_drawn(tmp_path: Path) -> None:
    scored(tmp_path, count=1)
    plan = read_station(tmp_path / "station.yaml")
    options = SimulationOptions(scores=tmp_path / "scores.csv")
    assert usual_rate(plan, options) == pytest.approx(1 / 2.2)
