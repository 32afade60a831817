"""What a message tells a person to type works when it is pasted."""

from __future__ import annotations

import re
import shlex
import sys
import tomllib
from pathlib import Path

import pytest

from edge.core.terminal import hints
from edge.core.terminal.hints import command, install_command

ROOT = Path(__file__).parents[4]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"][
    "optional-dependencies"
]
SOURCES = [
    path for name in ("edge", "trainer", "converter") for path in (ROOT / name).rglob("*.py")
]


@pytest.mark.parametrize(
    "path", ["a b/c.yaml", "it's", "$HOME", "plain/name.yaml", "täglich", "a;b"]
)
def test_a_path_stays_one_word_of_the_shell(path: str) -> None:
    assert shlex.split(command("pilah-edge", "check", Path(path))) == ["pilah-edge", "check", path]


def test_in_a_clone_the_command_names_the_clone_the_pins_and_this_python() -> None:
    needed, itself = map(shlex.split, install_command("converter").split(" && "))
    assert needed[:5] == [sys.executable, "-m", "pip", "install", "--require-hashes"]
    assert Path(needed[needed.index("-r") + 1]) == ROOT / "deploy" / "locks" / "converter.txt"
    assert itself[:5] == [sys.executable, "-m", "pip", "install", "--no-deps"]
    assert itself[-2:] == ["--editable", str(ROOT)]


def test_elsewhere_it_says_that_it_takes_a_clone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hints, "__file__", str(tmp_path / "edge/core/terminal/hints.py"))
    needed, itself = install_command("pi").split(" && ")
    assert needed.endswith("pip install --require-hashes -r deploy/locks/pi.txt")
    assert itself.endswith(" . (in a clone of pilah's repository)")


def test_every_hint_names_an_extra_that_has_a_lock_file() -> None:
    found = [
        (path, extra)
        for path in SOURCES
        for extra in re.findall(r"install_command\(\s*[\"'](\w+)[\"']", path.read_text("utf-8"))
    ]
    assert len(found) >= 6
    for path, extra in found:
        assert extra in EXTRAS, path
        assert (ROOT / "deploy" / "locks" / f"{extra}.txt").is_file(), path


def test_no_message_words_an_installation_by_itself() -> None:
    """`pip install 'pilah[...]'` names a package that no index has."""
    assert [p for p in SOURCES if "pip install" in p.read_text("utf-8")] == []
