"""What people label on the pages becomes a better model: the whole way, on real photographs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.benchmarks import weekly_loop

WEIGHTS = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224_no_top.h5"


@pytest.mark.slow
def test_a_week_of_labels_makes_the_model_better_on_pictures_that_were_not_used(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    models = tmp_path / "keras" / "models"
    models.mkdir(parents=True)
    (models / WEIGHTS).symlink_to((shared / "keras" / "models" / WEIGHTS).resolve())
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("PILAH_CACHE", str(tmp_path / "cache"))
    photos = str(shared / "data" / "trashnet")
    weekly_loop.main([photos, str(tmp_path / "work"), "--quick"])
    said = capfd.readouterr().out
    found = json.loads(said.splitlines()[-1])
    assert found["sorted_with_the_right_bundles"]
    assert found["corrected"] > 0
    # Whether the rise is beyond chance is for `make bench-week`, which has more time and pictures.
    assert found["plastic from change"]["value"] > 0, said[-2000:]


def test_series_of_pictures_are_in_one_part_only(tmp_path: Path) -> None:
    for label in ("glass", "plastic", "paper"):
        (tmp_path / "photos" / label).mkdir(parents=True)
        for number in range(1, 41):
            (tmp_path / "photos" / label / f"{label}{number}.jpg").write_bytes(b"")
    work = tmp_path / "work"
    weekly_loop.divide(
        tmp_path / "photos", work, ("glass", "plastic"), new="plastic", block=4, seed=0
    )
    parts: dict[tuple[str, int], set[str]] = {}
    for file in work.rglob("*.jpg"):
        name = file.name.rpartition("@")[2]
        found = re.fullmatch(r"([a-z]+)(\d+)\.jpg", name)
        assert found is not None
        series = (int(found[2]) - 1) // 4
        parts.setdefault((found[1], series), set()).add(file.relative_to(work).parts[0])
    assert len(parts) == 20
    assert all(len(part) == 1 for part in parts.values())
    assert len(list((work / "first" / "plastic").iterdir())) == 12
    assert not (work / "first" / "paper").exists()
