"""A cross-validation tells how sure its figure is: by groups of pictures, and by folds."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.core.errors import EXIT_OK, EXIT_USAGE
from tests.trainer.session.test_training import DRAWN, NO_TIME, draw_photos
from tests.trainer.tiny import tiny_network
from trainer.cli import main

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module", autouse=True)
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with `photos`, 12 of each class, and `drawn.yaml`."""
    folder = tmp_path_factory.mktemp("crossed")
    draw_photos(folder / "photos", count=12)
    (folder / "drawn.yaml").write_text(DRAWN, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch, tiny_network():
        patch.setenv("PILAH_CACHE", str(folder / "cache"))
        yield folder


def words(folder: Path) -> list[str]:
    return ["cross-validate", str(folder / "drawn.yaml"), "--data", str(folder / "photos")]


def test_pictures_of_a_group_count_as_the_groups_that_they_are(
    drawn: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    widths = []
    for groups in ([], ["--groups", "blocks:4"]):
        given = [*words(drawn), "--folds", "3", "--repeats", "2", *groups, *NO_TIME, "--json"]
        assert main(given) == EXIT_OK
        captured = capsys.readouterr()
        told = json.loads(captured.out)
        low, high = told["interval"]
        assert 0 <= low <= told["accuracy"] <= high <= 1
        assert told["images"] == 36
        assert len(told["folds"]) == 6
        assert len(told["repeat_intervals"]) == 2
        assert re.search(r"accuracy [\d.]+% \([\d.]+% to [\d.]+%\)", captured.err)
        widths.append(high - low)
    assert widths[1] > widths[0]


def test_that_a_given_split_is_not_kept_is_said(
    drawn: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for split, numbers in {"train": range(8), "val": range(8, 12)}.items():
        for label in (drawn / "photos").iterdir():
            (tmp_path / split / label.name).mkdir(parents=True)
            for number in numbers:
                shutil.copy(label / f"{number}.png", tmp_path / split / label.name)
    given = ["cross-validate", str(drawn / "drawn.yaml"), "--data", str(tmp_path)]
    assert main([*given, "--folds", "2", *NO_TIME]) == EXIT_OK
    said = capsys.readouterr().err
    assert re.search(r"the pictures come with a split \([a-z, ]+\), which folds do not keep", said)
    assert main([*words(drawn), "--folds", "2", *NO_TIME]) == EXIT_OK
    assert "come with a split" not in capsys.readouterr().err


def test_one_fold_has_nothing_to_train_on(drawn: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words(drawn), "--folds", "1"]) == EXIT_USAGE
    assert "--folds must be 2 or more. Received: 1" in capsys.readouterr().err
