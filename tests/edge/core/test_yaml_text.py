"""What is said to somebody who writes a number in another unit than its key names."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.cli import main
from edge.core.errors import EXIT_CONFIG
from edge.core.yaml_text import smaller_unit_advice, unit_advice
from tests.edge.stations import STATION, make_station


@pytest.mark.parametrize(
    ("key", "text", "said"),
    [
        ("delay_seconds", "300 ms", ": write 0.3 alone, as the key says its unit"),
        ("metres_per_second", "20cm/s", ": write 0.2 alone, as the key says its unit"),
        ("metres_per_second", "12 m/min", ": write 0.2 alone, as the key says its unit"),
        ("distance_metres", "0,4 m", ": write 0.4 alone, as the key says its unit"),
        ("exposure_microseconds", "5 ms", ": write 5000 alone, as the key says its unit"),
        ("starved_minutes", "90 s", ": write 1.5 alone, as the key says its unit"),
        ("metres_per_second", "20 mph", ": write a number alone, without a unit"),
        ("min_area", "1%", ": write a number alone, without a unit"),
        ("rest_angle", "60°", ": write a number alone, without a unit"),
        ("delay_seconds", "1,500 ms", ": write a number alone, without a unit"),
        ("delay_seconds", "0,500 s", ": write 0.5 alone, as the key says its unit"),
        ("delay_seconds", "soon", ""),
        ("delay_seconds", "1e400", ""),
        ("delay_seconds", "", ""),
    ],
)
def test_a_number_with_its_unit_is_told_without(key: str, text: str, said: str) -> None:
    assert unit_advice(key, text) == said


@pytest.mark.parametrize(
    ("key", "received", "most", "said"),
    [
        ("hold_seconds", 150, 60, ": if milliseconds are meant, write 0.15"),
        ("distance_metres", 300, 100, ": if millimetres are meant, write 0.3"),
        ("metres_per_second", 200, 20, ": if millimetres a second are meant, write 0.2"),
        ("blue", 90, 1, ": if per cent are meant, write 0.9"),
        ("debounce_seconds", 20, 1, ": if milliseconds are meant, write 0.02"),
        ("hold_seconds", 1e6, 60, ""),
        ("width", 9000, 8192, ""),
    ],
)
def test_a_number_that_is_too_large_may_be_of_a_smaller_unit(
    key: str, received: float, most: float, said: str
) -> None:
    assert smaller_unit_advice(key, received, most) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("150 ms", "hold_seconds: must be a valid number. Received: '150 ms': write 0.15 alone"),
        ("150", "equal to 60. Received: 150: if milliseconds are meant, write 0.15\n"),
    ],
)
def test_check_says_it_of_a_station_file(
    value: str, said: str, tmp_path: Path, tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = STATION.replace("hold_seconds: 0.1", f"hold_seconds: {value}", 1)
    station = make_station(tmp_path, text=text, bundle=tiny_bundle)
    assert main(["check", str(station)]) == EXIT_CONFIG
    assert said in capsys.readouterr().err
