"""Each extra has a lock file that fits pyproject.toml, and no install goes past the hashes."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deploy.lock import FILES, LOCKS, Lock, read_pins

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
EXTRAS: Mapping[str, list[str]] = PROJECT["project"]["optional-dependencies"]
PARTS = {"station", "training"}
"""Extras that are of use only within others."""
PIP = re.compile(r"^[^#\n]*\bpip[\"']? install\b(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)
INSTALLING = ["README.md", "CONTRIBUTING.md", "Makefile", "deploy/install.sh", "deploy/setup.sh"]


def environments(lock: Lock) -> list[dict[str, str]]:
    """The environments of a lock file, as markers see them."""
    lowest, above = re.findall(r"'3\.(\d+)'", lock.pythons)
    return [
        {"python_version": f"3.{minor}", "python_full_version": f"3.{minor}.1", "extra": "",
         "platform_machine": machine, "sys_platform": "linux"}
        for minor in range(int(lowest), int(above))
        for machine in lock.machines
    ]  # fmt: skip


def needed(extra: str) -> Iterator[Requirement]:
    """What an extra asks for, that of the extras in it too."""
    for line in EXTRAS[extra]:
        requirement = Requirement(line)
        if requirement.name == "pilah":
            for inner in requirement.extras:
                yield from needed(inner)
        else:
            yield requirement


def entries(title: str) -> dict[str, list[str]]:
    """Each requirement of a lock file, without its hashes, and these."""
    text = (LOCKS / f"{title}.txt").read_text("utf-8").replace("\\\n", "")
    lines = [line.split() for line in text.splitlines() if not line.startswith("#")]
    return {
        " ".join(word for word in words if not word.startswith("--hash=")): [
            word for word in words if word.startswith("--hash=")
        ]
        for words in lines
    }


def test_every_extra_that_is_installed_by_its_name_has_a_lock_file() -> None:
    assert set(FILES) == set(EXTRAS) - PARTS
    assert {file.stem for file in LOCKS.glob("*.txt")} == set(FILES)


@pytest.mark.parametrize("title", FILES)
def test_a_lock_file_pins_all_that_its_extras_ask_for_in_every_environment(title: str) -> None:
    lock, pins = FILES[title], [Requirement(line) for line in entries(title)]
    asked = [r for extra in lock.extras for r in needed(extra)]
    asked += [Requirement(line) for line in PROJECT["build-system"]["requires"]]
    for environment in environments(lock):
        there = {
            canonicalize_name(pin.name): str(pin.specifier).removeprefix("==")
            for pin in pins
            if pin.marker is None or pin.marker.evaluate(environment)
        }
        for requirement in asked:
            name = canonicalize_name(requirement.name)
            if requirement.marker is not None and not requirement.marker.evaluate(environment):
                continue
            if name not in lock.left_out:
                assert name in there, f"{requirement} in {environment}: make lock"
                assert there[name] in requirement.specifier, f"{requirement}: make lock"


@pytest.mark.parametrize("title", FILES)
def test_every_pin_has_hashes_and_none_names_an_index(title: str) -> None:
    for line, hashes in entries(title).items():
        assert hashes, f"{line} has no hash"
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", each) for each in hashes), line
        assert re.fullmatch(r"[a-z0-9-]+(\[[a-z,-]+\])?==[^ ]+( ; .+)?", line), line


def test_one_version_of_everything_serves_everywhere() -> None:
    versions: dict[str, set[str]] = {}
    for title, lock in FILES.items():
        for name, version in read_pins(LOCKS / f"{title}.txt").items():
            if name not in lock.free:
                versions.setdefault(name, set()).add(version)
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_every_install_that_is_named_checks_hashes_or_fetches_nothing() -> None:
    found = [
        (file, line)
        for file in INSTALLING
        for line in PIP.findall((ROOT / file).read_text("utf-8"))
    ]
    assert len(found) >= 6
    for file, line in found:
        safe = "--require-hashes" in line or {"--no-deps", "--no-build-isolation"} <= {
            *line.split()
        }
        assert safe, f"{file}: {line}"
