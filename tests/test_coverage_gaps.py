"""The functions that no test of `edge` runs completely are listed by names that are still there.

Whether the list is right is checked by `make coverage`, which runs all of those tests.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests import coverage_gaps
from tests.coverage_gaps import BY_CHANCE, GAPS, listed
from tests.test_architecture import MODULES


def functions(node: ast.AST, within: str = "") -> Iterator[str]:
    """The qualified names of all functions in a module."""
    for child in ast.iter_child_nodes(node):
        name = within
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{within}{child.name}."
            if not isinstance(child, ast.ClassDef):
                yield name.removesuffix(".")
        yield from functions(child, name)


def test_every_function_of_the_list_is_there() -> None:
    found: set[str] = set()
    for module in {name.partition(":")[0] for name in listed()}:
        file = MODULES.get(module.removesuffix(".__init__"))
        if file is not None:
            tree = ast.parse(file.read_text("utf-8"))
            found |= {f"{module}:{name}" for name in functions(tree)}
    assert listed() - found == set()


def test_every_function_is_listed_once() -> None:
    words = " ".join(GAPS.values()).split()
    names = [word for word in words if not word.endswith(":")]
    modules = [word for word in words if word.endswith(":")]
    assert names
    assert modules
    assert len(listed()) == len(names)


@pytest.mark.parametrize(
    ("run", "unrun", "code", "said"),
    [
        (0, [], 0, "has its reason"),
        (0, ["edge.cli:main"], 1, "no reason is given:\n    edge.cli:main"),
        (1, [], 1, "are run or gone:\n    "),
    ],
    ids=["as listed", "one more", "one that is run"],
)
def test_the_list_must_be_what_was_measured(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    run: int,
    unrun: list[str],
    code: int,
    said: str,
) -> None:
    always = sorted(listed() - listed(BY_CHANCE))  # the others may be run, too
    monkeypatch.setattr(coverage_gaps, "measured", lambda: {*always[run:], *unrun})
    assert coverage_gaps.main() == code
    assert said in "".join(capsys.readouterr())
