"""What is the matter with a camera is told by its name; and the comparison sees where it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.camera_faults import CAUSES, faults_of, measure, slow

WELL = {"cause": "one picture a second", "told": [], "items": 0}
BLACK = {
    "cause": "black", "name": "camera_black", "noticed": 0.6, "told": ["camera_black"], "over": 0.2,
    "items": 0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([WELL, BLACK], []),
        ([BLACK | {"noticed": 2.1}], ["black: noticed after 2.10 s"]),
        (
            [BLACK | {"noticed": None, "told": ["camera_lost"]}],
            ["black: not told as camera_black but as camera_lost"],
        ),
        ([BLACK | {"over": None}], ["black: it is mended, and that is not noticed"]),
        (
            [WELL | {"told": ["camera_lost"]}],
            ["one picture a second: it is well, and is told as camera_lost"],
        ),
        ([BLACK, WELL | {"items": 2}], ["2 items, though nothing passed"]),
    ],
)
def test_what_is_not_as_it_should_be_is_said(
    found: list[dict[str, object]], said: list[str]
) -> None:
    assert faults_of(found) == said


@pytest.mark.slow
def test_a_real_camera_that_hangs_dies_or_shows_nothing_is_told_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "fast").mkdir()
    found = [*measure(tmp_path / "fast"), slow(tmp_path)]
    for one in found:
        if one.get("noticed") is not None:
            one["noticed"] = 0.0  # a busy machine may take longer: `make bench-camera` measures it
    assert faults_of(found) == []
    assert [one["cause"] for one in found][:-1] == [cause for cause, _ in CAUSES]
