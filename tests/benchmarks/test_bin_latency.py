from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.bin_latency import PARTS, measure, quantiles, table


def test_the_parts_of_an_item_s_time_are_told_apart(tiny_bundle: Path) -> None:
    found = measure(tiny_bundle, 1, still_seconds=0.1, turn_seconds=0.05)
    (item,) = found
    assert item["flap"] == 0.05
    assert item["settling"] >= 0.1
    assert item["frames"] > 0  # no vote is clear after its first picture
    assert item["ours"] > 0
    assert item["whole"] == pytest.approx(sum(item[part] for part in PARTS[:-1]))
    shown = table(quantiles(found), 1).splitlines()
    assert [line.split()[0] for line in shown[1:]] == list(PARTS)
