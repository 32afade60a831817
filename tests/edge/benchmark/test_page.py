from __future__ import annotations

import re
from pathlib import Path

from edge.benchmark.comparison import Change
from edge.benchmark.page import write_bench_page
from edge.benchmark.series import Measured, Minute
from edge.telemetry.hardware import Heat
from tests.edge.benchmark.test_series import benchmark, series


def accuracy(share: float) -> dict[str, object]:
    return {"accuracy": share, "accuracy_interval": [share - 0.05, share + 0.05], "images": 100}


def test_the_page_has_times_histograms_heat_and_the_bundles_that_none_beats(tmp_path: Path) -> None:
    found = series(
        Measured(benchmark("small <1>", total=2), accuracy(0.80)),
        Measured(benchmark("worse 1", total=4), accuracy(0.75)),
        Measured(benchmark("large 1", total=6), accuracy(0.9), [Minute(3.1, 3.2, Heat(71.5, 0x4))]),
    )
    write_bench_page(tmp_path / "b.html", found, [Change("large 1, invoke", 2.0, 3.0)])
    page = (tmp_path / "b.html").read_text("utf-8")
    assert "small &lt;1&gt;" in page
    assert "small <1>" not in page
    assert "71.5 degrees Celsius" in page
    assert "throttled now" in page
    assert "large 1, invoke: 2.000 -&gt; 3.000 ms (+50.0 %)" in page
    (line,) = re.findall(r'<polyline points="([^"]+)"', page)
    assert len(line.split()) == 2  # the small one and the large one
    assert page.count("<figure>") == 4
    assert not re.findall(r'(?:src|href)="(?!#)', page)


def test_one_bundle_has_no_chart_of_accuracy(tmp_path: Path) -> None:
    write_bench_page(
        tmp_path / "b.html",
        series(Measured(benchmark(), accuracy(0.8)), Measured(benchmark(), None)),
    )
    assert "Accuracy against time" not in (tmp_path / "b.html").read_text("utf-8")
