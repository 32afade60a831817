"""What ARCHITECTURE.md, CONTRIBUTING.md and SECURITY.md name is there."""

from __future__ import annotations

import builtins
import importlib.util
import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import takewhile

import pytest

from tests.test_architecture import FORBIDDEN, MODULES
from tests.test_readme import PROGRAMS, README, ROOT, anchors, commands, links, parse

PAPERS: Mapping[str, str] = {
    name: (ROOT / name).read_text("utf-8")
    for name in ("ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md")
    if (ROOT / name).is_file()
}


def spans(text: str) -> Iterator[str]:
    """What stands in backticks outside code blocks, and the lines of code blocks for a shell."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    yield from re.findall(r"`([^`\n]+)`", prose)
    for block in re.findall(r"^```sh\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE):
        yield from (line.partition("#")[0].strip() for line in block.splitlines())


DEFINITION = re.compile(r"^( {4})?(?:class |def |)([A-Za-z_]\w*)(?=[ (:\[])", re.MULTILINE)
"""The name that a line at the margin, or one step in from it, may define."""


@cache
def defined() -> Mapping[str, frozenset[str]]:
    """Each name that a module of pilah or of its tests may define, with those that a class has."""
    found: dict[str, set[str]] = {}
    for file in [*MODULES.values(), *(ROOT / "tests").rglob("*.py")]:
        inside: set[str] = set()
        for indented, name in DEFINITION.findall(file.read_text("utf-8")):
            if indented:
                inside.add(name)
            else:
                inside = found.setdefault(name, set())
    return {name: frozenset(inside) for name, inside in found.items()}


@cache
def targets() -> frozenset[str]:
    """What `make` can be asked for."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    return frozenset(re.findall(r"^([a-z0-9-]+):(?!=)", makefile, flags=re.MULTILINE))


@cache
def file_names() -> frozenset[str]:
    """The name of every file of pilah, without its folder."""
    folders = (*FORBIDDEN, "deploy", "tests")
    inside = (path for folder in folders for path in (ROOT / folder).rglob("*"))
    return frozenset(path.name for path in (*inside, *ROOT.iterdir()) if path.is_file())


def missing(span: str) -> str | None:
    """What `span` names that is not there; None: it is all there, or names nothing of pilah's."""
    first, *words = span.split() or [""]
    if first in PROGRAMS:
        return None if not words or words[0] in {*PROGRAMS[first], "--help", "VERB"} else span
    if first == "make":
        asked = takewhile(lambda word: "=" not in word, words)
        gone = [word for word in asked if word not in targets()]
        return f"make {gone[0]}" if gone else None
    if first == "python" and words[:1] == ["-m"]:
        return _missing_module(words[1])
    if re.match(rf"({'|'.join(FORBIDDEN)}|deploy|tests|\.ci)/", span):
        path = span.rstrip("/").replace("NAME", "*")  # which stands for any name
        return None if any(ROOT.glob(path)) else span
    if re.fullmatch(r"[\w-]+\.(py|md|sh|toml|service)", span):
        return None if span in file_names() else span
    if re.fullmatch(rf"({'|'.join(FORBIDDEN)}|tests)(\.\w+)+", span):
        return _missing_module(span)
    if found := re.fullmatch(r"([A-Z]\w*|test_\w+)(?:\.(\w+))?(?:\(\))?", span):
        name, inside = found.groups()
        known = defined()
        if hasattr(builtins, name) or name.startswith("PILAH_"):
            return None
        return None if name in known and (not inside or inside in known[name]) else span
    return None


def _missing_module(name: str) -> str | None:
    """None where there is such a module, or such a name in one."""
    parent, _, last = name.rpartition(".")
    if name in MODULES:
        return None
    if parent in MODULES:
        text = MODULES[parent].read_text("utf-8")
        return None if last in {found for _, found in DEFINITION.findall(text)} else name
    try:
        return None if importlib.util.find_spec(name) else name
    except ModuleNotFoundError:
        return name


@pytest.mark.parametrize("paper", PAPERS)
def test_what_a_paper_names_is_there(paper: str) -> None:
    found = [gone for span in spans(PAPERS[paper]) if (gone := missing(span))]
    assert found == [], f"{paper} names what is not there: write what it is called now"


@pytest.mark.parametrize("paper", PAPERS)
def test_what_a_paper_links_is_there(paper: str) -> None:
    for link in links(PAPERS[paper]):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        assert not path or (ROOT / path).exists(), link
        if anchor:
            text = (ROOT / path).read_text("utf-8") if path else PAPERS[paper]
            assert anchor in anchors(text), link


@pytest.mark.parametrize("paper", PAPERS)
def test_a_command_of_a_paper_is_understood(paper: str) -> None:
    for line in commands(PAPERS[paper]):
        if not re.search(r" --(help|version)\b", line):
            assert vars(parse(line)), line


@pytest.mark.parametrize("paper", PAPERS)
def test_the_readme_links_each_paper(paper: str) -> None:
    assert paper in links(README)


@pytest.mark.parametrize(
    ("span", "gone"),
    [
        ("pilah-edge sort a.yaml", "pilah-edge sort a.yaml"),
        ("pilah-edge lane safe", None),
        ("make bench-pins BUNDLE=folder", None),
        ("make test bake", "make bake"),
        ("python -m tests.fuzz", None),
        ("python -m tests.fizz", "tests.fizz"),
        ("edge/lanes/NAME.py", None),
        ("edge/lanes/", None),
        ("edge/arms/NAME.py", "edge/arms/NAME.py"),
        ("solenoid.py", None),
        ("solinoid.py", "solinoid.py"),
        ("edge.core.images", None),
        ("edge.lanes.KINDS", None),
        ("edge.lanes.KIND", "edge.lanes.KIND"),
        ("Station.change_model", None),
        ("Station.change_mind", "Station.change_mind"),
        ("Actuators", "Actuators"),
        ("test_what_a_paper_names_is_there", None),
        ("test_nothing_at_all", "test_nothing_at_all"),
        ("kind: servo", None),
        ("~/.cache/pilah", None),
    ],
)
def test_a_name_that_is_gone_would_be_found(span: str, gone: str | None) -> None:
    assert missing(span) == gone
