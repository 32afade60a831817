"""The rooms of the three packages, which of them import which, as they are drawn, and that help
imports little."""

from __future__ import annotations

import ast
import importlib
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

TRAINING = {"tensorflow", "keras", "tf_keras", "sklearn", "scipy", "rich"}
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


@cache
def imported(file: Path) -> tuple[tuple[int, str], ...]:
    """Line and whole name of every import in a file, those inside functions too."""
    found: list[tuple[int, str]] = []
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found += ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                found.append((node.lineno, name if name in MODULES else node.module or ""))
    return tuple(found)


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


LARGEST_ROOM = 15
LONGEST_MODULE = 400

WAITING_OTHERWISE = {
    "edge.runtime.clock": "it is the clock",
    "edge.runtime.service": "what waits here is no thread of a station: the end of its process, "
    "and systemd, who both go by this machine's time",
    "edge.runtime.keyboard": "a person presses keys in real time",
    "edge.pins.pins": "an arm of metal turns in real time",
    "edge.lanes.lanes": "`begun` is waited for by `lane test`, which moves a lane by hand",
    "edge.ledger.lock": "another process ends in real time",
    "edge.receiving.scanner.source": "a key of a scanner is let go of in real time",
}
"""The modules of a station that read or wait for a time that is not its clock's, and why."""

MOST_PARAMETERS = 7

MANY_PARAMETERS = {
    "trainer.session.training.train": "each is an option of `pilah-trainer train`, by its name",
    "trainer.evaluation.crossval.cross_validate": "options of `pilah-trainer cross-validate`",
    "converter.convert.convert": "options of `pilah-converter convert`",
    "converter.foreign.import_model.import_model": "options of `pilah-converter import`",
}
"""Functions with more parameters than that: public ones, whose callers write each by keyword."""

ROOM_CIRCLES = {
    ("edge.config.reading", "edge.rollout.installed"): "a station file is right only where the "
    "bundle that it names is still the one that was installed",
}
"""Imports without which rooms would not import one another in a circle, each with its reason."""


@pytest.mark.parametrize("package", FORBIDDEN)
def test_no_room_is_crowded(package: str) -> None:
    sizes = Counter(
        file.parent for file in (ROOT / package).rglob("*.py") if file.name != "__init__.py"
    )
    assert {room: size for room, size in sizes.items() if size > LARGEST_ROOM} == {}


@pytest.mark.parametrize("package", FORBIDDEN)
def test_no_module_is_long(package: str) -> None:
    lines = {
        name: len(file.read_text("utf-8").splitlines())
        for name, file in MODULES.items()
        if is_in(name, package)
    }
    assert {name: length for name, length in lines.items() if length > LONGEST_MODULE} == {}


def test_a_function_with_many_parameters_has_a_reason() -> None:
    """One that hands most of them on is a concept without a name."""
    scripts = {module_name(file): file for file in sorted((ROOT / "deploy").rglob("*.py"))}
    found = {
        f"{name}.{function.name}"
        for name, file in (MODULES | scripts).items()
        for function in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        and parameters(function) > MOST_PARAMETERS
    }
    assert found == set(MANY_PARAMETERS)
    assert len(found) <= 5


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """How many a function has, without `self` and `cls`; `*args` and `**kwargs` count as one."""
    every = function.args
    named = [*every.posonlyargs, *every.args, *every.kwonlyargs]
    rest = [each for each in (every.vararg, every.kwarg) if each is not None]
    return sum(each.arg not in ("self", "cls") for each in named) + len(rest)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("def f(): ...", 0),
        ("def f(self, a, /, b, *, c=1): ...", 3),
        ("def f(a, *more, **others): ...", 3),
        ("async def f(cls, a): ...", 1),
    ],
)
def test_parameters_are_counted_without_self(text: str, count: int) -> None:
    (function,) = ast.parse(text).body
    assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
    assert parameters(function) == count


SAME_NAME = {
    "Settings": "what a user writes for a kind of camera, trigger or actuator, each in its module",
}
"""Names of classes that several modules have, and what each stands for."""


