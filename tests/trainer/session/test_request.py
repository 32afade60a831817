"""What was asked for, as a command that asks for the same again."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from trainer.recipes.reading import read_recipe
from trainer.session.request import TrainingRequest

PLAIN: dict[str, Any] = {
    "recipe": read_recipe("mobilenet_v2"),
    "name": "mobilenet_v2",
    "data": Path("photos"),
    "out": Path("runs/first"),
    "variant": "default",
    "settings": (),
    "add": (),
    "groups": None,
    "keep_parts": None,
    "from_run": None,
    "seed": 0,
    "max_minutes": None,
}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, ""),
        ({"variant": "scratch"}, " --variant scratch"),
        ({"settings": ("batch_size=8", "seed=1")}, " --set batch_size=8 --set seed=1"),
        ({"add": ("later", Path("last"))}, " --add later --add last"),
        ({"groups": "blocks:20"}, " --groups blocks:20"),
        ({"keep_parts": Path("runs/old")}, " --keep-parts runs/old"),
        ({"from_run": Path("runs/old")}, " --from runs/old"),
        ({"max_minutes": 2.5}, " --max-minutes 2.5"),
    ],
)
def test_the_command_has_what_was_asked_for_and_does_not_name_the_run_that_is_there(
    options: dict[str, Any], words: str
) -> None:
    request = TrainingRequest(**PLAIN | options)
    start = "pilah-trainer train mobilenet_v2 --data photos --out runs/first-again"
    assert shlex.join(request.command()) == f"{start}{words} --seed 0"


@pytest.mark.parametrize(("asked", "minutes"), [(None, 14), (3.0, 3)])
def test_minutes_that_were_asked_for_go_before_the_recipe_s(
    asked: float | None, minutes: float
) -> None:
    request = TrainingRequest(**PLAIN | {"max_minutes": asked})
    assert PLAIN["recipe"].max_minutes == 14
    assert request.minutes == minutes


def test_the_checkpoint_lies_beside_the_run() -> None:
    request = TrainingRequest(**PLAIN)
    assert request.unfinished == Path("runs/.first.training").absolute()
