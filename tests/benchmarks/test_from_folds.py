from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.benchmarks.from_folds import compared
from tests.trainer.session.test_training import BGR, DRAWN, draw_photos
from tests.trainer.tiny import tiny_network
from trainer.run import earlier_rows

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def test_no_ancestor_of_a_model_has_met_what_it_is_tested_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PILAH_CACHE", str(tmp_path / "cache"))
    both = draw_photos(tmp_path / "both")
    recipe = tmp_path / "drawn.yaml"
    recipe.write_text(DRAWN.replace("epochs: 20", "epochs: 2"), encoding="utf-8")
    # The second set has half of the pictures, in two classes where the first has three.
    rows = [
        (path, "warm" if label == "red" else "cold")
        for label in BGR
        for path in sorted((both / label).iterdir())[::2]
    ]
    with (tmp_path / "second.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("path", "label"), *rows])
    with tiny_network():
        found = compared(
            tmp_path / "work", (str(recipe), both), (str(recipe), tmp_path / "second.csv"), folds=2
        )
    assert [way.name for way in found.ways].count("from the first") == 1
    tested = [set(each.predictions) for each in found.ways[0].outcomes]
    assert len(set.union(*tested)) == sum(map(len, tested)) == len(rows)
    for fold, pictures in zip(sorted((tmp_path / "work").iterdir()), tested, strict=True):
        learned = {row.sha256 for row in earlier_rows(fold / "first") if row.split != "test"}
        assert learned
        assert not learned & pictures
