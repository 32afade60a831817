from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge.benchmark.comparison import (
    changes,
    check_comparable,
    differences,
    not_compared,
    read_series,
)
from edge.benchmark.frame_to_verdict import Percentiles
from edge.benchmark.rehearsal import WAYS, Rehearsal
from edge.benchmark.series import Measured, Series
from edge.core.errors import UsageError
from tests.edge.benchmark.test_series import benchmark, series


def written(path: Path, found: Series) -> Path:
    file = path / "old.json"
    file.write_text(json.dumps(found.to_json()), "utf-8")
    return file


def test_the_same_bundle_is_compared_though_its_version_is_newer(tmp_path: Path) -> None:
    old = read_series(written(tmp_path, series(Measured(benchmark("first 1", total=2), None))))
    now = series(
        Measured(benchmark("first 2", total=3), None), Measured(benchmark("other 1"), None)
    ).to_json()
    invoke, total = changes(old, now)
    assert (total.before_ms, total.now_ms) == (1.0, 1.5)
    assert total.percent == pytest.approx(50)
    assert str(invoke) == "first 2, 1 thread, invoke: 1.000 -> 1.500 ms (+50.0 %)"


def test_whole_stations_are_compared_too(tmp_path: Path) -> None:
    def with_station(name: str, milliseconds: float) -> Series:
        times = dict.fromkeys(WAYS, Percentiles(*[milliseconds] * 4))
        found = series(Measured(benchmark(name), None))
        found.rehearsals.append(Rehearsal(name, times, 300, 0, 0, "mock pins"))
        return found

    old = read_series(written(tmp_path, with_station("first 1", 0.1)))
    *_, pin, worst = changes(old, with_station("first 2", 0.3).to_json())
    assert str(pin) == "first 2, a whole station, verdict to pin: 0.100 -> 0.300 ms (+200.0 %)"
    assert str(worst).startswith("first 2, a whole station, verdict to pin, p99: 0.100 -> 0.300")
    assert (pin.limited, worst.limited) == (True, False)
    assert len([*changes(old, with_station("other 1", 0.3).to_json())]) == 0
    without = series(Measured(benchmark("first 1"), None)).to_json()
    assert len([*changes(without, with_station("first 2", 0.3).to_json())]) == 2
    assert not_compared(without, with_station("first 2", 0.3).to_json()) == []
    assert not_compared(old, without) == [
        "first as a whole station was measured then, and is not now"
    ]
    assert not_compared(old, with_station("other 1", 0.3).to_json()) == [
        "first with 1 thread was measured then, and is not now",
        "first as a whole station was measured then, and is not now",
    ]


def test_what_cannot_be_compared_is_said_before_it_is_measured(tmp_path: Path) -> None:
    old = read_series(written(tmp_path, series(Measured(benchmark("first 1"), None))))
    check_comparable(old, pixels="640x480", keys={("first 9", 1), ("second 1", 2)})
    with pytest.raises(UsageError, match="there is first with 1 thread"):
        check_comparable(old, pixels="640x480", keys={("first 1", 2)})
    with pytest.raises(UsageError, match="those frames had 640x480 pixels, these have 1x1"):
        check_comparable(old, pixels="1x1", keys={("first 1", 1)})


def test_another_machine_and_another_runtime_are_told_with_the_comparison(tmp_path: Path) -> None:
    old = series(Measured(benchmark("first 1"), None)).to_json()
    now = series(Measured(benchmark("first 2"), None)).to_json()
    assert differences(old, now) == []
    old["trigger"] = "continuous"
    old["machine"]["model"], old["measurements"][0]["xnnpack"] = "Raspberry Pi 3", False
    assert differences(old, now) == [
        "that was another machine (Raspberry Pi 3), not this one (a board)",
        "the trigger was of the kind continuous, and is motion",
        "first 2: xnnpack was False, and is True",
    ]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"measurements": 1}', '{"frame": "x", "measurements": [{"stages": 0}]}'],
)
def test_a_file_that_is_no_benchmark_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "old.json"
    file.write_text(text)
    with pytest.raises(UsageError, match="is no benchmark: give a file that"):
        read_series(file)
    with pytest.raises(UsageError, match="cannot be read"):
        read_series(tmp_path / "none.json")


def test_a_file_without_the_trigger_s_time_is_measured_again(tmp_path: Path) -> None:
    old = series(Measured(benchmark("first 1"), None)).to_json()
    del old["measurements"][0]["stages"]["trigger"]
    file = tmp_path / "old.json"
    file.write_text(json.dumps(old), "utf-8")
    with pytest.raises(UsageError, match=r"^--compare \S+: was measured by an earlier pilah"):
        read_series(file)
