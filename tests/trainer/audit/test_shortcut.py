"""A background of its own gives a class away; one that all share does not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from edge.core.dataset import LabelledPicture
from edge.core.images.quality import Quality
from trainer.audit import shortcut
from trainer.audit.file_facts import FileFacts
from trainer.audit.shortcut import file_table, frame_and_middle, measure_shortcut

EACH = 40


@pytest.fixture(autouse=True)
def few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is drawn here is told clearly: a few trees see it, in a fifth of the time."""
    monkeypatch.setattr(shortcut, "_TREES", 25)


def tensors(boards: tuple[int, int], things: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Of two classes EACH, 56x56: a board of a level with noise, a thing in the middle."""
    rng = np.random.default_rng(0)
    found = []
    for board, thing in zip(boards, things, strict=True):
        for _ in range(EACH):
            levels = np.full((56, 56, 3), board, np.float32) + rng.normal(0, 12, (1, 1, 3))
            levels[16:40, 16:40] = thing + rng.normal(0, 12, (1, 1, 3))
            found.append(np.clip(levels + rng.normal(0, 6, levels.shape), 0, 255))
    return np.array(found).astype(np.uint8)


PICTURES = [
    LabelledPicture(Path(f"{label}/{i}"), label, f"{label}/{i}")
    for label in ("can", "jar")
    for i in range(EACH)
]


@pytest.mark.parametrize(
    ("boards", "things", "frame_tells", "middle_tells"),
    [
        ((200, 200), (90, 90), False, False),
        ((200, 200), (60, 140), False, True),
        ((200, 110), (90, 90), True, False),
        ((200, 110), (60, 140), True, True),
    ],
)
def test_the_frame_and_the_middle_are_told_apart(
    boards: tuple[int, int], things: tuple[int, int], frame_tells: bool, middle_tells: bool
) -> None:
    frame, middle = frame_and_middle(tensors(boards, things))
    told = measure_shortcut(frame, PICTURES, middle=middle)
    assert (told.accuracy > 0.9) == frame_tells
    assert all((each.f1 > 0.9) == frame_tells for each in told.classes)
    assert all((each.middle_f1 > 0.9) == middle_tells for each in told.classes)
    if not frame_tells:
        assert abs(told.accuracy - told.chance) < 0.2


def test_intervals_keep_few_pictures_from_being_called_sure() -> None:
    frame, _ = frame_and_middle(tensors((200, 110), (90, 90))[EACH - 6 : EACH + 6])
    told = measure_shortcut(frame, PICTURES[EACH - 6 : EACH + 6])
    assert all(each.surely < 0.8 for each in told.classes)


def test_pictures_of_one_group_do_not_tell_one_another() -> None:
    """Each series has a light of its own that says nothing of the class."""
    rng = np.random.default_rng(0)
    light = np.repeat(rng.integers(60, 200, 8), 10)
    levels = np.repeat(light[:, None, None, None], 56, axis=1).repeat(56, axis=2).repeat(3, axis=3)
    pictures = [
        LabelledPicture(Path(str(i)), "can" if i // 10 % 2 else "jar", str(i // 10))
        for i in range(80)
    ]
    frame, _ = frame_and_middle(levels.astype(np.uint8))
    assert measure_shortcut(frame, pictures).accuracy < 0.75
    alone = [LabelledPicture(p.path, p.label, str(i)) for i, p in enumerate(pictures)]
    assert measure_shortcut(frame, alone).accuracy > 0.95


def test_files_of_another_camera_are_told() -> None:
    light = Quality(0, 255, 0)
    files = [FileFacts("", 1, 4000, 3000, "JPEG", 7, light)] * EACH
    files += [FileFacts("", 1, 800, 600, "PNG", 0, light)] * EACH
    assert measure_shortcut(file_table(files), PICTURES).accuracy == 1.0


def test_the_surest_pictures_come_first() -> None:
    frame, _ = frame_and_middle(tensors((200, 110), (90, 90)))
    right = measure_shortcut(frame, PICTURES).right
    assert len(set(right.tolist())) == len(right) > 70
