from __future__ import annotations

import pytest

from tests.benchmarks.fleet import measure


@pytest.mark.slow
def test_a_small_fleet_loses_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert measure(stations=2, rate=5, seconds=2.0, processes=1) == 0
    out = capsys.readouterr().out
    assert "2 stations recorded 20 items" in out
    assert "mqtt      0 lost" in out
    assert "postgres  0 lost, 0 twice" in out
