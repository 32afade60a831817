"""Recipes, as `pilah-trainer train` reads them, each also with a `--set` and in every variant."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

from edge.core.errors import ConfigError, UsageError
from tests.fuzz.target import Target
from trainer.recipes.reading import read_recipe, recipe_yaml


def _feed(content: bytes) -> None:
    """The first line is a `--set`, the rest is the recipe."""
    setting, _, text = content.partition(b"\n")
    file = _folder() / "mine.yaml"
    file.write_bytes(text)
    variants = ["default"]
    try:
        recipe = read_recipe(str(file))
        variants += recipe.variants
        recipe_yaml(recipe)
    except ConfigError:
        pass
    for variant in variants[:4]:
        try:
            read_recipe(str(file), variant=variant, settings=[setting.decode("utf-8", "replace")])
        except (ConfigError, UsageError):
            continue


@functools.cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="pilah-fuzz."))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


_RECIPE = """\
name: mine
network: {name: mobilenet_v2, alpha: 0.35, weights: imagenet}
input: {height: 96, width: 96}
augment: {rotate: 5, randaugment: {layers: 2, leave_out: [colour]}}
phases:
  - {name: head, train_from: pooled, epochs: 1, learning_rate: 1e-3, stop_at: {accuracy: 0.9}}
  - {name: all, train_from: input, epochs: 2, learning_rate: 0.0001, if_time: true, ema: 0.9}
max_minutes: 5
variants:
  wide: {network.alpha: 1.0, phases.head.epochs: 3}
"""


def _seeds() -> list[bytes]:
    settings = ("network.alpha=0.35", "phases.head.epochs=4", "network.alpha=0,35", "phases=4")
    return [f"{setting}\n{_RECIPE}".encode() for setting in settings]


TARGET = Target(
    _feed,
    _seeds,
    words=(
        b"&a ", b"*a", b"<<: *a", b"!!int ", b"!!float ''", b"? [a]\n: b\n", b"[[[[[[[[", b"- - - ",
        b": ", b"\n  ", b"\\0", b"\"", b"'", b"|\n", b"---\n", b"017", b"0b1", b"1:30", b".nan",
        b"1e999", b"9" * 5000, b"a.b.c.d", b"variants: ", b"phases: ", b"name: ", b"network.alpha",
        b"phases.head.", b"train_from: ", b"=", b"null", b"[]", b"{}", b"\xff", b"\xe2\x80\xa8",
    ),
)  # fmt: skip
