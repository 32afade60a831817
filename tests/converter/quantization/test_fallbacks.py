"""If int8 answers too differently, fallbacks are tried, and the first that passes is kept."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from converter.cli import main
from converter.tflite.operators import read_operators
from edge.core.model.bundle import read_bundle
from edge.core.model.golden import check_golden_exactly
from tests.converter import hard
from tests.converter.runs import KERAS_READS_VARIABLES, make_run

pytestmark = pytest.mark.filterwarnings(KERAS_READS_VARIABLES)


def floats(model: bytes) -> set[str]:
    """The names of a model's operators that write float tensors."""
    return {op.name for op in read_operators(model) if "float32" in op.outputs}


def test_a_spike_is_clipped_away_before_anything_that_costs_the_device(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make_run(tmp_path, hard.save(hard.spiky(), tmp_path / "made.keras"))
    assert main(["convert", str(run), "--out", str(tmp_path / "bundle")]) == 0
    talk = capsys.readouterr().err
    assert "the int8 model does not pass the gate: trying the fallbacks" in talk
    assert "clipping: same label 100.0%" in talk
    bundle = read_bundle(tmp_path / "bundle")
    check_golden_exactly(bundle)
    attempts = bundle.manifest.figures["attempts"]
    assert [(a["remedy"], a["passed"]) for a in attempts] == [
        ("plain", False), ("other pictures", False), ("clipping", True),
    ]  # fmt: skip
    assert bundle.manifest.figures["int8"]["accuracy"] == 1
    assert floats(bundle.model) == {"DEQUANTIZE", "SOFTMAX"}
    card = (tmp_path / "bundle" / "card.md").read_text(encoding="utf-8")
    assert re.search("  - clipping: same label 100.0%.* [(]kept[)]\n", card)


@pytest.mark.slow
def test_what_integers_have_no_room_for_stays_in_float(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make_run(tmp_path, hard.save(hard.loud(), tmp_path / "made.keras"))
    assert main(["convert", str(run), "--out", str(tmp_path / "bundle"), "--json"]) == 0
    capsys.readouterr()
    bundle = read_bundle(tmp_path / "bundle")
    attempts = bundle.manifest.figures["attempts"]
    assert [a["remedy"] for a in attempts] == [
        "plain", "other pictures", "clipping", "head refitted", "wider layers",
    ]  # fmt: skip
    assert [a["passed"] for a in attempts] == [False] * 4 + [True]
    assert "CONCATENATION" in floats(bundle.model)
    assert bundle.manifest.figures["int8"]["accuracy"] == 1


def test_without_remedies_the_first_answer_is_the_last(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make_run(tmp_path, hard.save(hard.spiky(), tmp_path / "made.keras"))
    words = ["convert", str(run), "--out", str(tmp_path / "bundle"), "--no-fallbacks", "--json"]
    assert main(words) == 1
    shown = capsys.readouterr()
    assert "clipping" not in shown.err.partition("Try ")[0]
    assert json.loads(shown.out)["passed"] is False
    assert not (tmp_path / "bundle").exists()
