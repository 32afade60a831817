from __future__ import annotations

import sys
from pathlib import Path

import pytest

from edge.core.model.bundle import read_bundle
from tests.benchmarks.beside import measure, table

STAND_IN = """#!{python}
import sys
print("stand-in", flush=True)
for line in sys.stdin:
    print(1.5, flush=True)
"""


def test_each_way_takes_its_time_and_what_is_not_there_is_said(
    tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = measure(read_bundle(tiny_bundle), (160, 120), 4, Path("/bin/false"))
    assert list(found) == ["invoke", "pilah", "per frame", "PIL"]
    assert all(0 < found["invoke"] < found[name] for name in ("pilah", "per frame"))
    assert "MediaPipe  left out" in capsys.readouterr().err


def test_another_process_measures_itself(tiny_bundle: Path, tmp_path: Path) -> None:
    other = tmp_path / "python"
    other.write_text(STAND_IN.format(python=sys.executable))
    other.chmod(0o755)
    assert measure(read_bundle(tiny_bundle), (160, 120), 2, other)["MediaPipe"] == 1500


def test_ratios_are_of_medians() -> None:
    shown = table({"invoke": 4.0, "pilah": 5.0, "PIL": 10.0}).splitlines()
    assert shown[2].split() == ["pilah", "5.000", "ms", "1.250", "1.000"]
    assert shown[3].split() == ["PIL", "10.000", "ms", "2.500", "2.000"]
