"""A station on a simulated belt: its real code, the truth beside it, and the same every time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from edge.config.reading import read_station
from edge.core.errors import UsageError
from edge.simulation.options import SimulationOptions
from edge.simulation.simulate import simulate
from tests.edge.simulation.photographs import STATION, belt_station

pytestmark = pytest.mark.usefixtures("ledger_within")


def simulated(folder: Path, text: str = STATION, **options: Any) -> dict[str, Any]:
    file = folder / "station.yaml"
    if not file.exists():
        belt_station(folder)
    file.write_text(text, encoding="utf-8")
    asked = {"items": folder / "things", "count": 6, "seed": 1} | options
    return simulate(read_station(file), SimulationOptions(**asked)).to_json()


@contextmanager
def busy_machine() -> Iterator[None]:
    """Threads that compete for this process's time."""
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            sum(range(1000))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    yield
    over.set()
    for thread in threads:
        thread.join()


def test_each_item_gets_one_verdict_and_falls_into_its_lane_the_same_way_under_load(
    tmp_path: Path,
) -> None:
    found = simulated(tmp_path)
    assert found["items"] == 6
    assert found["verdicts"] == {
        "one": 6, "none": 0, "several": 0, "without_item": 0, "unwritten": 0,
    }  # fmt: skip
    assert {name: lane["found"] for name, lane in found["lanes"].items()} == {
        "warm": {"red": 2}, "cold": {"blue": 2}, "rest": {"green": 2}, "rejects": {},
    }  # fmt: skip
    assert found["purity"] == found["recovery"] == 1
    assert found["purity_interval"][0] == pytest.approx(0.61, abs=0.01)
    assert found["confusion"]["red"] == {
        "red": 2, "green": 0, "blue": 0, "rejected": 0, "no verdict": 0,
    }  # fmt: skip
    assert found["landing_ms"]["count"] == 4
    assert found["landing_ms"]["max"] < 10
    assert found["landing_mm"]["max"] == pytest.approx(0.4 * found["landing_ms"]["max"], abs=0.01)
    assert found["machine"].pop("seconds") > 0
    with busy_machine():
        again = simulated(tmp_path)
    assert found | {"machine": 0} == again | {"machine": 0}
    assert not (tmp_path / "ledger.sqlite").exists()


def test_a_label_in_the_wrong_lane_and_an_unsure_one_show_in_the_figures(tmp_path: Path) -> None:
    text = STATION.replace("[red]", "[x]").replace("[blue]", "[red]").replace("[x]", "[blue]")
    text += "decision: {accept: {green: 1.0}}\n"
    found = simulated(tmp_path, text)
    # What the station calls red is red: it is in the lane for red, wherever that is.
    assert found["lanes"]["cold"]["found"] == {"red": 2}
    assert found["rejects"] == {"low_confidence": 2}
    assert found["lanes"]["rejects"]["found"] == {"green": 2}
    assert found["lanes"]["rest"]["recovery"] == 0
    assert (found["purity"], found["recovery"]) == (1, pytest.approx(4 / 6))


def test_a_rate_is_met_where_the_belt_allows_it(tmp_path: Path) -> None:
    assert simulated(tmp_path, rate=0.5)["items_per_second"] == pytest.approx(0.5, rel=0.15)


def test_a_station_whose_labels_cannot_be_drawn_asks_for_photographs(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"knows red, green, blue.*--items FOLDER"):
        simulated(tmp_path, items=None)


def test_a_rate_that_no_belt_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"spacing_views.*another --rate"):
        simulated(tmp_path, rate=1e-6)
