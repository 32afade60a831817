"""Imports go one way, converter to trainer to edge, and help costs no heavy import."""

from __future__ import annotations

import ast
import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
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


def imported(file: Path) -> Iterator[tuple[int, str]]:
    """Line and top-level package of every import in a file, those inside functions too."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, (node.module or "").partition(".")[0]


@pytest.mark.parametrize("package", FORBIDDEN)
def test_a_package_imports_only_what_is_below_it(package: str) -> None:
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    found = [
        f"{file.relative_to(ROOT)}:{line} imports {name}"
        for file in files
        for line, name in imported(file)
        if name in FORBIDDEN[package]
    ]
    assert found == []


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