def test_a_name_of_a_class_stands_for_one_thing() -> None:
    names = Counter(
        node.name
        for file in MODULES.values()
        for node in ast.parse(file.read_text("utf-8")).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert {name for name, count in names.items() if count > 1} == set(SAME_NAME)


@pytest.mark.parametrize("package", FORBIDDEN)
def test_no_module_imports_itself_in_a_circle(package: str) -> None:
    TopologicalSorter(
        {
            name: {other for _, other in imported(file) if other in MODULES}
            for name, file in MODULES.items()
            if is_in(name, package)
        }
    ).prepare()  # raises CycleError, which names the circle


@pytest.mark.parametrize("package", FORBIDDEN)
def test_no_room_imports_itself_in_a_circle(package: str) -> None:
    def room(name: str) -> str:
        return ".".join(name.split(".")[:2])

    rooms: dict[str, set[str]] = {}
    for name, file in MODULES.items():
        for _, other in imported(file):
            beside = is_in(name, package) and is_in(other, package)
            if beside and room(name) != room(other) and (name, other) not in ROOM_CIRCLES:
                rooms.setdefault(room(name), set()).add(room(other))
    TopologicalSorter(rooms).prepare()


def test_a_station_reads_and_waits_for_no_time_but_its_clock_s() -> None:
    """Cameras are left out: what they wait for is a device."""
    threads = ("edge.station", "edge.sorting", "edge.lanes", "edge.pins", "edge.ledger",
               "edge.receiving", "edge.samples", "edge.runtime", "edge.vision.latest_frame",
               "edge.vision.trigger")  # fmt: skip
    forbidden = {"time.monotonic", "time.time", "time.sleep", "threading.Event",
                 "threading.Condition", "threading.Timer"}  # fmt: skip
    found = {
        name
        for name, file in MODULES.items()
        if any(is_in(name, room) for room in threads)
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in forbidden
    }
    assert found == set(WAITING_OTHERWISE)


def test_every_import_that_closes_a_circle_of_rooms_is_still_there() -> None:
    found = {(name, other) for name, file in MODULES.items() for _, other in imported(file)}
    assert set(ROOM_CIRCLES) <= found


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


# The rooms, as ARCHITECTURE.md draws them

ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
NOT_DRAWN = {"cli", "errors", "__main__"} | {"trainer.tensorflow"}
"""Modules beside the rooms that import none."""


def drawn(package: str) -> dict[str, set[str]]:
    """Room -> those that arrows lead to, in the drawing below the heading of `package`."""
    section = ARCHITECTURE.partition(f"## The rooms of {package}\n")[2]
    diagram = section.partition("```mermaid\n")[2].partition("```")[0]
    arrows: dict[str, set[str]] = {}
    for left, right in re.findall(r"^ +(\w+) --> (.+)$", diagram, flags=re.MULTILINE):
        arrows.setdefault(left, set()).update(right.split(" & "))
    return arrows


def imports(package: str) -> dict[str, set[str]]:
    """Room or lone module of `package` -> those that it imports."""

    def room(name: str) -> str:
        return ".".join(name.split(".")[1:2])

    found: dict[str, set[str]] = {}
    for name, file in MODULES.items():
        if not is_in(name, package) or not is_drawn(name):
            continue
        others = [other for _, other in imported(file) if (name, other) not in ROOM_CIRCLES]
        mine = {room(other) for other in others if is_in(other, package) and is_drawn(other)}
        found.setdefault(room(name), set()).update(mine - {room(name)})
    return found


def is_drawn(name: str) -> bool:
    """Whether a module lies in a room that is drawn; the packages themselves do not."""
    parts = name.split(".")
    return len(parts) > 1 and parts[1] not in NOT_DRAWN and ".".join(parts[:2]) not in NOT_DRAWN


def reached(arrows: Mapping[str, set[str]], start: str) -> set[str]:
    """All rooms that a way of arrows leads to."""
    found: set[str] = set()
    ahead = [start]
    while ahead:
        for room in arrows.get(ahead.pop(), set()) - found:
            found.add(room)
            ahead.append(room)
    return found


@pytest.mark.parametrize("package", FORBIDDEN)
def test_the_arrows_between_rooms_are_the_imports(package: str) -> None:
    arrows, real = drawn(package), imports(package)
    assert arrows
    untrue = {(a, b) for a, others in arrows.items() for b in others - real.get(a, set())}
    assert untrue == set(), "drawn, and no import"
    undrawn = {(a, b) for a, others in real.items() for b in others - reached(arrows, a)}
    assert undrawn == set(), "imports to which no way of arrows leads"


@pytest.mark.parametrize("package", FORBIDDEN)
def test_every_room_is_in_the_table_below_its_drawing(package: str) -> None:
    section = ARCHITECTURE.partition(f"## The rooms of {package}\n")[2]
    rows = re.findall(
        rf"^\| `{package}/([\w.]+)/?` \|", section.partition("\n## ")[0], re.MULTILINE
    )
    assert {row.removesuffix(".py") for row in rows} == set(imports(package)) - {""}
