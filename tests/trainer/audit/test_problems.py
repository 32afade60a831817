"""What spoils a training is said, and what does not is not called so."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge.core.errors import PictureSetError
from tests.trainer.audit.drawn import check_quickly, draw, write, write_set
from trainer.audit import check as module
from trainer.audit.check import CheckResult, check_pictures
from trainer.audit.problems import problems
from trainer.errors import WeightsMissingError

Change = Callable[[Path], object]


@pytest.fixture(autouse=True)
def without_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_quickly(monkeypatch, tmp_path / "cache")


def checked(folder: Path) -> CheckResult:
    return check_pictures(folder)


def told(found: CheckResult) -> dict[str, bool]:
    """Title -> whether it spoils a training."""
    return {problem.title: problem.spoils for problem in problems(found)}


def test_of_a_clean_set_nothing_spoils_a_training(tmp_path: Path) -> None:
    found = told(checked(write_set(tmp_path / "set")))
    assert not any(found.values())
    assert not any("background" in title.lower() for title in found)
    assert not any("wrong" in title for title in found)


def _contradiction(folder: Path) -> object:
    return shutil.copy(folder / "can" / "03.png", folder / "jar" / "same.png")


def _few(folder: Path) -> object:
    return [write(folder / "tin" / f"{i}.png", draw((200, 40, 40), 9000 + i)) for i in range(5)]


def _one_class(folder: Path) -> object:
    return shutil.rmtree(folder / "jar")


def _unreadable(folder: Path) -> object:
    return [(folder / "jar" / f"{i}.jpg").touch() for i in range(4)]


def _wrong_labels(folder: Path) -> object:
    write_set(folder, each=40)
    pairs = [("can", "jar"), ("jar", "can")]
    return [
        (folder / one / f"{i:02d}.png").rename(folder / other / f"x{i}.png")
        for one, other in pairs
        for i in (3, 6, 9, 12, 15)
    ]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_contradiction, "with different labels: can and jar"),
        (_few, "fewer than 6 readable pictures: tin (5)"),
        (_one_class, "only one class"),
        (_unreadable, "4 files cannot be read (4 empty)"),
        (_wrong_labels, "of 80 labels are wrong ("),
    ],
)
def test_what_spoils_a_training_is_said(tmp_path: Path, change: Change, words: str) -> None:
    folder = write_set(tmp_path / "set")
    change(folder)
    found = told(checked(folder))
    assert [title for title, spoils in found.items() if spoils and words in title], found


def test_a_board_of_its_own_gives_a_class_away(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set", each=40, boards={"can": 210, "jar": 90})
    found = told(checked(folder))
    assert found["The background gives can and jar away"]


def test_a_merged_set_is_called_so(tmp_path: Path) -> None:
    write_set(tmp_path / "own", each=30)
    for number in range(30):
        image = draw((40, 200, 200), 500 + number, board=120)
        write(tmp_path / "web" / "fruit" / f"{number}.png", np.vstack([image, image]))
    (tmp_path / "set.yaml").write_text("can: [own/can]\njar: [own/jar]\nfruit: [web/fruit]\n")
    found = told(checked(tmp_path / "set.yaml"))
    assert found["The set was merged, and fruit is told by the source alone"]


def test_one_unreadable_file_in_many_is_only_worth_a_look(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set")
    (folder / "jar" / "empty.jpg").touch()
    assert told(checked(folder))["1 file cannot be read (1 empty)"] is False


def test_copies_of_the_same_label_are_worth_a_look(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set")
    shutil.copy(folder / "can" / "03.png", folder / "can" / "same.png")
    assert told(checked(folder))["1 picture is a copy of others of the same class"] is False


def test_copies_in_two_parts_are_told(tmp_path: Path) -> None:
    for split in ("train", "test"):
        write_set(tmp_path / "set" / split)
    found = told(checked(tmp_path / "set"))
    assert any("lie in two splits" in title for title in found)


def test_without_weights_the_rest_is_checked_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(_: object) -> None:
        raise WeightsMissingError("the weights are not here")

    monkeypatch.setattr(module, "pooled_features", missing)
    found = checked(write_set(tmp_path / "set"))
    assert found.label_errors is None
    assert found.background is not None
    assert told(found)["Wrong labels and outliers were not looked for"] is False


def test_a_lopsided_set_names_the_largest_and_the_smallest(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set", each=6)
    rng = np.random.default_rng(0)
    for number in range(54):  # of noise: none is compared with all others, as alike ones are
        noise = rng.integers(0, 256, (96, 96, 3), np.uint8)
        write(folder / "can" / f"more{number}.png", noise)
    assert "can has 60 pictures, jar only 6" in told(checked(folder))


def test_where_nothing_can_be_read_there_is_nothing_to_check(tmp_path: Path) -> None:
    (tmp_path / "can").mkdir()
    (tmp_path / "can" / "a.jpg").touch()
    with pytest.raises(PictureSetError, match=r"none of its 1 picture can be read.*no bytes"):
        check_pictures(tmp_path)
