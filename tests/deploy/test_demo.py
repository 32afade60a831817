"""The whole demo, small: too few pictures to sort well, enough to see that every part fits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deploy.demo.drawn import LABELS, drawn_demo
from deploy.demo.folder import BUNDLE, LEDGER, RUN, SHEET, SUMMARY, TRUTH
from edge.ledger.ledger import Ledger
from edge.simulation.belt.traffic import read_ground_truth


@pytest.mark.slow
def test_every_drawn_item_gets_one_verdict_and_the_summary_tells_where_it_fell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PILAH_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "demo"
    well = drawn_demo(folder, seed=3, items=12, photographs=30)
    summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    assert summary["passed"] is well is (not summary["problems"])
    assert (summary["items"], summary["verdicts"]) == (12, 12)
    lost = sum(lane["items"] for lane in summary["lanes"].values()) - summary["in_their_lanes"]
    assert bool(lost) is bool(summary["astray"])
    assert summary["one_verdict_each"] is True
    assert set(summary["lanes"]) == {*LABELS, "rest"}
    # Where they fell is counted from the flaps, and every item fell somewhere.
    assert sum(lane["items"] for lane in summary["lanes"].values()) == 12
    for label in LABELS:
        assert summary["lanes"][label]["recovery"] is not None
    assert {"photographs", "training", "conversion", "check", "belt"} == set(summary["stages"])
    assert all(0 <= summary[f"accuracy_{kind}"] <= 1 for kind in ("float", "int8"))
    assert "plumbing, not the eye" in summary["note"]
    assert len(list(read_ground_truth(folder / TRUTH))) == 12
    with Ledger(folder / LEDGER) as ledger:
        assert len(list(ledger.entries())) == 12
    assert (folder / RUN / "confusion.svg").is_file()
    assert (folder / BUNDLE / "card.md").is_file()
    assert (folder / SHEET).read_text(encoding="utf-8").count("<img") == 12
