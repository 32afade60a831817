"""A training says at its end what is known of other networks, as its report does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge.core.errors import EXIT_OK
from tests.trainer.session.test_training import DRAWN, NO_TIME, draw_photos
from tests.trainer.tiny import tiny_network
from trainer.cli import main
from trainer.run import METRICS, RECIPE, REPORT

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

_MEASURED = """
measured:
  - network: convnet
    points: -2.5
    interval: [-4, -1]
    picture_time: 0.4
    trainings: 15
    pictures: discs
"""


def test_what_another_network_brought_is_told_at_the_end_and_in_the_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PILAH_CACHE", str(tmp_path / "cache"))
    draw_photos(tmp_path / "photos", count=12)
    (tmp_path / "drawn.yaml").write_text(DRAWN + _MEASURED, encoding="utf-8")
    run = tmp_path / "run"
    given = ["train", str(tmp_path / "drawn.yaml"), "--data", str(tmp_path / "photos")]
    with tiny_network():
        assert main([*given, "--out", str(run), *NO_TIME]) == EXIT_OK
    said = (
        "convnet: 2.5 points fewer right (1.0 to 4.0); a picture takes 0.4 times as long; "
        "15 trainings of each, on discs"
    )
    err = capsys.readouterr().err
    assert f"another network was measured with this recipe, {said}" in err
    assert "of other networks that were measured: none of them is better" in err
    page = (run / REPORT).read_text(encoding="utf-8")
    assert "What another network would cost and bring" in page
    (told,) = json.loads((run / METRICS).read_text(encoding="utf-8"))["measured"]
    assert (told["network"], told["points"]) == ("convnet", -2.5)
    assert "measured" not in (run / RECIPE).read_text(encoding="utf-8")
