"""What FINDINGS.md says was measured can be measured again, by the commands that it names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.test_readme import commands, links, parse
from trainer.recipes.plan import Recipe
from trainer.recipes.reading import read_recipe, recipe_path, shipped_recipes

FILE = recipe_path("garbage").with_name("FINDINGS.md")
TEXT = FILE.read_text(encoding="utf-8")
SECTIONS = dict(
    re.findall(r"^## `(\w+)`.*?\n(.*?)(?=^## |\Z)", TEXT, flags=re.DOTALL | re.MULTILINE)
)
"""The text of each recipe's section, by the recipe's name."""
SYSTEMS = [name for name in shipped_recipes() if "published" in read_recipe(name).variants]
VERDICTS = ("supported", "not supported", "not decidable with this much data", "not measured yet")


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_system_that_was_published_has_a_section(name: str) -> None:
    assert "Published:" in SECTIONS[name]
    assert "Here:" in SECTIONS[name]
    assert commands(SECTIONS[name])


@pytest.mark.parametrize("line", sorted(set(commands(TEXT))))
def test_what_was_measured_can_be_measured_again(line: str) -> None:
    asked = parse(line)
    if not hasattr(asked, "recipe"):  # `evaluate RUN`, which has its own
        return
    for variant in (getattr(asked, "variants", None) or asked.variant).split(","):
        read_recipe(asked.recipe, variant=variant, settings=asked.settings)


def test_each_conclusion_has_one_of_four_verdicts() -> None:
    rows = re.findall(r"^\| \*(.+?)\* \|.*\| ([^|]+) \|$", TEXT, flags=re.MULTILINE)
    assert len(rows) >= 8, "seven of the shoes, and those of the fashion products"
    assert [row for row in rows if row[1] not in VERDICTS] == []


def unfounded(recipe: Recipe, section: str) -> list[str]:
    """What a recipe says of other networks, and a section of FINDINGS.md does not say so, too."""
    found = []
    for each in recipe.measured:
        low, high = each.interval or (0.0, 0.0)
        gain = f"{abs(each.points):.1f} points {'fewer' if each.points < 0 else 'more'}"
        if each.interval is not None:
            gain += f" ({low:.1f} to {high:.1f})"
        rows = [line for line in section.splitlines() if f"`{each.way}`" in line]
        times = [each.picture_time, each.training_time]
        wanted = [gain, *(f"{time:.1f} times" for time in times if time is not None)]
        found += [f"{each.way}: {x}" for x in wanted if not any(x in row for row in rows)]
    shown = [
        each
        for each in recipe.measured
        if each.variant == "better" and each.sure and each.points > 0 and each.picture_time
    ]
    if "better" in recipe.variants and not shown:
        found.append("better: not measured to be so")
    return found


@pytest.mark.parametrize("name", shipped_recipes())
def test_what_other_networks_brought_was_measured(name: str) -> None:
    assert unfounded(read_recipe(name), SECTIONS.get(name, "")) == []


def test_the_networks_that_were_measured_are_in_the_recipes() -> None:
    there = {(name, each.way) for name in shipped_recipes() for each in read_recipe(name).measured}
    told = {
        (name, way)
        for name, section in SECTIONS.items()
        for way in re.findall(r"^\| `(\w+)` .*\d points (?:more|fewer)", section, re.MULTILINE)
    }
    assert there >= told > set()


@pytest.mark.parametrize(
    ("changes", "row", "missing"),
    [
        ({}, "| `better` | 2.9 points more (1.1 to 4.7) | 1.3 times |", []),
        ({}, "| `better` | 2.8 points more (1.1 to 4.7) | 1.3 times |", ["better: 2.9 points"]),
        ({}, "| `other` | 2.9 points more (1.1 to 4.7) | 1.3 times |", ["better: ", "better: "]),
        (
            {"interval": [-0.2, 6.0]},
            "| `better` | 2.9 points more (-0.2 to 6.0) | 1.3 times |",
            ["better: not measured to be so"],
        ),
    ],
)
def test_a_better_variant_needs_a_measurement(
    changes: dict[str, Any], row: str, missing: list[str], tmp_path: Path
) -> None:
    measured = {
        "variant": "better", "points": 2.9, "interval": [1.1, 4.7], "picture_time": 1.3,
        "trainings": 15, "pictures": "photographs",
    }  # fmt: skip
    file = tmp_path / "mine.yaml"
    plan = {
        "name": "mine",
        "phases": [{"name": "a", "train_from": "pooled", "epochs": 1, "learning_rate": 0.1}],
        "measured": [measured | changes],
        "variants": {"better": {"network.name": "efficientnet_lite0"}},
    }
    file.write_text(yaml.safe_dump(plan), encoding="utf-8")
    found = unfounded(read_recipe(str(file)), row)
    assert len(found) == len(missing)
    assert all(said.startswith(start) for said, start in zip(found, missing, strict=True))


def test_what_is_linked_is_there() -> None:
    for link in links(TEXT):
        assert (FILE.parent / link.partition("#")[0]).exists(), link
