"""What README.md shows is there, and the commands it gives are understood."""

from __future__ import annotations

import argparse
import importlib
import re
import shlex
from collections.abc import Mapping
from pathlib import Path

import pytest

import converter.cli
import edge.cli
import trainer.cli

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROGRAMS: Mapping[str, Mapping[str, edge.cli.Verb]] = {
    "pilah-edge": edge.cli.VERBS,
    "pilah-trainer": trainer.cli.VERBS,
    "pilah-converter": converter.cli.VERBS,
}


def links(text: str) -> list[str]:
    """The targets of links and pictures, in Markdown or HTML, outside code blocks."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"\]\(([^)\s]+)", prose) + re.findall(r'(?:href|src)="([^"]+)"', prose)


def anchors(text: str) -> set[str]:
    """The anchor of each heading: small letters, words joined by hyphens."""
    headings = re.findall(r"^#+ +(.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands(text: str) -> list[str]:
    """The lines of the sh blocks that call a program of pilah."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return [line for line in lines if re.match(r"\S*\bpilah-(edge|trainer|converter)\b", line)]


def parse(line: str) -> argparse.Namespace:
    """What the verb's own parser makes of a command line; nothing is run."""
    program, verb, *words = shlex.split(line, comments=True)
    known = PROGRAMS[Path(program).name]
    if verb not in known:
        raise argparse.ArgumentError(None, f"{program} has no verb {verb}")
    parser = argparse.ArgumentParser(prog=f"{program} {verb}", allow_abbrev=False)
    importlib.import_module(known[verb].module).add_arguments(parser)
    return parser.parse_args(words)


LINKS = [link for link in links(README) if not re.match(r"[a-z]+:", link)]
COMMANDS = [line for line in commands(README) if not re.search(r" --(help|version)\b", line)]


@pytest.mark.parametrize("link", sorted(set(LINKS)))
def test_what_is_linked_is_there(link: str) -> None:
    path, _, anchor = link.partition("#")
    if path:
        assert (ROOT / path).exists()
    else:
        assert anchor in anchors(README)


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_readme_is_understood(line: str) -> None:
    assert vars(parse(line))


def test_every_program_is_shown() -> None:
    assert {Path(line.split()[0]).name for line in COMMANDS} == set(PROGRAMS)
    assert LINKS


def test_links_and_commands_are_found() -> None:
    text = (
        "# On a Pi (64 bit)\n[a](b.md) ![c d](e/f.svg)\n```\n[no](code)\npilah-edge no\n```\n"
        "```sh\nx\npilah-edge run \\\n  a.yaml\n~/p/bin/pilah-edge check b  # c\n```\n"
    )
    assert links(text) == ["b.md", "e/f.svg"]
    assert anchors(text) == {"on-a-pi-64-bit"}
    assert commands(text) == ["pilah-edge run    a.yaml", "~/p/bin/pilah-edge check b  # c"]
    assert parse(commands(text)[1]).station == Path("b")


@pytest.mark.parametrize(
    "line",
    ["pilah-edge run a.yaml --max-item 5", "pilah-edge run", "pilah-edge check a b",
     "pilah-trainer train mobilenet_v2 --data photos --nowhere x"],
)  # fmt: skip
def test_a_command_with_wrong_words_would_be_found(line: str) -> None:
    with pytest.raises(SystemExit):
        parse(line)


def test_a_verb_that_is_not_there_would_be_found() -> None:
    with pytest.raises(argparse.ArgumentError, match="no verb sort"):
        parse("pilah-edge sort a.yaml")
