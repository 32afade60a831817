"""What README.md and the pages behind it show is there, and their commands are understood."""

from __future__ import annotations

import argparse
import importlib
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pytest

import converter.cli
import edge.cli
import trainer.cli
from edge.ledger import opening
from edge.ledger.recorder import Patience
from tests.bundles import BGR, make_bundle, write_picture

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {
    path: (ROOT / path).read_text(encoding="utf-8")
    for path in (
        "deploy/receiving.md", "deploy/photographs.md", "deploy/programs.md",
        "deploy/simulating.md", "deploy/improving.md", "deploy/measuring.md",
        "deploy/comparing.md",
    )
}  # fmt: skip
"""What goes on with the README, in the order of the tour: it is typed in the same folder."""
GUIDE = "\n".join([README, *PAGES.values()])
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
COMMANDS = [line for line in commands(GUIDE) if not re.search(r" --(help|version)\b", line)]


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


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_links_is_there(page: str) -> None:
    assert page in links(README)
    for link in links(PAGES[page]):
        path, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        if path:
            assert (ROOT / page).parent.joinpath(path).exists(), link
        else:
            assert anchor in anchors(PAGES[page]), link


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
    assert parse(commands(text)[1]).station == [Path("b")]


@pytest.mark.parametrize(
    "line",
    ["pilah-edge run a.yaml --max-item 5", "pilah-edge run", "pilah-edge status a b",
     "pilah-trainer train mobilenet_v2 --data photos --nowhere x"],
)  # fmt: skip
def test_a_command_with_wrong_words_would_be_found(line: str) -> None:
    with pytest.raises(SystemExit):
        parse(line)


def test_a_verb_that_is_not_there_would_be_found() -> None:
    with pytest.raises(argparse.ArgumentError, match="no verb sort"):
        parse("pilah-edge sort a.yaml")


# The guided tour: every command, in the order of the page, in one folder.

LEFT_OUT = {
    "pilah-edge roi": "needs a camera",
    "pilah-edge capture": "needs a camera",
    "pilah-edge trigger": "needs a camera",
    "pilah-edge lane": "needs a keyboard",
    "pilah-edge bench": "takes its time to measure",
    "pilah-edge simulate": "draws thousands of pictures",
    "pilah-edge web": "answers until somebody ends it",
    "pilah-trainer train": "its run is not looked at; the bundle stands in for it",
    "pilah-trainer data": "looks at photographs",
    "pilah-trainer recipes": "touches no file of the tour",
    "pilah-converter convert": "its bundle is there already",
    "pilah-converter import": "needs somebody's model",
}


def tour(text: str) -> list[str]:
    """All that is to be typed, in the order of the page: in blocks, and within a sentence where
    nothing is left to fill in. A here-document is one command."""
    found = re.findall(r"^```(?:sh)?\n(.*?)^```|`(pilah-[^`]+)`", text, re.DOTALL | re.MULTILINE)
    typed = [line for block, inline in found for line in _lines(block) or [inline]]
    return [
        line
        for line in typed
        if re.match(r"pilah-\w+ [\w-]+ \S|sed |echo |cat |python - ", line)
        and not re.search(r"\b[A-Z]{3,}\b", line.partition("<<")[0])
    ]


def _lines(block: str) -> list[str]:
    whole = re.sub(
        r"(<<'(\w+)'\n.*?\n\2$)",
        lambda m: m[1].replace("\n", "\0"),
        block,
        flags=re.DOTALL | re.MULTILINE,
    )
    return [line.replace("\0", "\n") for line in whole.replace("\\\n", " ").splitlines()]


def typed(line: str) -> int:
    """The exit code of a command of the tour; pilah's own run in this process."""
    if not line.startswith("pilah-"):
        done = subprocess.run(
            ["sh", "-c", line.replace("python -", f"{shlex.quote(sys.executable)} -", 1)]
        )
        return done.returncode
    program, *words = shlex.split(line, comments=True)
    mains: Mapping[str, Callable[[list[str]], int]] = {
        "pilah-edge": edge.cli.main,
        "pilah-converter": converter.cli.main,
    }
    spread = [path for word in words for path in _globbed(word)]
    return mains[program](spread)


def _globbed(word: str) -> list[str]:
    """A word as the shell gives it on: the files that it fits, or itself."""
    return sorted(map(str, Path().glob(word))) if "*" in word else [word]


def test_the_tour_works_when_it_is_typed_in_the_order_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    # On a busy machine the ledger's process may take longer than a station waits for it.
    patient = partial(Patience, open=300, hang=300, finish=300)
    monkeypatch.setattr(opening, "Patience", patient)
    for name in ("first", "second"):
        make_bundle(tmp_path / "bundles" / name, labels=("cardboard", "glass", "metal"))
    for label, colour in zip(("cardboard", "glass", "metal"), BGR.values(), strict=False):
        write_picture(tmp_path / "photos" / label / "1.jpg", colour)
    ran = []
    for line in tour(GUIDE):
        if not any(line.startswith(start) for start in LEFT_OUT):
            expected = 1 if "# exits with 1" in line else 0
            assert typed(line) == expected, f"{line}\n{capsys.readouterr().err}"
            ran.append(line)
    assert sum(line.startswith("pilah-edge init") for line in ran) == 3
    assert "pilah-edge init bundles/first station/station.yaml" in ran, "the file of step 1"
    assert any(line.startswith("pilah-edge run") for line in ran)
    assert any(line.startswith("python -") for line in ran)
    assert any(line.startswith("pilah-edge doctor") for line in ran)
    assert Path("station/station.yaml").is_file()


def test_every_command_that_the_tour_leaves_out_is_on_the_page() -> None:
    for start in LEFT_OUT:
        assert start in GUIDE
