"""The pages and the schema that are made from the models: current, whole, and their links lead."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field

from deploy import reference
from edge.config.publish.mqtt import MqttSettings
from edge.config.schema import schema_of
from edge.core.yaml_file import FilePath, Section
from edge.state.incidents.kinds import INCIDENTS
from edge.state.keeper import FROM_AFAR
from tests.test_readme import anchors, links

PAGES = reference.pages()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_what_is_made_from_the_models_is_current(path: Path) -> None:
    assert path.read_text("utf-8") == PAGES[path], "run `make reference`"


@pytest.mark.parametrize("path", [p for p in PAGES if p.suffix == ".md"], ids=lambda p: p.name)
def test_every_key_is_explained_and_every_link_leads_somewhere(path: Path) -> None:
    text = PAGES[path]
    rows = re.findall(r"^\| (`\w+`) \| .* \| (.*) \|$", text, re.MULTILINE)
    assert len(rows) > (10 if path.name == "incidents.md" else 40)
    assert [key for key, about in rows if not about] == []
    for link in links(text):
        file, _, anchor = link.partition("#")
        assert (path.parent / file).exists()
        assert not anchor or anchor in anchors(text), link
    headings = re.findall(r"^## .*$", text, re.MULTILINE)
    assert len(headings) == len(set(headings))


def test_every_incident_has_its_row_on_the_page() -> None:
    text = PAGES[reference.DEPLOY / "incidents.md"]
    shown = re.findall(r"^\| `(\w+)` \| \w+ \| .*? \| (\w+) \|$", text, re.MULTILINE)
    assert [name for name, _ in shown] == list(INCIDENTS)
    assert dict(shown)["emergency_stop"] == "Aborted"
    assert dict(shown)["ledger_failed"] == "Execute"
    assert dict(shown)["mode_unknown"] == "Stopped"


class Part(Section):
    """A part.

    More about it.
    """

    size: Annotated[int, Field(ge=2, lt=9, multiple_of=2, description="a|b")]


class Whole(Section):
    """A file."""

    on: Annotated[bool, Field(description="d1")] = False
    share: Annotated[float | None, Field(gt=0, le=0.5, description="d2")] = None
    way: Annotated[Literal["up", "down"], Field(description="d3")] = "up"
    path: Annotated[FilePath, Field(description="d4")]
    code: Annotated[str, Field(pattern="^[a-z]$", description="d5")] = "a"
    at: Annotated[int | str, Field(description="d6")] = 0
    shares: Annotated[dict[str, float], Field(description="d7", default_factory=dict)]
    one: Part | None = None
    parts: Annotated[list[Part], Field(description="d8")]


@pytest.mark.parametrize(
    "row",
    [
        "| `on` | `true` or `false` | `false` | d1 |",
        "| `share` | number above 0 to 0.5 |  | d2 |",
        "| `way` | `up`, `down` | `up` | d3 |",
        "| `path` | path | **required** | d4 |",
        "| `code` | text that matches `^[a-z]$` | `a` | d5 |",
        "| `at` | whole number or text | `0` | d6 |",
        "| `shares` | `NAME:` number |  | d7 |",
        "| `one` | [one](#one) |  | A part. |",
        "| `parts` | a list: [one](#one) | **required** | d8 |",
        "| `size` | whole number from 2 below 9, a multiple of 2 | **required** | a\\|b |",
    ],
)
def test_a_key_is_told_in_one_row(row: str) -> None:
    assert row in reference.page("# Title\n", schema_of(Whole, "A title")).splitlines()


def test_the_key_of_commands_promises_only_what_a_station_takes_from_afar() -> None:
    text = MqttSettings.model_fields["commands"].description or ""
    promised = re.findall(r"`(\w+)`", text.partition(", which decides")[0])
    assert promised
    assert set(promised) <= {str(command) for command in FROM_AFAR}
