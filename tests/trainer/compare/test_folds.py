"""Folds divide all pictures, whole groups together, and every split of a fold has every class."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.core.errors import StorageError
from tests.trainer.session.test_training import DRAWN, draw_photos
from tests.trainer.tiny import tiny_network
from trainer.compare.folds import fold_splits
from trainer.compare.trainings import ComparedPictures, DrawnSplit
from trainer.errors import TooFewPicturesError
from trainer.recipes.reading import read_recipe
from trainer.run import split_rows


@pytest.fixture(scope="module", autouse=True)
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("folds")
    draw_photos(folder / "photos", count=20)
    (folder / "drawn.yaml").write_text(DRAWN, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch, tiny_network():
        patch.setenv("PILAH_CACHE", str(folder / "cache"))
        yield folder


def divided(
    drawn: Path, out: Path, *, folds: int = 5, repeats: int = 1, groups: str = "blocks:2"
) -> list[DrawnSplit]:
    pictures = ComparedPictures(drawn / "photos", (), groups, None)
    recipe = read_recipe(str(drawn / "drawn.yaml"))
    return fold_splits(recipe, pictures, out, folds=folds, repeats=repeats, seed=0)


def test_each_picture_is_tested_once_a_repeat_and_its_group_with_it(
    drawn: Path, tmp_path: Path
) -> None:
    found = divided(drawn, tmp_path, repeats=2)
    assert [split.key for split in found] == [f"{r}.{f}" for r in (1, 2) for f in range(1, 6)]
    assert len({split.seed for split in found}) == 10
    rows = [split_rows(split.file) for split in found if split.file is not None]
    tested = Counter(row.sha256 for fold in rows for row in fold if row.split == "test")
    assert set(tested.values()) == {2}
    assert len(tested) == 60
    for fold in rows:
        splits = {row.group: row.split for row in fold}
        assert all(splits[row.group] == row.split for row in fold)
        counts = Counter((row.label, row.split) for row in fold)
        assert len(counts) == 9
        # 4 of 20 are tested on, and of the others about as many validate as the recipe says.
        assert {counts[label, "test"] for label, _ in counts} == {4}
        assert {counts[label, "validation"] for label, _ in counts} == {2}
    first, second = ({r.sha256 for r in rows[i] if r.split == "test"} for i in (0, 5))
    assert first != second


def test_the_same_folds_are_found_again_and_others_are_refused(drawn: Path, tmp_path: Path) -> None:
    once = divided(drawn, tmp_path, folds=2)
    longer = divided(drawn, tmp_path, folds=2, repeats=2)
    assert longer[:2] == once
    with pytest.raises(StorageError, match="made of other pictures, or divided otherwise"):
        divided(drawn, tmp_path, folds=2, groups="blocks:5")


@pytest.mark.parametrize(("folds", "groups"), [(4, "blocks:7"), (5, "blocks:5")])
def test_a_class_of_too_few_groups_is_told(
    drawn: Path, tmp_path: Path, folds: int, groups: str
) -> None:
    with pytest.raises(TooFewPicturesError) as caught:
        divided(drawn, tmp_path, folds=folds, groups=groups)
    count = math.ceil(20 / int(groups.partition(":")[2]))
    assert f"class 'cyan' has {count} separate groups of pictures, and with" in str(caught.value)
    assert f"--folds {folds} none is left for the " in str(caught.value)
