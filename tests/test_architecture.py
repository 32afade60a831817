"""Imports go one way, converter to trainer to edge, and help costs no heavy import."""

from __future__ import annotations

import ast
import importlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

TRAINING = {"tensorflow", "keras", "tf_keras", "matplotlib", "rich"}
FORBIDDEN = {
    "edge": {"trainer", "converter"} | TRAINING,
    "trainer": {"converter"},
    "converter": set[str](),
}

SHOW_LOADED = """
import json, sys
before = set(sys.modules)
for name in sys.argv[1:]:
    __import__(name)
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def module_name(file: Path) -> str:
    """`edge.core.files` of `edge/core/files.py`, and `edge.core` of its `__init__.py`."""
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {
    module_name(file): file
    for package in FORBIDDEN
    for file in sorted((ROOT / package).rglob("*.py"))
}


def imported(file: Path) -> Iterator[tuple[int, str]]:
    """Line and whole name of every import in a file, those inside functions too."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield node.lineno, name if name in MODULES else node.module or ""


def wrong(importers: str, is_wrong: Callable[[str], bool]) -> list[str]:
    """Every import that is wrong in a module of the room `importers`, with its place."""
    files = [file for name, file in MODULES.items() if is_in(name, importers)]
    assert files, f"there is no {importers}"
    return [
        f"{file.relative_to(ROOT)}:{line} imports {name}"
        for file in files
        for line, name in imported(file)
        if is_wrong(name)
    ]


def is_in(name: str, room: str) -> bool:
    """Whether a module is a room, or lies in it."""
    return name == room or name.startswith(f"{room}.")


@pytest.mark.parametrize("package", FORBIDDEN)
def test_a_package_imports_only_what_is_below_it(package: str) -> None:
    assert wrong(package, lambda name: name.partition(".")[0] in FORBIDDEN[package]) == []


def is_of_a_station(name: str) -> bool:
    """Whether a module is of `edge` alone. The package `edge` itself tells pilah's version."""
    return is_in(name, "edge") and name != "edge" and not is_in(name, "edge.core")


@pytest.mark.parametrize("package", ["trainer", "converter"])
def test_of_edge_the_desktop_imports_the_core_alone(package: str) -> None:
    assert wrong(package, is_of_a_station) == []


def test_the_core_imports_nothing_of_a_station() -> None:
    assert wrong("edge.core", is_of_a_station) == []


@pytest.mark.parametrize("package", FORBIDDEN)
def test_the_packages_import_one_another_by_whole_names(package: str) -> None:
    """So that the test above, which reads names, misses none."""
    relative = [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for file in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []


@pytest.mark.parametrize("package", FORBIDDEN)
def test_help_loads_nothing_but_the_standard_library(package: str) -> None:
    cli = importlib.import_module(f"{package}.cli")
    modules = [cli.__name__, *(verb.module for verb in cli.VERBS.values())]
    done = subprocess.run(
        [sys.executable, "-c", SHOW_LOADED, *modules],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert package in loaded
    assert loaded - sys.stdlib_module_names <= set(FORBIDDEN)
