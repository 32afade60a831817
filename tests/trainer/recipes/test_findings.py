"""What FINDINGS.md says was measured can be measured again, by the commands that it names."""

from __future__ import annotations

import re

import pytest

from tests.test_readme import commands, links, parse
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
    for variant in (getattr(asked, "variants", None) or asked.variant).split(","):
        read_recipe(asked.recipe, variant=variant, settings=asked.settings)


def test_each_conclusion_has_one_of_four_verdicts() -> None:
    rows = re.findall(r"^\| \*(.+?)\* \|.*\| ([^|]+) \|$", TEXT, flags=re.MULTILINE)
    assert len(rows) >= 8, "seven of the shoes, and those of the fashion products"
    assert [row for row in rows if row[1] not in VERDICTS] == []


def test_what_is_better_was_measured() -> None:
    """The note by which a report offers `better` quotes the difference that FINDINGS.md has."""
    for name in shipped_recipes():
        recipe = read_recipe(name)
        offers = [note for note in recipe.notes if "--variant better" in note]
        assert len(offers) == ("better" in recipe.variants)
        for offer in offers:
            (gain,) = re.findall(r"(\d+\.\d points) more (\(\d+\.\d to \d+\.\d\))", offer)
            assert " ".join(gain) in SECTIONS[name]
            assert "times as long" in offer


def test_what_is_linked_is_there() -> None:
    for link in links(TEXT):
        assert (FILE.parent / link.partition("#")[0]).exists(), link
