from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.cli import main
from edge.core.errors import EXIT_DATA, EXIT_OK, EXIT_USAGE
from tests.edge.receiving.codes.test_ladder import TEXTS, drawn


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder with a picture of each code, and one without any."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in TEXTS:
        cv2.imwrite(str(folder / f"{name}.png"), drawn(name))
    cv2.imwrite(str(folder / "none.png"), np.full((100, 100), 90, np.uint8))
    return folder


def test_each_picture_has_a_line_with_its_code(
    pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["codes", str(pictures)]) == EXIT_OK
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(TEXTS) + 1
    by_name = {Path(line.partition(":")[0]).stem: line for line in lines}
    assert f"ean13 {TEXTS['ean13']} (GTIN 04006381333931)  plain  " in by_name["ean13"]
    assert "(GTIN 04006381333931, lot L7)" in by_name["qr"]
    assert ": no code  " in by_name["none"]


def test_json_has_what_a_code_means(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["codes", str(pictures / "qr.png"), "--formats", "qr, ean13", "--json"]) == EXIT_OK
    answer = json.loads(capsys.readouterr().out)
    assert answer.pop("milliseconds") > 0
    assert answer == {
        "path": str(pictures / "qr.png"),
        "rung": "plain",
        "codes": [
            {"text": TEXTS["qr"], "format": "qr", "gtin": "04006381333931", "sscc": None,
             "lot": "L7", "expiry": None, "serial": None}
        ],
    }  # fmt: skip


def test_formats_that_are_not_asked_for_are_not_read(
    pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["codes", str(pictures / "qr.png"), "--formats", "ean13", "--plain"]) == EXIT_OK
    assert ": no code  " in capsys.readouterr().out


def test_an_unknown_format_is_told(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["codes", str(pictures), "--formats", "ean-13"]) == EXIT_USAGE
    assert "there is no format 'ean-13'. Did you mean ean13?" in capsys.readouterr().err


def test_what_is_no_picture_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.png").write_text("no picture")
    assert main(["codes", str(tmp_path / "a.png")]) == EXIT_DATA
    (tmp_path / "empty").mkdir()
    assert main(["codes", str(tmp_path / "empty")]) == EXIT_DATA
    assert "there are no pictures in this folder" in capsys.readouterr().err
